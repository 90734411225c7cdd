// A slider with two thumbs, each an `<input type="range">` of its own.

import { element, setAttribute, setText, uniqueId } from '../dom.js';
import { text } from '../texts.js';

/**
 * Returns `{ elements, isDragged, show, chosen }` of a slider below the title with the id `titleId`. `show(stops, low, high)` sets where the
 * thumbs can stop and where they are, and `chosen()` returns the values at the thumbs. `onRelease()` runs after a thumb was moved.
 */
export function rangeSlider({ titleId, format, onRelease }) {
  const low = thumb(titleId, text('from'));
  const high = thumb(titleId, text('to'));
  const track = element('div', { class: 'slider' }, element('div', { class: 'slider-fill' }), low.input, high.input);
  let stops = [];
  let dragged = false;
  const valueAt = ({ input }) => stops[input.valueAsNumber];
  const showValues = (lowest, highest) => {
    const last = Math.max(stops.length - 1, 1);
    showValue(low, format(lowest));
    showValue(high, format(highest));
    track.style.setProperty('--low', String(low.input.valueAsNumber / last));
    track.style.setProperty('--high', String(high.input.valueAsNumber / last));
    // At the upper end both thumbs may lie on each other: then the lower one must be on top.
    track.classList.toggle('is-at-end', low.input.valueAsNumber > last / 2);
  };
  track.addEventListener('input', ({ target }) => {
    // Between the thumbs is at least one step: no product may have exactly the value of a stop.
    if (low.input.valueAsNumber >= high.input.valueAsNumber) {
      const beside = target === low.input ? high.input.valueAsNumber - 1 : low.input.valueAsNumber + 1;
      target.value = String(beside);
    }
    showValues(valueAt(low), valueAt(high));
  });
  track.addEventListener('change', onRelease);
  track.addEventListener('pointerdown', () => (dragged = true));
  track.addEventListener('pointerup', () => (dragged = false));
  track.addEventListener('pointercancel', () => (dragged = false));
  return {
    elements: [element('p', { class: 'slider-values' }, low.label, low.output, high.label, high.output), track],
    isDragged: () => dragged,
    chosen: () => [valueAt(low), valueAt(high)],
    show(nextStops, lowest, highest) {
      stops = nextStops;
      for (const [{ input }, value] of [
        [low, lowest],
        [high, highest],
      ]) {
        input.max = String(stops.length - 1);
        input.value = String(stops.indexOf(value));
      }
      showValues(lowest, highest);
    },
  };
}

/** Returns the input of one end, its label and the element that shows its value. */
function thumb(titleId, name) {
  const id = uniqueId('thumb');
  return {
    label: element('label', { id: `${id}-label`, for: id, text: name }),
    output: element('output', { for: id }),
    input: element('input', { type: 'range', id, min: '0', step: '1', 'aria-labelledby': `${titleId} ${id}-label` }),
  };
}

function showValue({ input, output }, shown) {
  setText(output, shown);
  setAttribute(input, 'aria-valuetext', shown);
}
