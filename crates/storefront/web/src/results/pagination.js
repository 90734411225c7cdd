// The links to the pages of results.

import { connectPagination } from 'instantsearch.js/es/connectors';
import { element, followInPlace, keyedList, setAttribute } from '../dom.js';
import { MAX_PAGES } from '../routes.js';
import { number, text } from '../texts.js';

/** Returns `{ section, widget }`. `onTurn()` runs after a page was chosen. */
export function pagination(onTurn) {
  const list = element('ul', { class: 'pages' });
  const section = element('nav', { class: 'pagination', 'aria-label': text('pages'), hidden: true }, list);
  let state;
  const show = keyedList(list, {
    key: ({ key }) => key,
    create: (item) => {
      const link = element('a', { class: `page page-${item.kind}`, text: item.label });
      setAttribute(link, 'aria-label', item.name);
      if (item.kind !== 'number') {
        setAttribute(link, 'rel', item.kind);
      }
      link.addEventListener('click', (event) =>
        followInPlace(event, () => {
          state.refine(link.page);
          onTurn();
        }),
      );
      return element('li', {}, link);
    },
    update({ firstChild: link }, { page }) {
      link.page = page;
      setAttribute(link, 'href', state.createURL(page));
      setAttribute(link, 'aria-current', page === state.currentRefinement && 'page');
    },
  });
  const widget = connectPagination((next) => {
    state = next;
    section.hidden = state.nbPages < 2;
    show(section.hidden ? [] : linksOf(state));
  })({ totalPages: MAX_PAGES, padding: 2 });
  return { section, widget };
}

/** Returns the links: to the page before, to the pages around this one, to the next page. */
function linksOf({ pages, currentRefinement, isFirstPage, isLastPage }) {
  const links = pages.map((page) => ({
    key: page,
    kind: 'number',
    page,
    label: number(page + 1),
    name: text('pageNumber', { page: number(page + 1) }),
  }));
  if (!isFirstPage) {
    links.unshift({ key: 'prev', kind: 'prev', page: currentRefinement - 1, label: '‹', name: text('previousPage') });
  }
  if (!isLastPage) {
    links.push({ key: 'next', kind: 'next', page: currentRefinement + 1, label: '›', name: text('nextPage') });
  }
  return links;
}
