// A filter by the values of a field: checkboxes, the most frequent values first.

import { connectRefinementList } from 'instantsearch.js/es/connectors';
import { element, keyedList, setAttribute, setText, uniqueId } from '../dom.js';
import { counted, number, text } from '../texts.js';
import { swatchOf } from './swatches.js';

const MOST_FREQUENT = ['isRefined:desc', 'count:desc', 'name:asc'];

/** Returns the label of a value: `true` and `false` are yes and no. */
export const labelOf = (value) =>
  value === 'true' || value === 'false' ? text(value === 'true' ? 'yes' : 'no') : value;

/** Returns `{ section, widget }` for the values of an attribute. `searchLabel` adds a field that searches the values. */
export function listFilter({ attribute, title, limit = 6, searchLabel }) {
  const id = uniqueId('filter');
  let state;
  const list = element('ul', { class: 'filter-values' });
  const search = searchLabel && searchField(searchLabel, (query) => state.searchForItems(query));
  const nothing = element('p', { class: 'filter-nothing', hidden: true, text: text('noValues') });
  const more = element('button', { type: 'button', class: 'link-button', onclick: () => state.toggleShowMore() });
  const section = element(
    'div',
    { class: 'filter', role: 'group', 'aria-labelledby': id, hidden: true },
    element('h3', { id, text: title }),
    ...(search ? [search] : []),
    list,
    nothing,
    more,
  );
  const show = valueList(list, attribute, (value) => {
    if (search) {
      search.value = '';
    }
    state.refine(value);
  });
  const widget = connectRefinementList((next) => {
    state = next;
    const searching = Boolean(search?.value) || state.isFromSearch;
    section.hidden = state.items.length === 0 && !searching;
    if (search) {
      search.hidden = !searching && !state.canToggleShowMore;
    }
    nothing.hidden = state.items.length > 0;
    more.hidden = searching || !state.canToggleShowMore;
    setText(more, text(state.isShowingMore ? 'showLess' : 'showMore'));
    setAttribute(more, 'aria-expanded', String(state.isShowingMore));
    show(state.items);
  })({
    attribute,
    operator: 'or',
    limit,
    showMore: true,
    showMoreLimit: 60,
    sortBy: MOST_FREQUENT,
    escapeFacetValues: false,
  });
  return { section, widget };
}

function searchField(label, onSearch) {
  return element('input', {
    type: 'search',
    class: 'filter-search',
    autocomplete: 'off',
    'aria-label': label,
    placeholder: label,
    hidden: true,
    oninput: (event) => onSearch(event.target.value),
  });
}

/** Returns a function that shows values with their counts as checkboxes. */
function valueList(list, attribute, onChange) {
  return keyedList(list, {
    key: (item) => item.value,
    create: (item) =>
      element(
        'li',
        {},
        element(
          'label',
          { class: 'filter-value' },
          element('input', { type: 'checkbox', onchange: () => onChange(item.value) }),
          ...swatchOf(attribute, item.value),
          element('span', { class: 'filter-label', dir: 'auto', text: labelOf(item.label) }),
          element('span', { class: 'filter-count' }),
        ),
      ),
    update(row, item) {
      row.querySelector('input').checked = item.isRefined;
      const count = row.querySelector('.filter-count');
      setText(count, number(item.count));
      setAttribute(count, 'title', counted('results', item.count));
    },
  });
}
