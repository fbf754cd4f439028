/* What the templates name in x-data. The build of Alpine is the one that needs no eval. */

const YEAR = 60 * 60 * 24 * 365;

function remember(name, value) {
  const secure = location.protocol === "https:" ? ";secure" : "";
  document.cookie = `${name}=${value};path=/;max-age=${YEAR};samesite=lax${secure}`;
}

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

  /* Theme and language are kept in the browser; the server reads both cookies. */
  preferences: () => ({
    setTheme() {
      const theme = this.$el.dataset.value;
      remember("hufu_theme", theme);
      const root = document.documentElement;
      if (theme === "auto") root.removeAttribute("data-bs-theme");
      else root.setAttribute("data-bs-theme", theme);
      for (const button of this.$root.querySelectorAll("[data-theme-choice]")) {
        button.setAttribute("aria-pressed", String(button.dataset.value === theme));
      }
    },
    setLanguage() {
      remember("django_language", this.$el.dataset.value);
      location.reload();
    },
  }),

  toast: () => ({
    shown: true,
    init() {
      if (this.$el.dataset.stay === undefined) setTimeout(() => this.hide(), 6000);
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

  /* Submits the form that the changed control belongs to. */
  autosubmit: () => ({
    submit() {
      this.$root.requestSubmit();
    },
  }),
};
