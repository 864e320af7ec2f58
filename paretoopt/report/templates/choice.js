// The pick in words, and two candidates side by side.

function pickLine(study, { within, prefer, on }) {
  const limits = within.map(limit => `po.${limit.sense}(${JSON.stringify(limit.metric)}, ${limit.bound})`).join(", ");
  const parts = [...(limits ? [`within=[${limits}]`] : []), ...(prefer ? [`prefer=${JSON.stringify(prefer.metric)}`] : [])];
  // Said only where it differs from what pick does by itself.
  if (on !== study.limitsOn) parts.push(`on=${JSON.stringify(on)}`);
  return `front.pick(${parts.join(", ")})`;
}

function exportLines(candidate) {
  const { number } = candidate;
  return {
    Python: `po.export(pipeline, next(one for one in study.candidates() if one.number == ${number}), "deploy/trial-${number}")`,
    "command line": `paretoopt export STUDY.py --trial ${number} --output deploy/trial-${number}`,
  };
}

function headline(study, { ranking, within, prefer }) {
  const place = within.length + study.constraints.length ? " within the limits" : "";
  if (!ranking.length) return "No candidate is within the limits.";
  const reason = prefer ? `has the ${prefer.direction === "minimize" ? "lowest" : "highest"} ${shortTitle(study.metrics[prefer.metric].title)}` : "is the knee";
  const among = ranking.length === 1 ? `as the only non-dominated candidate${place}` : `of ${ranking.length} non-dominated candidates${place}`;
  return `Trial ${ranking[0].number} ${reason} ${among}.`;
}

// For each limit, the candidate that comes nearest to it.
function nearestMisses(study, limits, on) {
  return limits.map(limit => {
    const title = `${study.metrics[limit.metric].title} ${SENSES[limit.sense]} ${numberText(limit.bound)}`;
    const known = study.candidates.filter(one => !Number.isNaN(violation(one, limit, on)));
    const nearest = known.reduce((a, b) => (violation(b, limit, on) < violation(a, limit, on) ? b : a), known[0]);
    if (!nearest) return `${title}: not measured in any candidate.`;
    const miss = violation(nearest, limit, on);
    if (miss > 0) return `${title}: nearest is trial ${nearest.number}, which misses it by ${numberText(miss)}.`;
    const n = known.filter(one => violation(one, limit, on) <= 0).length;
    return `${title}: ${n} of ${study.candidates.length} satisfy it, but break another limit or lack a value.`;
  });
}

function reasons(study, state) {
  const { ranking, within, on, prefer } = state;
  const limits = [...study.constraints, ...within];
  if (!ranking.length) return nearestMisses(study, limits, on);
  const [chosen, other] = ranking;
  const lines = limits.map(limit => `${study.metrics[limit.metric].title} ${SENSES[limit.sense]} ${numberText(limit.bound)}: ${numberText(limitedValue(chosen, limit, on))}${on === "bound" ? " at the end of its interval" : ""}, a margin of ${numberText(-violation(chosen, limit, on))}.`);
  if (!other) return lines;
  const differences = study.objectives.map(({ metric }) => `${shortTitle(study.metrics[metric].title)} ${numberText(other.measured[metric].value)} against ${numberText(chosen.measured[metric].value)}`);
  lines.push(`The runner-up is trial ${other.number}: ${differences.join(", ")}.`);
  if (prefer && mayBeChance(chosen.measured[prefer.metric], other.measured[prefer.metric])) {
    lines.push(`Their 95 % intervals of ${shortTitle(study.metrics[prefer.metric].title)} overlap, so this difference may be chance.`);
  }
  return lines;
}

function mayBeChance(one, two) {
  const known = [one, two].every(measured => measured.low !== null && measured.high !== null);
  return known && one.low <= two.high && two.low <= one.high;
}

function factRow(study, candidate, metric, reference) {
  const measured = candidate.measured[metric];
  const objective = study.objectives.find(one => one.metric === metric);
  const change = reference ? changeText(measured.value, reference.measured[metric].value) : "";
  return element("tr", {},
    element("td", {}, study.metrics[metric].title, change && element("span", { class: `change ${verdict(objective, candidate, reference)}` }, change)),
    element("td", {}, element("strong", {}, numberText(measured.value)), ...noteOf(intervalText(measured))));
}

function drawPick(study, state, place, pin) {
  const [chosen] = state.ranking;
  const why = reasons(study, state).map(line => element("p", {}, line));
  if (!chosen) return place.replaceChildren(element("div", { class: "why" }, ...why));
  const reference = study.baseline === chosen ? null : study.baseline;
  const facts = study.objectives.map(objective => factRow(study, chosen, objective.metric, reference));
  return place.replaceChildren(
    element("p", { class: "params" }, paramsText(study, chosen).join(" · ")),
    element("table", { class: "facts" }, element("tbody", {}, ...facts)),
    element("div", { class: "why" }, ...why),
    element("div", { class: "choices" }, element("button", { type: "button", onclick: () => pin(chosen) }, "Pin this one")),
    copyLine("pick", pickLine(study, state)));
}

function comparisonRow(study, metric, one, two) {
  const [first, second] = [one, two].map(candidate => candidate.measured[metric]);
  if (Number.isNaN(first.value) && Number.isNaN(second.value)) return null;
  const objective = study.objectives.find(wanted => wanted.metric === metric);
  const chance = mayBeChance(first, second) && first.value !== second.value ? "may be chance" : "";
  const cell = measured => element("td", {}, numberText(measured.value), ...noteOf(intervalText(measured)));
  const change = element("span", { class: verdict(objective, two, one) }, changeText(second.value, first.value) || "–");
  return element("tr", {}, element("th", { scope: "row" }, study.metrics[metric].title), cell(first), cell(second), element("td", {}, change, ...noteOf(chance)));
}

// A against B; where only one is pinned, the pick stands beside it.
function drawComparison(study, pinned, chosen, place, unpin) {
  const pair = pinned.length === 1 && chosen && chosen !== pinned[0] ? [chosen, pinned[0]] : pinned;
  const names = pair.map(candidate => (pinned.includes(candidate) ? `${"AB"[pinned.indexOf(candidate)]}, trial ${candidate.number}` : `the pick, trial ${candidate.number}`));
  if (!pinned.length) {
    return place.replaceChildren(element("p", { class: "muted" }, "Nothing is pinned. Click a point or a row, or press Enter on a row; pin a second one to compare the two."));
  }
  const heads = ["", ...names, ...(pair.length === 2 ? ["change"] : [])].map(text => element("th", { scope: "col" }, text));
  const params = Object.keys(study.paramTitles).map(name => element("tr", {}, element("th", { scope: "row" }, study.paramTitles[name]), ...pair.map(one => element("td", {}, valueText(one.params[name]))), ...(pair.length === 2 ? [element("td", {}, pair[0].params[name] === pair[1].params[name] ? "" : "differs")] : [])));
  const metrics = Object.keys(study.metrics).map(metric => pair.length === 2
    ? comparisonRow(study, metric, ...pair)
    : element("tr", {}, element("th", { scope: "row" }, study.metrics[metric].title), element("td", {}, numberText(pair[0].measured[metric].value), ...noteOf(intervalText(pair[0].measured[metric])))));
  const exports = pinned.map((candidate, place) => element("div", {},
    element("h3", {}, `${"AB"[place]}, trial ${candidate.number} `, element("button", { type: "button", "aria-label": `Unpin trial ${candidate.number}`, onclick: () => unpin(candidate) }, "Unpin")),
    ...Object.entries(exportLines(candidate)).map(([label, line]) => copyLine(label, line))));
  return place.replaceChildren(
    element("div", { class: "table", tabindex: 0, role: "region", "aria-label": "Comparison" }, element("table", {}, element("thead", {}, element("tr", {}, ...heads)), element("tbody", {}, ...params, ...metrics.filter(Boolean)))),
    element("div", { class: "exports" }, ...exports));
}
