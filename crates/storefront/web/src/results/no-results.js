// The message for a search without results: advice and popular categories.

import { client, INDEX } from '../client.js';
import { element, setText } from '../dom.js';
import { CATEGORY, escapeCategory, searchAddress } from '../routes.js';
import { hasFilters } from './heading.js';
import { text } from '../texts.js';

const CATEGORIES = 8;

/** Returns `{ section, widget }`. `clearFilters()` removes all filters. */
export function noResults(clearFilters) {
  const title = element('h2');
  const clear = element('button', {
    type: 'button',
    class: 'button',
    text: text('removeFilters'),
    onclick: clearFilters,
  });
  const advice = element(
    'ul',
    { class: 'advice' },
    element('li', { text: text('checkSpelling') }),
    element('li', { text: text('tryFewerWords') }),
  );
  const list = element('ul', { class: 'pills' });
  const popular = element('div', { hidden: true }, element('h3', { text: text('popularCategories') }), list);
  const section = element('div', { class: 'no-results', hidden: true }, title, advice, clear, popular);
  let hasCategories = false;
  const showCategories = async () => {
    hasCategories = true;
    const categories = await popularCategories().catch(() => []);
    popular.hidden = categories.length === 0;
    list.replaceChildren(...categories.map(categoryLink));
  };
  const widget = {
    $$type: 'noren.noResults',
    render({ results, state }) {
      section.hidden = results?.nbHits !== 0;
      if (section.hidden) {
        return;
      }
      clear.hidden = !hasFilters(state);
      advice.hidden = !state.query || hasFilters(state);
      setText(title, state.query ? text('nothingFoundFor', { query: state.query }) : text('nothingFound'));
      if (!hasCategories) {
        showCategories();
      }
    },
  };
  return { section, widget };
}

/** Returns the names of the categories with the most products. */
async function popularCategories() {
  const { results } = await client.search({
    requests: [{ indexName: INDEX, query: '', hitsPerPage: 0, facets: [CATEGORY], maxValuesPerFacet: CATEGORIES }],
  });
  const counts = Object.entries(results[0].facets?.[CATEGORY] ?? {});
  return counts
    .sort(([, a], [, b]) => b - a)
    .slice(0, CATEGORIES)
    .map(([name]) => name);
}

function categoryLink(name) {
  const href = searchAddress({ hierarchicalMenu: { [CATEGORY]: escapeCategory([name]) } });
  return element('li', {}, element('a', { class: 'pill', href, text: name }));
}
