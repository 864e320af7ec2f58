// The scatter plot of the front, drawn for the limits as they stand.

function hoverText(study, candidate) {
  const metrics = Object.entries(candidate.measured).map(([metric, measured]) => {
    const interval = intervalText(measured);
    return `${study.metrics[metric].title}: ${numberText(measured.value)}${interval && ` (${interval})`}`;
  });
  const params = Object.entries(candidate.params).map(([name, value]) => `${study.paramTitles[name]}: ${valueText(value)}`);
  return [`<b>trial ${candidate.number}</b>`, ...params.map(safe), "", ...metrics.map(safe)].join("<br>");
}

function hoverOf(study, candidate) {
  return (candidate.hover ??= hoverText(study, candidate));
}

function trace(study, view, name, candidates, marker) {
  return {
    type: "scatter", mode: "markers", name, marker,
    x: candidates.map(one => one.measured[view.x].value),
    y: candidates.map(one => one.measured[view.y].value),
    customdata: candidates.map(one => one.place),
    hovertext: candidates.map(one => hoverOf(study, one)),
    hoverinfo: "text",
  };
}

function errorBars(study, candidates, metric) {
  const measured = candidates.map(one => one.measured[metric]);
  const reach = (end, sign) => measured.map(one => (one[end] === null ? 0 : Math.max(0, sign * (one[end] - one.value))));
  const visible = measured.some(one => one.low !== null);
  return { type: "data", symmetric: false, visible, array: reach("high", 1), arrayminus: reach("low", -1), color: study.marks.interval, thickness: 1, width: 0 };
}

function memberTrace(study, view, members) {
  const made = trace(study, view, "Pareto front", members, { size: 11, color: study.marks.member, line: { width: 1, color: study.marks.outline } });
  const colored = study.objectives.map(objective => objective.metric).find(metric => metric !== view.x && metric !== view.y);
  if (colored) {
    const column = study.metrics[colored];
    const scaled = value => (column.axis.type === "log" ? Math.log10(value) : value);
    const all = study.candidates.map(one => scaled(one.measured[colored].value)).filter(Number.isFinite);
    const color = members.map(one => scaled(one.measured[colored].value));
    // The scale stays as limits move, so that a colour keeps its meaning.
    Object.assign(made.marker, structuredClone(column.color), { color, cmin: Math.min(...all), cmax: Math.max(...all) });
  }
  return { ...made, error_x: errorBars(study, members, view.x), error_y: errorBars(study, members, view.y) };
}

// From the best x onwards: until the next corner is reached, nothing better in y is to be had.
function stepTrace(study, view, members) {
  const axes = [view.x, view.y].map(metric => study.objectives.find(objective => objective.metric === metric));
  if (axes.includes(undefined) || view.x === view.y) return null;
  const corners = nondominated(members, axes).sort((a, b) => costOf(a, axes[0]) - costOf(b, axes[0]));
  if (corners.length < 2) return null;
  const line = { shape: "hv", width: 1.5, dash: "dot", color: study.marks.dominated };
  return { ...trace(study, view, "front of these two", corners, {}), mode: "lines", line, hoverinfo: "skip" };
}

// One mark per kind, each with a shape of its own; labels of one candidate share a place.
function markTraces(study, view, marks) {
  const symbols = { pick: "circle-open", baseline: "square-open", A: "diamond-open", B: "diamond-open" };
  const labels = new Map();
  for (const [label, candidate] of marks) labels.set(candidate, [...(labels.get(candidate) ?? []), label]);
  const shown = [...labels].filter(([one]) => Number.isFinite(one.measured[view.x].value + one.measured[view.y].value));
  const positions = textPositions(shown.map(([, names]) => names.join(", ")), shown.map(([one]) => placeOf(study, view, one)));
  return shown.map(([candidate, names], place) => ({
    ...trace(study, view, names.join(", "), [candidate], { symbol: symbols[names[0]], size: 19, color: study.marks.mark, line: { width: 2.5 } }),
    mode: "markers+text",
    text: [`<b>${names.join(", ")}</b>`],
    textposition: positions[place],
    cliponaxis: false,
    showlegend: false,
  }));
}

// About where a candidate is in the plot, in pixels from the lower left.
function placeOf(study, view, candidate) {
  return [[view.x, 560], [view.y, 330]].map(([metric, size]) => {
    const scaled = one => (study.metrics[metric].axis.type === "log" ? Math.log(one.measured[metric].value) : one.measured[metric].value);
    const all = study.candidates.map(scaled).filter(Number.isFinite);
    const low = Math.min(...all);
    return (size * (scaled(candidate) - low)) / (Math.max(...all) - low || 1);
  });
}

// The first place for each label in turn where it covers neither a mark nor an earlier label, and stays inside.
function textPositions(labels, places) {
  const boxes = places.map(([x, y]) => ({ x, y, width: 22, height: 22 }));
  const overlap = (a, b) => Math.abs(a.x - b.x) < (a.width + b.width) / 2 && Math.abs(a.y - b.y) < (a.height + b.height) / 2;
  const sides = { "top right": [1, 1], "top left": [-1, 1], "bottom right": [1, -1], "bottom left": [-1, -1], "top center": [0, 1], "bottom center": [0, -1], "middle right": [1, 0], "middle left": [-1, 0] };
  return labels.map((label, place) => {
    const width = 9 * label.length + 6;
    const [x, y] = places[place];
    const boxAt = ([across, up]) => ({ x: x + across * (width / 2 + (up ? 6 : 14)), y: y + up * 20, width, height: 16 });
    const cost = box => boxes.filter(other => overlap(box, other)).length + (box.x - width / 2 < -20 || box.x + width / 2 > 580 ? 2 : 0);
    const [best, box] = Object.entries(sides).map(([name, side]) => [name, boxAt(side)]).reduce((a, b) => (cost(b[1]) < cost(a[1]) ? b : a));
    boxes.push(box);
    return best;
  });
}

function limitLines(view, within, color) {
  const line = { dash: "dash", width: 1.5, color };
  return within.flatMap(({ metric, bound }) => [
    ...(metric === view.x ? [{ type: "line", x0: bound, x1: bound, y0: 0, y1: 1, yref: "paper", line }] : []),
    ...(metric === view.y ? [{ type: "line", y0: bound, y1: bound, x0: 0, x1: 1, xref: "paper", line }] : []),
  ]);
}

// What plotly draws: traces and layout.
function frontFigure(study, view, state) {
  const groups = { infeasible: [], outside: [], dominated: [] };
  const members = new Set(state.ranking);
  for (const one of study.candidates) {
    if (members.has(one)) continue;
    if (!isFeasible(one, study.objectives, study.constraints, "estimate")) groups.infeasible.push(one);
    else if (!isFeasible(one, study.objectives, [...study.constraints, ...state.within], state.on)) groups.outside.push(one);
    else groups.dominated.push(one);
  }
  const { marks } = study;
  const shown = candidates => candidates.filter(one => Number.isFinite(one.measured[view.x].value + one.measured[view.y].value));
  const traces = [
    trace(study, view, "infeasible", shown(groups.infeasible), { symbol: "x", size: 7, color: marks.infeasible }),
    trace(study, view, "outside the limits", shown(groups.outside), { symbol: "circle-open", size: 7, color: marks.dominated, opacity: 0.7 }),
    trace(study, view, "dominated", shown(groups.dominated), { size: 7, color: marks.dominated, opacity: 0.6 }),
    stepTrace(study, view, shown(state.ranking)),
    memberTrace(study, view, shown(state.ranking)),
    ...markTraces(study, view, state.marks),
  ];
  const layout = {
    xaxis: structuredClone(study.metrics[view.x].axis),
    yaxis: structuredClone(study.metrics[view.y].axis),
    hovermode: "closest",
    shapes: limitLines(view, state.within, marks.infeasible),
    // Zooming outlasts a move of a slider, but not another pair of axes.
    uirevision: `${view.x} ${view.y}`,
  };
  return { data: traces.filter(made => made && made.x.length), layout };
}
