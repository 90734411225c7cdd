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

/** The most values of a field, and fields, in an address. The service takes 100 filters. */
const MOST_VALUES = 20;
const MOST_FIELDS = 20;
/** The longest query, in characters. */
const MOST_CHARACTERS = 256;
/** Limits of a category. */
const MOST_LEVELS = 10;
const MOST_LEVEL_CHARACTERS = 100;

/** Returns a value as a filter takes it: a minus at its start would exclude the value. */
export const escapeValue = (value) => (value.startsWith('-') ? `\\${value}` : value);

/** Returns the value of a filter as people read it. */
export const plainValue = (value) => (value.startsWith('\\-') ? value.slice(1) : value);

/** Returns a category as a filter takes it, from its levels. */
export const escapeCategory = ([first, ...others]) => [escapeValue(first), ...others];

/** Returns the levels in an address, or none if they are no category. */
function categoryOf(path) {
  const levels = path
    .split('>')
    .map((part) => part.trim())
    .filter(Boolean);
  const isValid = levels.length <= MOST_LEVELS && levels.every((level) => level.length <= MOST_LEVEL_CHARACTERS);
  return isValid && levels.length > 0 ? escapeCategory(levels) : [];
}

/** Returns the bounds in a range of the address as InstantSearch writes them, or `undefined` if it is none. */
function boundsOf(pattern, value) {
  const [, low = '', high = ''] = pattern.exec(value ?? '') ?? [];
  const isReversed = low !== '' && high !== '' && Number(low) > Number(high);
  return low === '' && high === '' ? undefined : isReversed ? `${high}:${low}` : `${low}:${high}`;
}

/** Returns the state of InstantSearch for the parameters of an address. */
export function stateOf(parameters) {
  const all = (name) => [...new Set(parameters.getAll(name).filter(Boolean))].slice(0, MOST_VALUES).map(escapeValue);
  const category = categoryOf(parameters.get('category') ?? '');
  const lists = all('brand').length > 0 ? { brand: all('brand') } : {};
  const price = boundsOf(PRICE_RANGE, parameters.get('price'));
  const ranges = price === undefined ? {} : { price };
  const names = new Set([...parameters.keys()].filter((key) => ATTRIBUTE.test(key)));
  for (const name of [...names].slice(0, MOST_FIELDS)) {
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
    query: (parameters.get('query') ?? '').slice(0, MOST_CHARACTERS),
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
  add('category', plainValue(state.hierarchicalMenu?.[CATEGORY]?.join(SEPARATOR) ?? ''));
  for (const [name, values] of Object.entries(state.refinementList ?? {})) {
    values.forEach((value) => add(name, plainValue(value)));
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

/** Returns the parts of the title of the window: the words or the category, and the page. */
function titleParts({ query, hierarchicalMenu, page }) {
  const category = plainValue(hierarchicalMenu?.[CATEGORY]?.at(-1) ?? '');
  return [query || category, page > 1 ? text('pageNumber', { page }) : ''].filter(Boolean);
}

/** Returns the routing of InstantSearch. `prepare(state)` runs before a state from the address is applied. */
export function createRouting(prepare) {
  const shop = text('title');
  const router = history({
    windowTitle: (state) => [...titleParts(state), shop].join(' – '),
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
