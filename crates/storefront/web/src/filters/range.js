// A filter by a range of numbers.

import { connectRange } from 'instantsearch.js/es/connectors';
import { element, uniqueId } from '../dom.js';
import { rangeSlider } from './slider.js';
import { stopsBetween } from './steps.js';

/** While a key is held down, a search starts at most this often. */
const PAUSE_MS = 60;

/** Returns `{ section, widget }` for the numbers of an attribute. `format(value)` writes one. */
export function rangeFilter({ attribute, title, precision = 0, format }) {
  const id = uniqueId('filter');
  let state;
  let timer;
  const refine = () => {
    timer = undefined;
    const [low, high] = slider.chosen();
    const { min, max } = state.range;
    state.refine([low > min ? low : undefined, high < max ? high : undefined]);
  };
  // The search waits until a thumb is released: other filters change with it and would move the slider.
  const onRelease = () => {
    timer ??= setTimeout(refine, PAUSE_MS);
  };
  const slider = rangeSlider({ titleId: id, format, onRelease });
  const section = element(
    'div',
    { class: 'filter', role: 'group', 'aria-labelledby': id, hidden: true },
    element('h3', { id, text: title }),
    ...slider.elements,
  );
  const widget = connectRange((next) => {
    state = next;
    const { start, range, canRefine } = state;
    const bounds = start.filter(Number.isFinite);
    section.hidden = (!canRefine || range.max - range.min <= 10 ** -precision) && bounds.length === 0;
    if (!section.hidden && timer === undefined && !slider.isDragged()) {
      const stops = stopsBetween(range.min, range.max, precision, bounds);
      const [low, high] = start;
      slider.show(stops, Number.isFinite(low) ? low : stops[0], Number.isFinite(high) ? high : stops.at(-1));
    }
  })({ attribute, precision });
  return { section, widget };
}
