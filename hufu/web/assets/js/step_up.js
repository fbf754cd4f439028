/* A request of htmx that lacks a fresh second factor gets a dialog; once it is proved, the same request is sent again. */

let waiting = null;

const place = () => document.getElementById("step-up");

function close() {
  for (const dialog of place().querySelectorAll("dialog[open]")) dialog.close();
  place().replaceChildren();
}

export function listenForStepUps() {
  document.addEventListener("htmx:beforeSwap", (event) => {
    const { xhr, requestConfig } = event.detail;
    if (!xhr.getResponseHeader("Hufu-Step-Up")) return;
    /* What the dialog itself asks is not what waits. */
    if (!place().contains(requestConfig.elt)) waiting = requestConfig;
  });
  document.addEventListener("htmx:afterSwap", (event) => {
    const dialog = event.detail.target === place() && place().querySelector("dialog");
    if (dialog && !dialog.open) dialog.showModal();
  });
  document.addEventListener("click", (event) => {
    if (!event.target.closest("[data-step-up-cancel]")) return;
    waiting = null;
    close();
  });
  document.addEventListener("step-up-proven", () => {
    const { verb, path, elt, parameters } = waiting;
    waiting = null;
    close();
    window.htmx.ajax(verb, path, { source: elt, values: parameters });
  });
}
