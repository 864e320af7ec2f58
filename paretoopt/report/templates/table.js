// Tables: sorting by a click or Enter on a title, and the table of candidates that follows the limits.

function compareCells(a, b, sense) {
  const [one, two] = [a, b].map(order => (order === "" || order === null || order === undefined ? null : order));
  if (one === null || two === null) return (one === null) - (two === null);
  const difference = one - two;
  return sense * (Number.isNaN(difference) ? String(one).localeCompare(String(two)) : difference);
}

// Turns the sorting of a table to this column, and tells whether it is now ascending.
function turnSorting(header) {
  const ascending = header.getAttribute("aria-sort") === "descending";
  for (const other of header.parentNode.children) other.removeAttribute("aria-sort");
  header.setAttribute("aria-sort", ascending ? "ascending" : "descending");
  return ascending ? 1 : -1;
}

function makeSortable(table) {
  for (const header of table.tHead.rows[0].cells) {
    header.querySelector("button").addEventListener("click", () => {
      const sense = turnSorting(header);
      const order = row => row.cells[header.cellIndex].dataset.order;
      const body = table.tBodies[0];
      body.append(...[...body.rows].sort((a, b) => compareCells(order(a), order(b), sense)));
    });
  }
}

function columnsOf(study) {
  const metric = name => ({ title: study.metrics[name].title, order: one => one.measured[name].value, text: one => numberText(one.measured[name].value), note: one => intervalText(one.measured[name]) });
  const param = name => ({ title: study.paramTitles[name], order: one => one.params[name], text: one => valueText(one.params[name]), note: () => "" });
  const probability = { title: "probability of being non-dominated", order: one => one.probability, text: one => (one.probability === null ? "–" : `${Math.round(100 * one.probability)} %`), note: () => "" };
  const seeds = { title: "seeds", order: one => one.seeds, text: one => String(one.seeds), note: () => "" };
  const wanted = study.objectives.map(objective => objective.metric);
  return [
    { title: "trial", order: one => one.number },
    ...(study.candidates.some(one => one.probability !== null) ? [probability] : []),
    ...(study.candidates.some(one => one.seeds > 1) ? [seeds] : []),
    ...wanted.map(metric),
    ...Object.keys(study.paramTitles).map(param),
    ...Object.keys(study.metrics).filter(name => !wanted.includes(name)).map(metric),
  ];
}

// The table of candidates; `pin(candidate)` is called for the row that is chosen.
function candidateTable(study, table, pin) {
  const columns = columnsOf(study);
  const body = table.tBodies[0];
  const rows = new Map();
  const first = study.objectives[0];
  let sorting = null;
  let listed = [];

  function rowOf(candidate) {
    const button = element("button", { type: "button", class: "pin", tabindex: -1 }, String(candidate.number));
    const cells = columns.slice(1).map(column => element("td", {}, column.text(candidate), ...noteOf(column.note(candidate))));
    const row = element("tr", { onclick: () => pin(candidate), "data-trial": candidate.number }, element("td", {}, button, element("span", { class: "note tag" })), ...cells);
    row.addEventListener("keydown", event => {
      const step = { ArrowDown: "nextElementSibling", ArrowUp: "previousElementSibling" }[event.key];
      const next = step && row[step]?.querySelector(".pin");
      if (!next) return;
      event.preventDefault();
      focusOn(next);
    });
    return row;
  }
  // Only one row is a stop of the Tab key; arrows go on from there.
  function focusOn(button) {
    for (const other of body.querySelectorAll(".pin[tabindex='0']")) other.tabIndex = -1;
    button.tabIndex = 0;
    button.focus();
  }
  function draw() {
    const order = sorting ? (a, b) => compareCells(sorting.order(a), sorting.order(b), sorting.sense) : (a, b) => costOf(a, first) - costOf(b, first);
    const focused = body.contains(document.activeElement) ? document.activeElement : null;
    const shown = [...listed].sort(order);
    for (const one of shown) if (!rows.has(one)) rows.set(one, rowOf(one));
    body.replaceChildren(...shown.map(one => rows.get(one)));
    if (focused?.isConnected) focused.focus();
    else if (shown.length && !body.querySelector(".pin[tabindex='0']")) body.querySelector(".pin").tabIndex = 0;
  }
  table.tHead.replaceChildren(element("tr", {}, ...columns.map(column => {
    const header = element("th", { scope: "col" });
    header.append(element("button", { type: "button", onclick: () => { sorting = { order: column.order, sense: turnSorting(header) }; draw(); } }, column.title));
    return header;
  })));
  return {
    show(candidates, labelsOf, isPinned) {
      listed = candidates;
      draw();
      for (const [candidate, row] of rows) {
        row.querySelector(".tag").textContent = labelsOf(candidate);
        row.classList.toggle("pinned", isPinned(candidate));
        row.querySelector(".pin").setAttribute("aria-pressed", String(isPinned(candidate)));
        row.querySelector(".pin").setAttribute("aria-label", `pin trial ${candidate.number}`);
      }
    },
  };
}

function noteOf(text) {
  return text ? [element("span", { class: "note" }, text)] : [];
}
