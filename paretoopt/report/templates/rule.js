// Which candidate is picked: the rule of ParetoFront.pick. A test in headless Chromium compares the two.

// What a limit applies to: the estimate, or the end of the interval that is worse for the limit.
function limitedValue(candidate, limit, on) {
  const { value, low, high } = candidate.measured[limit.metric];
  if (on === "estimate") return value;
  return limit.sense === "at_most" ? Math.max(value, high ?? value) : Math.min(value, low ?? value);
}

// How far a candidate is beyond a limit; 0 or less is within it, and NaN where it is not measured.
function violation(candidate, limit, on) {
  const value = limitedValue(candidate, limit, on);
  return limit.sense === "at_most" ? value - limit.bound : limit.bound - value;
}

function costOf(candidate, objective) {
  const value = candidate.measured[objective.metric].value;
  return objective.direction === "minimize" ? value : -value;
}

function isFeasible(candidate, objectives, limits, on) {
  return objectives.every(objective => !Number.isNaN(costOf(candidate, objective)))
    && limits.every(limit => violation(candidate, limit, on) <= 0);
}

// Those that none dominates, in their order; equal ones are all kept.
function nondominated(candidates, objectives) {
  const points = candidates.map(candidate => ({ candidate, costs: objectives.map(objective => costOf(candidate, objective)) }));
  const dominates = (a, b) => a.every((cost, k) => cost <= b[k]) && a.some((cost, k) => cost < b[k]);
  const kept = [];
  // Sorted, a point can only be dominated by one before it.
  for (const point of [...points].sort((a, b) => compareCosts(a.costs, b.costs))) {
    if (!kept.some(other => dominates(other.costs, point.costs))) kept.push(point);
  }
  const found = new Set(kept.map(point => point.candidate));
  return candidates.filter(candidate => found.has(candidate));
}

function compareCosts(a, b) {
  const k = a.findIndex((cost, place) => cost !== b[place]);
  return k < 0 ? 0 : a[k] - b[k];
}

// How far each point of a front bulges from the plane between its extremes (Das 1999), as front/knee.py has it.
function kneeDistances(costs) {
  if (!costs.length) return [];
  const best = costs[0].map((_, k) => Math.min(...costs.map(row => row[k])));
  const span = costs[0].map((_, k) => Math.max(...costs.map(row => row[k])) - best[k] || 1);
  return costs.map(row => (1 - row.reduce((sum, cost, k) => sum + (cost - best[k]) / span[k], 0)) / Math.sqrt(row.length));
}

// The front within the limits, the pick first. `prefer` is an objective; null gives the knee.
function rankWithin(study, within, prefer, on) {
  const metrics = [...within.map(limit => limit.metric), ...(prefer ? [prefer.metric] : [])];
  const isOfObjectives = metrics.every(metric => study.objectives.some(objective => objective.metric === metric));
  const pool = isOfObjectives ? study.candidates.filter(candidate => !candidate.isSetAside) : study.candidates;
  const criteria = prefer ? [prefer, ...study.objectives.filter(one => one.metric !== prefer.metric)] : study.objectives;
  const limits = [...study.constraints, ...within];
  const front = nondominated(pool.filter(candidate => isFeasible(candidate, criteria, limits, on)), criteria);
  const costs = front.map(candidate => criteria.map(objective => costOf(candidate, objective)));
  const distances = prefer ? [] : kneeDistances(costs);
  const order = front.map((_, place) => place);
  order.sort((a, b) => (prefer ? 0 : distances[b] - distances[a]) || compareCosts(costs[a], costs[b]) || a - b);
  return order.map(place => front[place]);
}
