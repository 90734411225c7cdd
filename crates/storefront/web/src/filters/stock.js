// The filter by availability: one checkbox.

import { connectToggleRefinement } from 'instantsearch.js/es/connectors';
import { element, uniqueId } from '../dom.js';
import { text } from '../texts.js';

/** Returns `{ section, widget }` of the filter for products in stock. */
export function stockFilter() {
  const id = uniqueId('filter');
  let state;
  const box = element('input', {
    type: 'checkbox',
    onchange: () => state.refine({ isRefined: state.value.isRefined }),
  });
  const section = element(
    'div',
    { class: 'filter', role: 'group', 'aria-labelledby': id },
    element('h3', { id, text: text('availability') }),
    element(
      'label',
      { class: 'filter-value' },
      box,
      element('span', { class: 'filter-label', text: text('onlyInStock') }),
    ),
  );
  const widget = connectToggleRefinement((next) => {
    state = next;
    box.checked = state.value.isRefined;
  })({ attribute: 'inStock', on: true });
  return { section, widget };
}
