/* The drawer: a record beside the list. The browser gives focus back; the address remembers which one is open. */

const OPEN = "open-";

export const drawer = () => ({
  pressed() {
    const { target } = this.$event;
    if (target === this.$root || target.closest("[data-close]")) this.$root.close();
  },
  ended() {
    this.$refs.body.replaceChildren();
    history.replaceState(history.state, "", location.pathname + location.search);
  },
});

export function listenForDrawers() {
  /* After htmx, which listens for the same. */
  document.addEventListener("DOMContentLoaded", () => {
    const remembered = location.hash.startsWith(`#${OPEN}`) ? location.hash.slice(OPEN.length + 1) : "";
    const opener = remembered && document.querySelector(`[data-drawer="${CSS.escape(remembered)}"]`);
    if (!opener) return;
    /* So that the focus goes back to it. */
    opener.focus();
    opener.click();
  });
  document.addEventListener("htmx:beforeSwap", (event) => {
    const panel = document.getElementById("drawer");
    if (!panel) return;
    const { target } = event.detail;
    if (target.closest("#drawer")) return;
    if (event.detail.isError) {
      /* The page says what happened; nothing may stand before it. */
      for (const dialog of document.querySelectorAll("dialog[open]")) dialog.close();
    }
  });
  document.addEventListener("htmx:afterSwap", (event) => {
    const panel = event.detail.target.closest("#drawer");
    if (panel && !panel.open) panel.showModal();
  });
  document.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-drawer]");
    if (opener) history.replaceState(history.state, "", `#${OPEN}${opener.dataset.drawer}`);
  });
}
