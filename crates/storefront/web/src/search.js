// The search on the page of results: InstantSearch with connectors, and the elements that they fill.

import { connectConfigure } from 'instantsearch.js/es/connectors';
import InstantSearch from 'instantsearch.js/es/lib/InstantSearch';
import { client, INDEX } from './client.js';
import { element } from './dom.js';
import { filterPanel } from './filters/panel.js';
import { TAGS } from './highlight.js';
import { updateLanguageLinks } from './language.js';
import { chips } from './results/chips.js';
import { failureMessage } from './results/failure.js';
import { heading } from './results/heading.js';
import { hitList } from './results/hits.js';
import { noResults } from './results/no-results.js';
import { notices } from './results/notices.js';
import { pagination } from './results/pagination.js';
import { sortMenu } from './results/sort.js';
import { startCategories } from './results/start.js';
import { CATEGORY, createRouting, escapeCategory, HITS_PER_PAGE } from './routes.js';
import { restoreScroll } from './scroll.js';
import { searchField } from './search-field.js';

/** Returns a client that finds the newest products first where a search has no words, because then all match equally well. */
function newestWithoutWords() {
  const indexOf = ({ indexName, params }) => (indexName === INDEX && !params?.query ? `${INDEX}_newest` : indexName);
  return {
    ...client,
    search: (queries) => client.search(queries.map((query) => ({ ...query, indexName: indexOf(query) }))),
  };
}

const PARAMETERS = { hitsPerPage: HITS_PER_PAGE, ...TAGS };

/** Fills the page of results and starts the search. Returns `{ setQuery, openCategory }`. */
export function startSearch(shop) {
  let panel;
  const search = new InstantSearch({
    indexName: INDEX,
    searchClient: newestWithoutWords(),
    insights: false,
    routing: createRouting((state) => panel.prepare(state)),
  });
  panel = filterPanel((widget) => search.addWidgets([widget]));
  const openCategory = (path) => {
    search.setUiState({ [INDEX]: { hierarchicalMenu: { [CATEGORY]: escapeCategory(path) } } });
    title.focus();
  };
  /** Also after a search that failed, when InstantSearch knows no results to clear filters from. */
  const clearFilters = () => {
    search.setUiState(({ [INDEX]: { query, sortBy } = {} }) => ({ [INDEX]: { query, sortBy } }));
    title.focus();
  };

  const title = heading();
  const chosen = chips(title.focus, clearFilters);
  const [sort, notes, hits, start] = [sortMenu(), notices(title.focus), hitList(), startCategories(openCategory)];
  const nothing = noResults(clearFilters);
  const pages = pagination(title.focus);
  search.addWidgets([
    connectConfigure(() => {})({ searchParameters: PARAMETERS }),
    searchField(document.querySelector('.search-form')),
    ...panel.widgets,
    ...title.widgets,
    ...chosen.widgets,
    ...[sort, notes, hits, start, pages].map((part) => part.widget),
    nothing.widget,
  ]);
  const failure = failureMessage(search, title.focus);
  const bar = element('div', { class: 'results-bar' }, title.status, sort.section);
  const results = element(
    'div',
    { class: 'results' },
    ...[bar, chosen.section, failure, notes.section, hits.section, nothing.section, pages.section],
  );
  search.on('render', () => results.classList.toggle('is-stalled', search.status === 'stalled'));
  search.start();
  replaceFirstResults(search, shop, [
    title.banner,
    start.section,
    element('div', { class: 'shop-columns' }, panel.column, results),
  ]);
  showFailureOfFirstSearch(search, shop, failure, chosen.section);
  keepAddressUpToDate(search, restoreScroll(search));
  return {
    setQuery: (query) => search.helper.setQuery(query).search(),
    openCategory,
  };
}

/** Shows `parts` in place of the first results, which the server wrote, as soon as the search has an answer. */
function replaceFirstResults(search, shop, parts) {
  const first = shop.querySelector('.first-results');
  if (!first) {
    shop.append(...parts);
    return;
  }
  const replace = () => {
    if (search.status === 'idle' && search.mainIndex.getResults()) {
      first.replaceWith(...parts);
      search.removeListener('render', replace);
    }
  };
  search.on('render', replace);
}

/** Shows the message about a failure above the first results while they are there; its own place is after `before`. */
function showFailureOfFirstSearch(search, shop, failure, before) {
  const first = shop.querySelector('.first-results');
  search.on('error', () => first?.isConnected && first.before(failure));
  search.on('render', () => {
    if (first && !first.isConnected && failure.parentNode === shop) {
      before.after(failure);
    }
  });
}

/** Writes the address before a link is followed: InstantSearch waits until the typing pauses. */
function keepAddressUpToDate(search, keepScroll) {
  const address = () => search.createURL(search.getUiState());
  search.on('render', () => updateLanguageLinks(address()));
  const write = (event) => {
    if (event.target.closest?.('a[href]')) {
      if (address() !== location.href) {
        history.pushState(null, '', address());
      }
      keepScroll();
    }
  };
  addEventListener('click', write, { capture: true });
}
