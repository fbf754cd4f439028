/* The matrix of a role: one cell holds the focus, the arrows move it. A change is a form that is sent, as without
 * JavaScript; a row or a column is asked about first. */

const STEPS = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0] };
let opener = null;
let back = null;

/* The menu has no id: htmx would carry its place over as an inline style, which the policy of the site forbids. */
const grid = () => document.querySelector("[data-matrix]");
const menu = () => document.querySelector("[data-matrix-menu]");
const labels = () => JSON.parse(grid().dataset.labels);
const CELLS = "[role=gridcell], [role=rowheader], [role=columnheader]";

function rowsOf(table) {
  return [...table.rows].filter((row) => !row.hidden).map((row) => [...row.querySelectorAll(CELLS)]);
}

function focus(cell, scroll = true) {
  for (const other of grid().querySelectorAll("[tabindex='0']")) other.tabIndex = -1;
  cell.tabIndex = 0;
  cell.focus({ preventScroll: true });
  if (scroll) cell.scrollIntoView({ block: "nearest", inline: "nearest" });
}

function move(cell, key, ctrl) {
  const rows = rowsOf(grid());
  const row = rows.findIndex((cells) => cells.includes(cell));
  const column = rows[row].indexOf(cell);
  if (key === "Home") return rows[ctrl ? 0 : row][0];
  if (key === "End") return rows[ctrl ? rows.length - 1 : row].at(-1);
  const [down, right] = STEPS[key];
  const next = rows[Math.min(Math.max(row + down, 0), rows.length - 1)];
  return next[Math.min(Math.max(column + right, 0), next.length - 1)];
}

function choicesOf(cell) {
  return (cell.dataset.choices ?? "").split(" ").filter(Boolean);
}

function send(permission, scope) {
  const form = document.getElementById("cell-form");
  form.elements.permission.value = permission;
  form.elements.scope.value = scope;
  back = { permission, left: grid().parentElement.scrollLeft };
  form.requestSubmit();
}

function show(cell, scope) {
  cell.dataset.value = scope;
  cell.setAttribute("aria-busy", "true");
  cell.querySelector(".cell-scope > span").textContent = labels()[scope];
}

/* The cells that a row or column stands for, and that would differ. */
function affected(cell, scope) {
  const [thing, verb] = cell.dataset.permission.split(".");
  return [...grid().querySelectorAll("[role=gridcell][data-permission]")].filter((each) => {
    const [ofThing, ofVerb] = each.dataset.permission.split(".");
    const meant = thing === "*" ? ofVerb === verb : ofThing === thing;
    return meant && each.dataset.value !== scope && choicesOf(each).includes(scope);
  });
}

function choose(cell, scope) {
  close();
  if (cell.matches("[role=gridcell]")) {
    focus(cell, false);
    if (cell.dataset.value === scope) return;
    show(cell, scope);
    send(cell.dataset.permission, scope);
    return;
  }
  const dialog = document.getElementById("matrix-ask");
  const text = dialog.querySelector("[data-text]");
  const said = { what: cell.dataset.what, scope: labels()[scope], count: affected(cell, scope).length };
  text.textContent = text.dataset.text.replace(/\{(\w+)\}/g, (_all, name) => said[name]);
  const yes = dialog.querySelector("[data-yes]");
  yes.disabled = said.count === 0;
  yes.onclick = () => {
    dialog.close();
    send(cell.dataset.permission, scope);
  };
  dialog.querySelector("[data-no]").onclick = () => dialog.close();
  dialog.onclose = () => focus(cell, false);
  dialog.showModal();
}

function open(cell) {
  const panel = menu();
  if (!panel || !choicesOf(cell).length) return;
  opener = cell;
  panel.replaceChildren(
    ...choicesOf(cell).map((scope) => {
      const item = document.createElement("button");
      item.type = "button";
      item.className = "menu-item";
      item.setAttribute("role", "menuitemradio");
      item.setAttribute("aria-checked", String(cell.dataset.value === scope));
      item.tabIndex = -1;
      item.dataset.scope = scope;
      item.textContent = labels()[scope];
      return item;
    }),
  );
  panel.hidden = false;
  place();
  cell.setAttribute("aria-expanded", "true");
  (panel.querySelector("[aria-checked=true]") ?? panel.firstElementChild).focus({ preventScroll: true });
}

/* Below the cell, or above it where there is no room; it goes along when something scrolls. */
function place() {
  const panel = menu();
  const cell = opener.getBoundingClientRect();
  const below = cell.bottom + panel.offsetHeight < innerHeight || cell.top < panel.offsetHeight;
  panel.style.left = `${Math.max(8, Math.min(cell.left, innerWidth - panel.offsetWidth - 8))}px`;
  panel.style.top = `${below ? cell.bottom + 2 : cell.top - panel.offsetHeight - 2}px`;
}

function close() {
  opener?.removeAttribute("aria-expanded");
  opener = null;
  if (menu()) menu().hidden = true;
}

function pressInMenu(event) {
  const items = [...menu().children];
  const at = items.indexOf(document.activeElement);
  const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 }[event.key];
  if (to !== undefined) items[(to + items.length) % items.length].focus();
  else if (event.key === "Escape" || event.key === "Tab") {
    const cell = opener;
    close();
    focus(cell, false);
  } else if (event.key === "Enter" || event.key === " ") choose(opener, document.activeElement.dataset.scope);
  else return false;
  return true;
}

function pressOnCell(event, cell) {
  if (event.key in STEPS || event.key === "Home" || event.key === "End") {
    focus(move(cell, event.key, event.ctrlKey));
    return true;
  }
  const choices = choicesOf(cell);
  if (event.ctrlKey || event.metaKey || event.altKey || !choices.length) return false;
  if (event.key === "Enter" || event.key === "F2") open(cell);
  else if (event.key === " " && cell.matches("[role=gridcell]")) {
    choose(cell, choices[(choices.indexOf(cell.dataset.value) + 1) % choices.length]);
  } else if (/^[0-9]$/.test(event.key) && choices[Number(event.key)]) choose(cell, choices[Number(event.key)]);
  else return false;
  return true;
}

function press(event) {
  if (!grid() || document.querySelector("dialog[open]")) return;
  const cell = event.target.closest?.(CELLS);
  let done = false;
  if (opener && menu().contains(event.target)) done = pressInMenu(event);
  else if (cell && grid().contains(cell) && cell === event.target) done = pressOnCell(event, cell);
  if (!done) return;
  event.preventDefault();
  event.stopPropagation();
}

function click(event) {
  if (!grid()) return;
  const item = event.target.closest("[data-matrix-menu] [data-scope]");
  if (item && opener) {
    choose(opener, item.dataset.scope);
    return;
  }
  const cell = event.target.closest(CELLS);
  const wasOpen = opener;
  if (opener) close();
  if (!cell || !grid().contains(cell) || cell === wasOpen) return;
  focus(cell, false);
  open(cell);
}

function narrow(input) {
  const text = input.value.trim().toLocaleLowerCase();
  const rows = [...grid().tBodies[0].rows];
  for (const row of rows) row.hidden = !row.cells[0].textContent.toLocaleLowerCase().includes(text);
  document.querySelector("[data-matrix-none]").hidden = rows.some((row) => !row.hidden);
  prepare();
}

/* One cell can be reached with Tab; the form for those without JavaScript is not shown. */
function prepare() {
  if (!grid()) return;
  document.querySelector("[data-cell-form]")?.classList.add("is-driven");
  if (!grid().querySelector("[tabindex='0']")?.offsetParent) {
    const first = grid().querySelector("tbody tr:not([hidden]) [role=gridcell]");
    if (first) first.tabIndex = 0;
  }
}

export function listenForMatrix() {
  document.addEventListener("keydown", press, true);
  document.addEventListener("click", click);
  document.addEventListener("input", (event) => {
    if (event.target.matches("[data-matrix-search]")) narrow(event.target);
  });
  document.addEventListener("scroll", () => opener && place(), true);
  document.addEventListener("htmx:afterSettle", () => {
    prepare();
    if (!back || !grid()) return;
    grid().parentElement.scrollLeft = back.left;
    const cell = grid().querySelector(`[data-permission="${CSS.escape(back.permission)}"]`);
    back = null;
    if (cell) focus(cell, false);
  });
  prepare();
}
