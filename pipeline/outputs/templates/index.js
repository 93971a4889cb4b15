"use strict";
(() => {
  const table = document.getElementById("sites"), body = table.tBodies[0];
  const rows = [...body.rows], search = document.getElementById("search");

  // A row that has nothing in this column comes last, whichever way it is sorted.
  function sort(button) {
    const head = button.closest("th"), key = button.dataset.key, numbers = key === "area";
    const up = head.getAttribute("aria-sort") ? head.getAttribute("aria-sort") !== "ascending" : key === "name" || key === "phase";
    for (const other of table.tHead.querySelectorAll("th")) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", up ? "ascending" : "descending");
    const order = (a, b) => {
      const one = a.dataset[key], two = b.dataset[key];
      if (!one || !two) return !one - !two;
      return (up ? 1 : -1) * (numbers ? one - two : one.localeCompare(two));
    };
    body.append(...rows.sort(order));
  }

  function filter() {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const row of rows) {
      row.hidden = !words.every((word) => `${row.dataset.name} ${row.dataset.phase} ${row.id}`.includes(word));
      shown += !row.hidden;
    }
    document.getElementById("shown").textContent = words.length ? `${shown} of ${rows.length}` : "";
  }

  for (const button of table.tHead.querySelectorAll("button")) button.addEventListener("click", () => sort(button));
  search.addEventListener("input", filter);
  filter();
})();
