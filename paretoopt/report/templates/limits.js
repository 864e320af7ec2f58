// One slider and one number per limit. A slider's loose end is no limit at all.

const STEPS = 100;

// The values that a slider runs over: evenly, or by equal factors where they span a decade.
function sliderScale(study, metric) {
  const ends = study.candidates.flatMap(({ measured }) => Object.values(measured[metric])).filter(Number.isFinite);
  const low = Math.min(...ends);
  const high = Math.max(...ends);
  const isLog = low > 0 && high >= 10 * low;
  const at = share => (isLog ? low * (high / low) ** share : low + (high - low) * share);
  const shareOf = value => (isLog ? Math.log(value / low) / Math.log(high / low) : (value - low) / (high - low || 1));
  // Enough digits to tell two steps apart.
  const size = Math.max(Math.abs(low), Math.abs(high));
  const digits = isLog ? 3 : Math.min(12, Math.max(3, Math.ceil(Math.log10((size * STEPS) / (high - low || size || 1)))));
  return { at, shareOf, digits };
}

// A round number near the value, on the side that lets more candidates through.
function rounded(value, digits, sense) {
  if (value === 0) return 0;
  const unit = 10 ** (Math.floor(Math.log10(Math.abs(value))) + 1 - digits);
  const whole = value / unit;
  return Number(((sense === "at_most" ? Math.ceil(whole) : Math.floor(whole)) * unit).toPrecision(digits));
}

// The controls of one limit; `changed(limit)` is told the limit, or null where it was taken away.
function limitControl(study, metric, changed, canTurn) {
  const { title } = study.metrics[metric];
  const scale = sliderScale(study, metric);
  let sense = study.metrics[metric].sense;
  const slider = element("input", { type: "range", min: 0, max: STEPS, step: 1, "data-limit": metric });
  const number = element("input", { type: "number", step: "any", placeholder: "any", "data-bound": metric });
  const sign = canTurn
    ? element("select", { "aria-label": `sense of the limit on ${title}` }, ...Object.entries(SENSES).map(([value, text]) => element("option", { value }, text)))
    : element("span", { "aria-hidden": "true" }, SENSES[sense]);
  if (canTurn) sign.value = sense;

  const loose = () => (sense === "at_most" ? STEPS : 0);
  const name = () => `${title}, ${sense === "at_most" ? "at most" : "at least"}`;
  function tell() {
    const bound = number.value === "" ? null : Number(number.value);
    slider.setAttribute("aria-valuetext", bound === null ? "no limit" : String(bound));
    changed(bound === null ? null : { metric, sense, bound });
  }
  function reset() {
    slider.value = loose();
    number.value = "";
    slider.setAttribute("aria-label", name());
    number.setAttribute("aria-label", `${name()}, as a number`);
    tell();
  }
  slider.addEventListener("input", () => {
    const place = Number(slider.value);
    number.value = place === loose() ? "" : rounded(scale.at(place / STEPS), scale.digits, sense);
    tell();
  });
  number.addEventListener("input", () => {
    const share = number.value === "" ? NaN : scale.shareOf(Number(number.value));
    slider.value = Number.isNaN(share) ? loose() : Math.round(STEPS * Math.min(1, Math.max(0, share)));
    tell();
  });
  if (canTurn) sign.addEventListener("change", () => { sense = sign.value; reset(); });
  reset();
  return { row: element("div", { class: "limit" }, element("span", {}, title), sign, number, slider), reset };
}
