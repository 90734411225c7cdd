// The list of the products found.

import { connectHits } from 'instantsearch.js/es/connectors';
import { createCard, updateCard } from '../card.js';
import { element, keyedList } from '../dom.js';

/** Returns `{ section, widget }`. */
export function hitList() {
  const section = element('ul', { class: 'cards' });
  const show = keyedList(section, { key: (hit) => hit.objectID, create: createCard, update: updateCard });
  const widget = connectHits(({ items, results }, isFirst) => {
    if (!isFirst && results) {
      show(items);
    }
  })({ escapeHTML: false });
  return { section, widget };
}
