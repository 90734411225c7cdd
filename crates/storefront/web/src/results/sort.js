// The order of the results.

import { connectSortBy } from 'instantsearch.js/es/connectors';
import { INDEX } from '../client.js';
import { element } from '../dom.js';
import { text } from '../texts.js';

/** Returns `{ section, widget }` of the menu of sort orders. */
export function sortMenu() {
  const items = [
    { value: INDEX, label: text('sortRelevance') },
    { value: `${INDEX}_price_asc`, label: text('sortPriceAsc') },
    { value: `${INDEX}_price_desc`, label: text('sortPriceDesc') },
    { value: `${INDEX}_newest`, label: text('sortNewest') },
    { value: `${INDEX}_name`, label: text('sortName') },
  ];
  let state;
  const select = element(
    'select',
    { onchange: () => state.refine(select.value) },
    ...items.map(({ value, label }) => element('option', { value, text: label })),
  );
  const section = element('label', { class: 'sort' }, element('span', { text: text('sort') }), select);
  const widget = connectSortBy((next) => {
    state = next;
    select.value = state.currentRefinement;
  })({ items });
  return { section, widget };
}
