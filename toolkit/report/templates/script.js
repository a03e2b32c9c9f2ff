(() => {
  "use strict";
  const page = document.documentElement;
  page.classList.add("js");
  const collator = new Intl.Collator(undefined, { numeric: true, sensitivity: "base" });

  // Missing values come last, whichever way the others are sorted.
  function compare(a, b, down) {
    const x = Number(a), y = Number(b);
    const no = (text, figure) => text === "" || text === "–" || text === "nan" || (Number.isNaN(figure) && text === "NaN");
    if (no(a, x) || no(b, y)) return no(a, x) - no(b, y);
    const order = Number.isNaN(x) || Number.isNaN(y) ? collator.compare(a, b) : x - y;
    return down ? -order : order;
  }

  function sort(table, valueOf, direction) {
    const body = table.tBodies[0];
    const keyed = Array.from(body.rows, (row, place) => ({ row, place, key: valueOf(row) }));
    keyed.sort((a, b) => compare(a.key, b.key, direction === "descending") || a.row.dataset.place - b.row.dataset.place);
    body.append(...keyed.map((entry) => entry.row));
  }

  function mark(table, chosen, direction) {
    for (const head of table.tHead.rows[0].cells) {
      if (head === chosen) head.setAttribute("aria-sort", direction);
      else head.removeAttribute("aria-sort");
    }
  }

  function makeSortable(table, onSort) {
    Array.from(table.tBodies[0].rows, (row, place) => (row.dataset.place = place));
    for (const head of table.tHead.rows[0].cells) {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const before = head.getAttribute("aria-sort");
        const first = head.classList.contains("number") && head.dataset.key === undefined ? "descending" : "ascending";
        const second = first === "ascending" ? "descending" : "ascending";
        onSort(head, before === first ? second : first);
      });
    }
  }

  for (const table of document.querySelectorAll("table.sortable")) {
    makeSortable(table, (head, direction) => {
      const column = head.cellIndex;
      sort(table, (row) => row.cells[column].dataset.v ?? row.cells[column].textContent.trim(), direction);
      mark(table, head, direction);
    });
  }

  const table = document.querySelector("table.examples");
  if (!table) return;
  const form = document.querySelector("form.filters");
  const status = document.querySelector(".status");
  const noneMatch = document.querySelector(".none-match");
  const fields = form.elements;
  const plain = (text) => text.replace(/\s+/g, " ").trim().toLowerCase();
  const rows = Array.from(table.tBodies[0].rows, (row) => ({
    row,
    text: plain(Array.from(row.querySelectorAll(".item, .labels"), (cell) => cell.textContent).join(" ")),
    codes: row.dataset.codes ? row.dataset.codes.split(";").map((codes) => codes.split(",")) : [],
  }));
  const filters = ["kind", "given", "suggested", "part"];
  const chosen = (name) => (fields[name] ? fields[name].value : "");

  // The labels that are asked for must meet in one finding of the example.
  function matches(entry, text, wanted) {
    return entry.text.includes(text) &&
      (wanted.every((code) => code === "") ||
        entry.codes.some((codes) => wanted.every((code, place) => code === "" || code === codes[place])));
  }

  function filter() {
    const text = plain(fields.text.value);
    const wanted = filters.map(chosen);
    let shown = 0;
    for (const entry of rows) {
      const fits = matches(entry, text, wanted);
      entry.row.hidden = !fits;
      shown += fits;
    }
    table.hidden = shown === 0;
    noneMatch.hidden = shown !== 0;
    status.textContent = `Showing ${shown.toLocaleString("en")} of ${rows.length.toLocaleString("en")} examples, ` +
      (chosen("sort") ? `sorted by ${fields.sort.selectedOptions[0].textContent}` : "worst first");
  }

  function order() {
    const [key, direction] = (chosen("sort") || "rank-ascending").split("-");
    sort(table, (row) => row.dataset[key], direction);
    mark(table, Array.from(table.tHead.rows[0].cells).find((head) => head.dataset.key === key), direction);
  }

  // The choices live in the address, so that a reload or a link keeps them.
  function remember() {
    const state = new URLSearchParams();
    for (const name of ["text", ...filters, "sort"]) if (chosen(name)) state.set(name, chosen(name));
    const hash = state.toString();
    try {
      if (hash || location.hash.startsWith("#?")) history.replaceState(null, "", hash ? `#?${hash}` : location.pathname);
    } catch { /* a page in a frame may not touch the address */ }
  }

  function recall() {
    if (!location.hash.startsWith("#?")) return;
    for (const [name, value] of new URLSearchParams(location.hash.slice(2))) {
      if (["text", "sort", ...filters].includes(name) && fields[name]) {
        fields[name].value = value;
        if (fields[name].selectedIndex === -1) fields[name].value = "";
      }
    }
  }

  function update() {
    filter();
    order();
    remember();
  }

  makeSortable(table, (head, direction) => {
    const name = `${head.dataset.key}-${direction}`;
    const standard = ["rank-ascending", "score-ascending"].includes(name);
    if (!standard && !Array.from(fields.sort.options).some((option) => option.value === name)) {
      fields.sort.add(new Option(`${head.textContent}, ${direction}`, name));
    }
    fields.sort.value = standard ? "" : name;
    update();
    if (standard) mark(table, head, direction);
  });

  for (const cell of document.querySelectorAll("[data-pair]")) {
    const [given, suggested] = cell.dataset.pair.split(",");
    const button = document.createElement("button");
    button.type = "button";
    if (cell.closest(".heatmap")) button.tabIndex = -1; // the lists above the examples do the same by keyboard
    button.append(...cell.childNodes);
    cell.append(button);
    button.addEventListener("click", () => {
      form.reset();
      fields.given.value = given;
      fields.suggested.value = suggested;
      update();
      const heading = document.getElementById("examples");
      heading.focus({ preventScroll: true });
      heading.scrollIntoView();
    });
  }

  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", update);
  form.addEventListener("reset", () => setTimeout(update));
  addEventListener("hashchange", () => { if (location.hash.startsWith("#?")) { recall(); update(); } });
  form.hidden = status.hidden = false;
  recall();
  update();
})();
