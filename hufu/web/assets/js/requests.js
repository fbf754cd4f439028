/* A line at the top of the page while htmx waits for an answer that takes its time. */

const SOON = 150;
let waiting = 0;
let timer = 0;

function show() {
  clearTimeout(timer);
  if (waiting > 0) timer = setTimeout(() => document.body.classList.add("is-waiting"), SOON);
  else document.body.classList.remove("is-waiting");
}

export function listenForRequests() {
  document.addEventListener("htmx:beforeRequest", () => {
    waiting += 1;
    show();
  });
  document.addEventListener("htmx:afterRequest", () => {
    waiting = Math.max(0, waiting - 1);
    show();
  });
}
