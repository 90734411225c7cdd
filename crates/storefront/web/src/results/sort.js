// The order of the results.

import { connectSortBy } from 'instantsearch.js/es/connectors';
import { INDEX } from '../client.js';
import { element, setText } from '../dom.js';
import { text } from '../texts.js';

/** The position of the order by age in the menu. */
const NEWEST = 3;

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
    // Without words the newest products come first, see `search.js`.
    const query = state.instantSearchInstance.helper?.state.query;
    setText(select.options[0], query ? text('sortRelevance') : text('sortNewest'));
    select.options[NEWEST].hidden = !query;
  })({ items });
  return { section, widget };
}
