/* Shortcuts. The page says what a key does: data-key clicks or focuses, data-go opens after G; Ctrl-K, ? and the rows
 * of a list are the same everywhere. */

import { openPalette } from "./palette.js";
import { onRow } from "./rows.js";

const PATIENCE = 1500;
let waitsForPage = 0;

function typing(element) {
  return element.isContentEditable || ["INPUT", "TEXTAREA", "SELECT"].includes(element.tagName);
}

export function openKeys() {
  const dialog = document.getElementById("keys");
  if (dialog && !dialog.open) dialog.showModal();
}

function find(name, key) {
  const selector = `[${name}="${CSS.escape(key)}"]`;
  return document.querySelector(`main ${selector}`) ?? document.querySelector(selector);
}

function use(target) {
  if (typing(target)) {
    target.focus();
    target.select?.();
  } else {
    target.click();
  }
}

function press(event) {
  if (event.isComposing) return;
  if ((event.ctrlKey || event.metaKey) && !event.altKey && event.key.toLowerCase() === "k") {
    if (document.querySelector("dialog.ask[open]")) return;
    event.preventDefault();
    openPalette();
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Escape" && event.target.matches("main [type=search]")) {
    event.target.blur();
    return;
  }
  if (typing(event.target) || document.querySelector("dialog[open]")) return;
  if (onRow(event)) return;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (event.timeStamp < waitsForPage) {
    waitsForPage = 0;
    const page = find("data-go", key);
    if (page) {
      event.preventDefault();
      page.click();
      return;
    }
  }
  if (key === "g") {
    waitsForPage = event.timeStamp + PATIENCE;
    return;
  }
  const target = find("data-key", key);
  if (key === "?") {
    event.preventDefault();
    openKeys();
  } else if (target) {
    event.preventDefault();
    use(target);
  }
}

export function listen() {
  document.addEventListener("keydown", press);
  document.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-open]");
    if (opener?.dataset.open === "palette") openPalette();
    if (opener?.dataset.open === "keys") openKeys();
  });
  if (/Mac|iPhone|iPad/.test(navigator.platform)) {
    for (const element of document.querySelectorAll("[data-modifier]")) element.textContent = "⌘";
  }
}
