/* What the templates name in x-data. The build of Alpine is the one that needs no eval. */

import { remember, setLanguage, setTheme } from "./preferences.js";
import { drawer } from "./drawer.js";
import { palette } from "./palette.js";

export const components = {
  /* The frame of every page; on the phone the navigation slides in. */
  shell: () => ({
    open: false,
    show() {
      this.open = true;
      this.$nextTick(() => this.$root.querySelector(".side a")?.focus());
    },
    hide() {
      this.open = false;
    },
    get classes() {
      return this.open ? "is-open" : "";
    },
  }),

  /* A button with a panel below it. */
  menu: () => ({
    open: false,
    toggle() {
      this.open = !this.open;
    },
    hide() {
      this.open = false;
    },
    escape() {
      if (!this.open) return;
      this.open = false;
      this.$root.querySelector("[aria-expanded]")?.focus();
    },
  }),

  preferences: () => ({
    setTheme() {
      setTheme(this.$el.dataset.value);
    },
    setLanguage() {
      setLanguage(this.$el.dataset.value);
    },
  }),

  /* Which columns a list shows, and how close its rows stand: kept in this browser, as names of fields alone. */
  columns: () => ({
    setDensity() {
      const density = this.$el.value;
      remember("hufu_density", density);
      document.documentElement.dataset.density = density;
    },
    store() {
      const chosen = [...this.$root.querySelectorAll("[name=column]:checked")].map((box) => box.value);
      remember(`hufu_columns_${this.$root.dataset.type}`, chosen.join("."));
      location.reload();
    },
    reset() {
      remember(`hufu_columns_${this.$root.dataset.type}`, "", 0);
      location.reload();
    },
  }),

  toast: () => ({
    shown: true,
    init() {
      const { stay, seconds } = this.$el.dataset;
      if (stay === undefined) setTimeout(() => this.hide(), 1000 * Number(seconds ?? 6));
    },
    hide() {
      this.shown = false;
    },
  }),

  /* A text to take along. Without https a browser has no clipboard for pages: then the old way. */
  copier: () => ({
    fresh: true,
    copied: false,
    select() {
      this.$refs.text.select();
    },
    async copy() {
      const field = this.$refs.text;
      field.select();
      try {
        await navigator.clipboard.writeText(field.value);
      } catch {
        if (!document.execCommand("copy")) return;
      }
      this.fresh = false;
      this.copied = true;
    },
  }),

  /* A question before something is lost: <dialog> gives focus, Esc and the backdrop. */
  ask: () => ({
    show() {
      this.$refs.dialog.showModal();
    },
    hide() {
      this.$refs.dialog.close();
    },
  }),

  /* The shortcuts of the keyboard. */
  keys: () => ({
    hide() {
      this.$root.close();
    },
  }),

  palette,
  drawer,

  /* A form that goes on by itself as soon as it is there. */
  onward: () => ({
    init() {
      this.$el.requestSubmit();
    },
  }),

  /* Submits the form that the changed control belongs to. */
  autosubmit: () => ({
    submit() {
      this.$root.requestSubmit();
    },
  }),
};
