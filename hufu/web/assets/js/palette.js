/* The palette: a combobox over a list that the server fills. The focus stays in the box; the option is pointed at. */

import { openKeys } from "./keyboard.js";
import { setLanguage, setTheme } from "./preferences.js";

const STEPS = { ArrowDown: 1, ArrowUp: -1 };

export const palette = () => ({
  /* Enter was pressed before the answer to the last letter came. */
  goes: false,

  get input() {
    return this.$refs.input;
  },
  get list() {
    return this.$root.querySelector("[role=listbox]");
  },
  get options() {
    return [...this.$root.querySelectorAll("[role=option]")];
  },
  get active() {
    return this.$root.querySelector("[role=option][aria-selected=true]");
  },

  show() {
    if (this.$root.open) return;
    this.goes = false;
    this.input.value = "";
    this.$root.showModal();
    this.input.focus();
    this.input.dispatchEvent(new Event("palette:ask"));
  },
  hide() {
    this.$root.close();
  },
  ended() {
    this.input.value = "";
  },

  arrived() {
    this.$refs.status.textContent = this.list?.dataset.said ?? "";
    this.point(this.options[0]);
    if (this.goes && this.isCurrent()) this.go();
  },
  isCurrent() {
    return this.list?.dataset.text === this.input.value;
  },
  point(option) {
    this.active?.setAttribute("aria-selected", "false");
    option?.setAttribute("aria-selected", "true");
    option?.scrollIntoView({ block: "nearest" });
    if (option) this.input.setAttribute("aria-activedescendant", option.id);
    else this.input.removeAttribute("aria-activedescendant");
  },
  go() {
    this.goes = false;
    this.active?.click();
  },

  press() {
    const event = this.$event;
    if (event.isComposing || event.target.closest("button, a")) return;
    if (event.key in STEPS && this.options.length) {
      event.preventDefault();
      const { options } = this;
      const next = options.indexOf(this.active) + STEPS[event.key];
      this.point(options[(next + options.length) % options.length]);
    } else if (event.key === "Enter") {
      event.preventDefault();
      if (this.isCurrent()) this.go();
      else this.goes = true;
    }
  },
  hover() {
    const option = this.$event.target.closest("[role=option]");
    if (option && option !== this.active) this.point(option);
  },
  chosen() {
    const option = this.$event.target.closest("[role=option]");
    if (!option) return;
    this.hide();
    const { do: what, value } = option.dataset;
    if (what === "theme") setTheme(value);
    if (what === "language") setLanguage(value);
    if (what === "help") openKeys();
  },
});

export function openPalette() {
  const dialog = document.getElementById("palette");
  if (dialog) window.Alpine.$data(dialog).show();
}
