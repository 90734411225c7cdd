// The panel of all filters. On narrow screens a button opens and closes it.

import { element, setAttribute, setText } from '../dom.js';
import { counted, price, text } from '../texts.js';
import { attributeFilters } from './attributes.js';
import { categoryFilter } from './categories.js';
import { listFilter } from './list.js';
import { rangeFilter } from './range.js';
import { stockFilter } from './stock.js';

/** Returns `{ column, widgets, prepare }`: the element, what it adds to the search, and see `attributeFilters`. */
export function filterPanel(addWidget) {
  const attributes = attributeFilters(addWidget);
  const filters = [
    categoryFilter(),
    rangeFilter({ attribute: 'price', title: text('price'), format: (value) => price(value, undefined, true) }),
    stockFilter(),
    listFilter({ attribute: 'brand', title: text('brand'), limit: 8, searchLabel: text('searchBrands') }),
    attributes,
  ];
  const toggle = element('button', {
    type: 'button',
    class: 'button filters-toggle',
    'aria-expanded': 'false',
    'aria-controls': 'filters',
    onclick: () => open(toggle.getAttribute('aria-expanded') !== 'true'),
  });
  const done = element('button', {
    type: 'button',
    class: 'button button-strong filters-done',
    onclick: () => open(false),
  });
  const panel = element(
    'section',
    { id: 'filters', class: 'filters', 'aria-labelledby': 'filters-title' },
    element('h2', { id: 'filters-title', class: 'visually-hidden', text: text('filters') }),
    ...filters.map((filter) => filter.section),
    done,
  );
  const column = element('div', { class: 'filters-column' }, toggle, panel);
  function open(isOpen) {
    setAttribute(toggle, 'aria-expanded', String(isOpen));
    panel.classList.toggle('is-open', isOpen);
    if (!isOpen && panel.contains(document.activeElement)) {
      toggle.focus();
      column.scrollIntoView();
    }
  }
  const summary = {
    $$type: 'noren.filterSummary',
    init: () => setText(toggle, text('filters')),
    render({ results, state }) {
      const count = refinedFilters(state);
      setText(toggle, count > 0 ? counted('filtersChosen', count) : text('filters'));
      setText(done, counted('showResults', results?.nbHits ?? 0));
    },
  };
  return { column, widgets: [...filters.map((filter) => filter.widget), summary], prepare: attributes.prepare };
}

/** Returns how many filters narrow a search. */
function refinedFilters(state) {
  const values = [state.disjunctiveFacetsRefinements, state.hierarchicalFacetsRefinements]
    .flatMap(Object.values)
    .flat();
  const ranges = Object.values(state.numericRefinements).filter((bounds) => Object.values(bounds).flat().length > 0);
  return values.length + ranges.length;
}
