/* Rows of a list: one of them can hold the focus (the arrows and J, K move it); Enter looks at it, O opens it. */

const STEPS = { j: 1, ArrowDown: 1, k: -1, ArrowUp: -1 };

function rows() {
  return [...document.querySelectorAll("main tr[data-row]")];
}

function focus(row) {
  for (const other of rows()) other.tabIndex = other === row ? 0 : -1;
  row.focus();
  row.scrollIntoView({ block: "nearest" });
}

export function onRow(event) {
  const row = event.target.closest?.("tr[data-row]");
  const isRow = row !== null && row === event.target;
  const step = STEPS[event.key];
  if (step && (isRow || event.key.length === 1)) {
    const all = rows();
    if (!all.length) return false;
    const next = row ? all.indexOf(row) + step : 0;
    event.preventDefault();
    focus(all[Math.min(Math.max(next, 0), all.length - 1)]);
    return true;
  }
  if (!isRow) return false;
  if (event.key === "Enter" || event.key === " ") {
    event.preventDefault();
    row.querySelector("[data-drawer]")?.click();
    return true;
  }
  if (event.key.toLowerCase() === "o") {
    row.querySelector(".cell-title a")?.click();
    return true;
  }
  return false;
}
