"use strict";
(() => {
  const all = (what, within = document) => [...within.querySelectorAll(what)];
  const table = document.querySelector(".overview");
  const form = document.querySelector("#filters");

  // Copying: a button for each piece of code; without clipboard it is selected, to be copied by hand.
  for (const code of all("pre.copied")) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "copy";
    button.textContent = "Copy";
    button.addEventListener("click", async () => {
      let said = "Copied";
      try {
        await navigator.clipboard.writeText(code.textContent);
      } catch {
        getSelection().selectAllChildren(code);
        said = document.execCommand("copy") ? "Copied" : "Selected";
      }
      button.textContent = said;
      setTimeout(() => { button.textContent = "Copy"; }, 1500);
    });
    code.before(button);
  }

  // Permalinks: what a link points to is opened, however deep it is folded away.
  const open = () => {
    let id = location.hash.slice(1);
    try { id = decodeURIComponent(id); } catch { return; }
    const goal = id && document.getElementById(id);
    if (!goal) return;
    for (let part = goal; part; part = part.parentElement) {
      if (part.tagName === "DETAILS") part.open = true;
    }
    const section = goal.closest("section[data-verdict]");
    if (section && section.hidden && form) {
      form.reset();
      filter();
    }
    goal.scrollIntoView();
  };
  addEventListener("hashchange", open);

  // Sorting: a button in each head; the sections follow the rows.
  const rows = table ? all("tbody tr", table) : [];
  const section = new Map(rows.map((row) => [row, document.getElementById(row.dataset.loss)]));
  const key = (row, column) => {
    const given = row.cells[column].dataset.v ?? row.cells[column].textContent.trim();
    return given !== "" && !isNaN(given) ? Number(given) : given.toLowerCase();
  };
  const compare = (left, right) => {
    if (typeof left !== typeof right) return typeof left === "number" ? -1 : 1;
    return left < right ? -1 : left > right ? 1 : 0;
  };
  const sort = (head) => {
    const down = head.getAttribute("aria-sort") === "descending";
    const first = head.classList.contains("n") ? !down : head.getAttribute("aria-sort") === "ascending";
    const sorted = rows
      .map((row) => [key(row, head.cellIndex), row])
      .sort((a, b) => compare(a[0], b[0]) * (first ? -1 : 1));
    for (const other of all("th[aria-sort]", table)) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", first ? "descending" : "ascending");
    for (const [, row] of sorted) {
      row.parentElement.append(row);
      section.get(row).parentElement.append(section.get(row));
    }
  };
  if (rows.length > 1) {
    for (const head of all("thead th", table)) {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      button.addEventListener("click", () => sort(head));
      head.append(button);
    }
  }

  // Filtering: losses by verdict and module, and of these the diagnoses by severity and rule.
  const texts = new Map();
  const filter = () => {
    const wanted = Object.fromEntries(new FormData(form));
    const asked = wanted.search.trim().toLowerCase();
    const particular = wanted.severity || wanted.rule;
    let shown = 0;
    for (const row of rows) {
      const loss = section.get(row);
      if (!texts.has(loss)) texts.set(loss, loss.textContent.toLowerCase());
      let found = 0;
      for (const part of all(".diagnosis", loss)) {
        part.hidden = !(
          (!wanted.severity || part.dataset.severity === wanted.severity) &&
          (!wanted.rule || part.dataset.codes.split(" ").includes(wanted.rule))
        );
        if (part.hidden) continue;
        found += 1;
        if (particular && part.closest("details")) part.closest("details").open = true;
      }
      const fits =
        (!wanted.verdict || loss.dataset.verdict === wanted.verdict) &&
        (!wanted.module || loss.dataset.module === wanted.module) &&
        (!particular || found > 0) &&
        (!asked || texts.get(loss).includes(asked));
      row.hidden = loss.hidden = !fits;
      shown += fits;
    }
    form.querySelector("output").textContent = `${shown} of ${rows.length} shown`;
  };
  if (form) {
    form.hidden = false;
    form.addEventListener("input", filter);
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("reset", () => setTimeout(filter));
    filter();
  }
  open();
})();
