// The filter by category: a tree of links.

import { connectHierarchicalMenu } from 'instantsearch.js/es/connectors';
import { element, followInPlace, keyedList, setAttribute, setText, uniqueId } from '../dom.js';
import { SEPARATOR } from '../page.js';
import { number, text } from '../texts.js';

/** The facets of all levels: a category has at most ten. */
const LEVELS = Array.from({ length: 10 }, (_, level) => `categories.lvl${level}`);

/** Returns `{ section, widget }` of the categories. */
export function categoryFilter() {
  const id = uniqueId('filter');
  let state;
  const list = element('ul', { class: 'filter-values category-tree' });
  const more = element('button', { type: 'button', class: 'link-button', onclick: () => state.toggleShowMore() });
  const section = element(
    'nav',
    { class: 'filter', 'aria-labelledby': id, hidden: true },
    element('h3', { id, text: text('categories') }),
    list,
    more,
  );
  const show = categoryList(list, () => state);
  const widget = connectHierarchicalMenu((next) => {
    state = next;
    section.hidden = state.items.length === 0;
    more.hidden = !state.canToggleShowMore;
    setText(more, text(state.isShowingMore ? 'showLess' : 'showMore'));
    setAttribute(more, 'aria-expanded', String(state.isShowingMore));
    show(state.items);
  })({
    attributes: LEVELS,
    separator: SEPARATOR,
    limit: 15,
    showMore: true,
    showMoreLimit: 100,
    sortBy: ['name:asc'],
  });
  return { section, widget };
}

/** Returns a function that shows categories and, below the chosen one, those within it. */
function categoryList(list, current) {
  return keyedList(list, {
    key: (item) => item.value,
    create(item) {
      const link = element(
        'a',
        { class: 'filter-value', onclick: (event) => followInPlace(event, () => current().refine(item.value)) },
        element('span', { class: 'filter-label', text: item.label }),
        element('span', { class: 'filter-count' }),
      );
      const within = element('ul', { class: 'filter-values' });
      const row = element('li', {}, link, within);
      row.showWithin = categoryList(within, current);
      return row;
    },
    update(row, item) {
      const [link, within] = row.children;
      const children = item.data ?? [];
      link.href = current().createURL(item.value);
      setAttribute(link, 'aria-current', item.isRefined && !children.some((child) => child.isRefined) && 'true');
      link.classList.toggle('is-chosen', item.isRefined);
      setText(link.querySelector('.filter-count'), number(item.count));
      within.hidden = children.length === 0;
      row.showWithin(children);
    },
  });
}
