// The address of a search: which parameters stand for which part of the state of InstantSearch.

import history from 'instantsearch.js/es/lib/routers/history';
import { INDEX } from './client.js';
import { address, SEPARATOR } from './page.js';
import { text } from './texts.js';

export const CATEGORY = 'categories.lvl0';

/** Products on a page. */
export const HITS_PER_PAGE = 24;
/** The last page that can be opened: 1,000 products are enough to look through. */
export const MAX_PAGES = Math.floor(1000 / HITS_PER_PAGE);

const SORTS = ['price_asc', 'price_desc', 'newest', 'name'];
const ATTRIBUTE = /^attributes\../;
const PRICE_RANGE = /^(\d+(?:\.\d+)?)?-(\d+(?:\.\d+)?)?$/;
const ATTRIBUTE_RANGE = /^(-?\d+(?:\.\d+)?)?\.\.(-?\d+(?:\.\d+)?)?$/;

/** Returns the bounds in a range of the address as InstantSearch writes them, or `undefined` if it is none. */
function boundsOf(pattern, value) {
  const [, low = '', high = ''] = pattern.exec(value ?? '') ?? [];
  return low === '' && high === '' ? undefined : `${low}:${high}`;
}

/** Returns the state of InstantSearch for the parameters of an address. */
export function stateOf(parameters) {
  const all = (name) => [...new Set(parameters.getAll(name).filter(Boolean))];
  const category = (parameters.get('category') ?? '')
    .split('>')
    .map((part) => part.trim())
    .filter(Boolean);
  const lists = all('brand').length > 0 ? { brand: all('brand') } : {};
  const price = boundsOf(PRICE_RANGE, parameters.get('price'));
  const ranges = price === undefined ? {} : { price };
  for (const name of new Set([...parameters.keys()].filter((key) => ATTRIBUTE.test(key)))) {
    const bounds = boundsOf(ATTRIBUTE_RANGE, parameters.get(name));
    if (bounds !== undefined) {
      ranges[name] = bounds;
    } else if (all(name).length > 0) {
      lists[name] = all(name);
    }
  }
  const page = Math.min(Number.parseInt(parameters.get('page') ?? '', 10) || 1, MAX_PAGES);
  const sort = parameters.get('sort');
  return {
    query: parameters.get('query') ?? '',
    ...(category.length > 0 && { hierarchicalMenu: { [CATEGORY]: category } }),
    refinementList: lists,
    range: ranges,
    ...(parameters.get('inStock') === 'true' && { toggle: { inStock: true } }),
    ...(SORTS.includes(sort) && { sortBy: `${INDEX}_${sort}` }),
    ...(page > 1 && { page }),
  };
}

/** Returns the parameters of the address for a state of InstantSearch. */
export function parametersOf(state) {
  const parameters = [];
  const add = (name, value) => value !== undefined && value !== '' && parameters.push([name, value]);
  add('query', state.query);
  add('category', state.hierarchicalMenu?.[CATEGORY]?.join(SEPARATOR));
  for (const [name, values] of Object.entries(state.refinementList ?? {})) {
    values.forEach((value) => add(name, value));
  }
  for (const [name, bounds] of Object.entries(state.range ?? {})) {
    add(name, bounds.replace(':', name === 'price' ? '-' : '..'));
  }
  add('inStock', state.toggle?.inStock ? 'true' : undefined);
  add('sort', state.sortBy?.startsWith(`${INDEX}_`) ? state.sortBy.slice(INDEX.length + 1) : undefined);
  add('page', state.page > 1 ? String(state.page) : undefined);
  return parameters;
}

/** Returns the address of the results for a state of InstantSearch. */
export const searchAddress = (state) => address('./', parametersOf(state));

/** Makes `url` the address of the page. The same search in another notation is no new entry of the history. */
function push(url) {
  const here = searchAddress(stateOf(new URLSearchParams(location.search)));
  window.history[here === url ? 'replaceState' : 'pushState'](null, '', url);
}

/** Returns the routing of InstantSearch. `prepare(state)` runs before a state from the address is applied. */
export function createRouting(prepare) {
  const shop = text('title');
  const router = history({
    windowTitle: ({ query }) => (query ? `${query} – ${shop}` : shop),
    createURL: ({ routeState }) => searchAddress(routeState),
    parseURL: ({ location: { search } }) => stateOf(new URLSearchParams(search)),
    push,
    cleanUrlOnDispose: false,
  });
  // Otherwise the router drops a change that follows the back button within its delay.
  router.shouldWrite = (url) => url !== location.href;
  return {
    router,
    stateMapping: {
      stateToRoute: (uiState) => uiState[INDEX] ?? {},
      routeToState(route) {
        prepare(route);
        return { [INDEX]: route };
      },
    },
  };
}
