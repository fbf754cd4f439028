/* A form marked data-guard asks before what was typed is lost, and is sent once. */

const touched = new WeakSet();
let leaving = false;

export function guardForms() {
  document.addEventListener("input", (event) => {
    const form = event.target.form;
    if (form?.matches("[data-guard]")) touched.add(form);
  });
  document.addEventListener("submit", (event) => {
    if (event.defaultPrevented) return;
    leaving = true;
    for (const button of event.target.querySelectorAll("button[type=submit]")) {
      if (event.target.matches("[data-guard]")) setTimeout(() => (button.disabled = true));
    }
  });
  window.addEventListener("pageshow", () => {
    leaving = false;
    for (const button of document.querySelectorAll("form[data-guard] button[type=submit]")) button.disabled = false;
  });
  window.addEventListener("beforeunload", (event) => {
    if (leaving) return;
    for (const form of document.querySelectorAll("form[data-guard]")) {
      if (touched.has(form) || form.matches("[data-guard=kept]")) {
        event.preventDefault();
        return;
      }
    }
  });
}
