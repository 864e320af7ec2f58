// Numbers and names as a person reads them, and pieces of the page made from text alone.

const SENSES = { at_most: "≤", at_least: "≥" };

function numberText(value) {
  if (!Number.isFinite(value)) return "–";
  return Math.abs(value) >= 1000 ? value.toLocaleString("en-US", { maximumFractionDigits: 0 }) : String(Number(value.toPrecision(4)));
}

function valueText(value) {
  if (value === null || value === undefined) return "–";
  return typeof value === "number" ? numberText(value) : String(value);
}

function intervalText(measured) {
  return measured.low === null || measured.high === null ? "" : `${numberText(measured.low)} – ${numberText(measured.high)}`;
}

function shortTitle(title) {
  return title.split(" (")[0];
}

function paramsText(study, candidate) {
  return Object.entries(candidate.params).map(([name, value]) => `${study.paramTitles[name]} ${valueText(value)}`);
}

// The difference to a reference, as report/cards.py has it; empty where it has no meaning.
function changeText(value, reference) {
  if (!(reference > 0 && value >= 0) || value === reference) return "";
  if (value >= 3 * reference) return `${Number((value / reference).toPrecision(2))} ×`;
  const percent = (100 * (value - reference)) / reference;
  const digits = Math.abs(percent) >= 10 ? 0 : Math.abs(percent) >= 0.1 ? 1 : 2;
  return `${percent > 0 ? "+" : "−"}${Math.abs(percent).toFixed(digits)} %`;
}

function verdict(objective, candidate, reference) {
  const gain = objective ? costOf(reference, objective) - costOf(candidate, objective) : 0;
  return gain > 0 ? "better" : gain < 0 ? "worse" : "same";
}

// An element with attributes and children; texts become text nodes, so that nothing in them is taken for HTML.
function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (value !== false && value !== null) made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children.filter(child => child !== null && child !== ""));
  return made;
}

// plotly takes some HTML in its texts.
function safe(text) {
  return String(text).replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

// A line to copy, shown so that it can also be copied by hand.
function copyLine(label, line) {
  const told = element("span", { role: "status", class: "muted" });
  const copy = async () => {
    await copyText(line);
    told.textContent = "copied";
    setTimeout(() => { told.textContent = ""; }, 2000);
  };
  return element("div", { class: "copy" },
    element("button", { type: "button", "aria-label": `Copy the ${label}`, onclick: copy }, `Copy ${label}`), told, element("code", {}, line));
}

async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // Some browsers give a page that was opened from disk no clipboard.
    const area = document.body.appendChild(element("textarea"));
    area.value = text;
    area.select();
    document.execCommand("copy");
    area.remove();
  }
}
