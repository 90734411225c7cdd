// The heading of the page, the number of products and the title of what was searched.

import { connectStats } from 'instantsearch.js/es/connectors';
import { element, setText } from '../dom.js';
import { CATEGORY, plainValue } from '../routes.js';
import { counted, text } from '../texts.js';

/** Returns true if a search has filters. */
export function hasFilters({ disjunctiveFacetsRefinements, hierarchicalFacetsRefinements, numericRefinements }) {
  const values = [disjunctiveFacetsRefinements, hierarchicalFacetsRefinements].flatMap(Object.values);
  const ranges = Object.values(numericRefinements).flatMap(Object.values);
  return [...values, ...ranges].some((chosen) => chosen.length > 0);
}

/** Returns true if a search has neither words nor filters, and is on its first page. */
export const isStart = (state) => !state.query && !state.page && !hasFilters(state);

/** Returns `{ banner, status, widgets, focus }`. */
export function heading() {
  const title = element('h1', { tabindex: '-1' });
  const banner = element('div', { class: 'banner' }, title);
  const status = element('p', { class: 'stats', role: 'status' });
  const showTitle = ({ state }) => {
    const category = state.getHierarchicalFacetBreadcrumb(CATEGORY).at(-1);
    banner.classList.toggle('is-start', isStart(state));
    setText(
      title,
      isStart(state)
        ? text('tagline')
        : state.query
          ? text('resultsFor', { query: state.query })
          : plainValue(category ?? text('allProducts')),
    );
  };
  return {
    banner,
    status,
    widgets: [
      { $$type: 'noren.heading', init: showTitle, render: showTitle },
      connectStats(({ nbHits }, isFirst) => {
        if (!isFirst) {
          setText(status, counted('results', nbHits));
        }
      })({}),
    ],
    focus() {
      title.focus({ preventScroll: true });
      window.scrollTo({ top: 0 });
    },
  };
}
