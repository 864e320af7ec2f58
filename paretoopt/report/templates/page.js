// Reads the page's data, and keeps controls, plots, table and pick in step.

const read = id => JSON.parse(document.getElementById(id).textContent);
const dark = window.matchMedia("(prefers-color-scheme: dark)");
const narrow = window.matchMedia("(max-width: 600px)");
const { templates, figures, explorer } = { ...read("data-figures"), explorer: read("data-explorer") };

// The columns of explorer_data as one record per candidate. What is not known is NaN, an unknown end null.
function studyOf(data) {
  const at = (column, place) => ({
    value: column.value[place] ?? NaN, low: column.low[place] ?? null, high: column.high[place] ?? null,
  });
  const pick = (columns, make) => Object.fromEntries(Object.entries(columns).map(([name, column]) => [name, make(column)]));
  const candidates = data.numbers.map((number, place) => ({
    place, number,
    params: pick(data.params, column => column[place]),
    measured: pick(data.metrics, column => at(column, place)),
    probability: data.probabilities[place],
    seeds: data.seeds[place],
    label: data.labels[place],
    isSetAside: data.set_aside.includes(place),
  }));
  return {
    candidates,
    paramTitles: data.param_titles,
    metrics: data.metrics,
    objectives: data.objectives,
    constraints: data.constraints,
    limitsOn: data.limits_on,
    marks: data.marks,
    baseline: data.baseline === null ? null : candidates[data.baseline],
  };
}

// On a phone the colour bar lies beneath the plot, so that the plot keeps the whole width.
function underneath(trace) {
  if (!trace.marker?.colorbar) return trace;
  const bar = { ...trace.marker.colorbar, orientation: "h", y: -0.22, yanchor: "top" };
  return { ...trace, marker: { ...trace.marker, colorbar: { ...bar, title: { ...bar.title, side: "bottom" } } } };
}

function draw(place, figure) {
  const layout = { ...figure.layout, template: dark.matches ? templates.dark : templates.light };
  // On a phone a finger scrolls the page instead of zooming the plot.
  if (narrow.matches) layout.dragmode = false;
  const data = narrow.matches ? figure.data.map(underneath) : figure.data;
  const displayModeBar = place.id === "front" && !narrow.matches ? "hover" : false;
  return Plotly.react(place, data, layout, { responsive: true, displaylogo: false, displayModeBar });
}

// A figure is drawn when a reader comes near it, which spares phones most of the work.
const watcher = new IntersectionObserver(entries => {
  for (const { isIntersecting, target } of entries) {
    if (!isIntersecting) continue;
    watcher.unobserve(target);
    draw(target, figures[target.dataset.figure]);
  }
}, { rootMargin: "300px" });

function redrawFigures() {
  for (const place of document.querySelectorAll("[data-figure].js-plotly-plot")) draw(place, figures[place.dataset.figure]);
}

function explore(study) {
  const byId = id => document.getElementById(id);
  const limits = new Map();
  let pinned = [];
  let drawing = false;

  const preferred = () => study.objectives.find(objective => objective.metric === byId("prefer").value) ?? null;
  function stateNow() {
    const within = [...limits.values()];
    const on = byId("on-bound").checked ? "bound" : "estimate";
    const ranking = rankWithin(study, within, preferred(), on);
    const marks = [["pick", ranking[0]], ["baseline", study.baseline], ...pinned.map((one, place) => ["AB"[place], one])];
    return { within, on, prefer: preferred(), ranking, marks: marks.filter(([, candidate]) => candidate) };
  }
  function listed(state) {
    if (byId("listed").value === "front") return state.ranking;
    if (byId("listed").value === "all") return study.candidates;
    const wanted = [...study.constraints, ...state.within];
    return study.candidates.filter(one => isFeasible(one, study.objectives, wanted, state.on));
  }
  function pin(candidate) {
    if (pinned.includes(candidate)) return unpin(candidate);
    // A third one takes the place of the second.
    pinned = [...pinned.slice(0, 1), candidate];
    update();
  }
  function unpin(candidate) {
    pinned = pinned.filter(one => one !== candidate);
    update();
  }
  function drawFront(state) {
    const view = { x: byId("across").value, y: byId("upwards").value };
    draw(byId("front"), frontFigure(study, view, state));
  }
  function update() {
    const state = stateNow();
    byId("pick-headline").textContent = headline(study, state);
    byId("pick").dataset.trial = state.ranking[0]?.number ?? "";
    drawPick(study, state, byId("pick-facts"), pin);
    drawComparison(study, pinned, state.ranking[0], byId("comparison"), unpin);
    const labels = new Map(state.marks.map(([label, candidate]) => [candidate, ""]));
    for (const [label, candidate] of state.marks) labels.set(candidate, [labels.get(candidate), label].filter(Boolean).join(", "));
    table.show(listed(state), one => [...new Set([labels.get(one), one.label].filter(Boolean).join(", ").split(", "))].join(", "), one => pinned.includes(one));
    if (drawing) return;
    // Moves of a slider come faster than plots can be drawn.
    drawing = true;
    requestAnimationFrame(() => { drawing = false; drawFront(stateNow()); });
  }

  const table = candidateTable(study, byId("candidates"), pin);
  const controls = [];
  const first = new Set([...study.objectives, ...study.constraints].map(one => one.metric));
  let ready = false;
  for (const metric of Object.keys(study.metrics)) {
    if (!study.candidates.some(one => Number.isFinite(one.measured[metric].value))) continue;
    const changed = limit => {
      if (limit) limits.set(metric, limit); else limits.delete(metric);
      if (ready) update();
    };
    const control = limitControl(study, metric, changed, !first.has(metric));
    byId(first.has(metric) ? "limits" : "other-limits").append(control.row);
    controls.push(control);
  }
  byId("more-limits").hidden = !byId("other-limits").children.length;
  byId("reset").addEventListener("click", () => controls.forEach(control => control.reset()));
  for (const id of ["prefer", "on-bound", "listed", "across", "upwards"]) byId(id).addEventListener("change", update);
  byId("on-bound").checked = study.limitsOn === "bound";
  ready = true;
  update();
  drawFront(stateNow());
  byId("front").on("plotly_click", event => pin(study.candidates[event.points[0].customdata]));
  return () => drawFront(stateNow());
}

// plotly.js is kept gzipped in the page, so that all of it is one small file.
async function loadPlotly() {
  const packed = Uint8Array.from(atob(document.getElementById("plotly").textContent), letter => letter.charCodeAt(0));
  const unpacked = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  document.head.append(element("script", {}, await new Response(unpacked).text()));
}

async function start() {
  await loadPlotly();
  const study = studyOf(explorer);
  for (const made of Object.values(figures).flatMap(figure => figure.data)) {
    // A number is the place of a candidate, whose text is made here.
    if (Array.isArray(made.hovertext)) made.hovertext = made.hovertext.map(text => (typeof text === "number" ? hoverOf(study, study.candidates[text]) : text));
  }
  const redrawFront = document.getElementById("explorer") ? explore(study) : () => {};
  document.querySelectorAll("table.sortable").forEach(makeSortable);
  for (const group of document.querySelectorAll("[data-shows]")) {
    const place = document.getElementById(group.dataset.shows);
    group.addEventListener("click", event => {
      const pressed = event.target.closest("button");
      if (!pressed) return;
      for (const button of group.children) button.setAttribute("aria-pressed", String(button === pressed));
      place.dataset.figure = pressed.dataset.name;
      draw(place, figures[pressed.dataset.name]);
    });
  }
  function drawEverything() {
    redrawFront();
    redrawFigures();
  }
  for (const query of [dark, narrow]) query.addEventListener("change", drawEverything);
  for (const place of document.querySelectorAll("[data-figure]")) watcher.observe(place);
  document.body.dataset.ready = "";
}

start();
