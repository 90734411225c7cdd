// The values at which a slider stops.

/** At most this many stops at equal distances. */
const MOST_STOPS = 100;

/** From this ratio of the bounds, the distance of stops grows with the value. */
const WIDE = 20;

/** Returns the ascending stops from `min` to `max`, and those in `further`. */
export function stopsBetween(min, max, precision, further) {
  const stops = max / Math.max(min, 1) >= WIDE ? growing(min, max) : equal(min, max, precision);
  return [...new Set([min, ...stops, max, ...further])].sort((a, b) => a - b);
}

/** Round values whose distance is about a tenth of the value: 10, 11, … 20, 22, … 50, 55, … 100, 110. */
function growing(min, max) {
  const stops = [];
  let value = Math.max(Math.ceil(min), 1);
  while (value < max) {
    stops.push(value);
    const digit = 10 ** Math.floor(Math.log10(value));
    const step = value < 2 * digit ? digit / 10 : value < 5 * digit ? digit / 5 : digit / 2;
    value = (Math.floor(value / Math.max(step, 1)) + 1) * Math.max(step, 1);
  }
  return stops;
}

/** Multiples of 1, 2 or 5 times a power of ten. */
function equal(min, max, precision) {
  const smallest = 10 ** -precision;
  const wanted = Math.max((max - min) / MOST_STOPS, smallest);
  const power = 10 ** Math.floor(Math.log10(wanted) + 1e-9);
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= wanted * 0.999);
  const stops = [];
  for (let i = Math.ceil(min / step); i * step < max; i += 1) {
    stops.push(Number((i * step).toFixed(precision)));
  }
  return stops;
}
