// Filters by the attributes that matter for the products found: the service chooses them with each answer.

import { connectDynamicWidgets } from 'instantsearch.js/es/connectors';
import { element, placeInOrder } from '../dom.js';
import { plainNumber } from '../texts.js';
import { listFilter } from './list.js';
import { rangeFilter } from './range.js';

const PREFIX = 'attributes.';

/** The most attributes shown. */
const LIMIT = 6;

/** Returns the label of an attribute: `attributes.height_cm` is `height cm`. */
export const attributeLabel = (attribute) => attribute.slice(PREFIX.length).replaceAll('_', ' ');

/**
 * Returns `{ section, widget, prepare }`. `prepare(state)` adds the filters that a state of the search needs, so the first search has
 * them. A filter stays in the search once it is there, and is hidden while it does not matter.
 */
export function attributeFilters(addWidget) {
  const section = element('div', { class: 'filter-group' });
  const filters = new Map();

  const add = (attribute, numbers) => {
    if (!filters.has(attribute)) {
      const options = { attribute, title: attributeLabel(attribute) };
      const filter = numbers ? numberFilter(options, numbers) : listFilter(options);
      filters.set(attribute, filter);
      addWidget(filter.widget);
    }
    return filters.get(attribute).section;
  };
  const prepare = ({ refinementList = {}, range = {} }) => {
    const attributes = (state) => Object.keys(state).filter((name) => name.startsWith(PREFIX));
    attributes(refinementList).forEach((attribute) => add(attribute));
    attributes(range).forEach((attribute) => add(attribute, range[attribute].split(':')));
  };
  const widget = connectDynamicWidgets(({ attributesToRender, instantSearchInstance }, isFirst) => {
    const results = instantSearchInstance.mainIndex?.getResults();
    if (isFirst || !results) {
      return;
    }
    const { facets, facets_stats: stats = {} } = results._rawResults[0];
    const numbers = (attribute) => attribute in stats && numbersOf(Object.keys(facets[attribute] ?? {}));
    const shown = attributesToRender.map((attribute) => add(attribute, numbers(attribute)));
    const refined = [...filters]
      .filter(([attribute]) => isRefined(results._state, attribute))
      .map(([, filter]) => filter.section);
    placeInOrder(section, [...new Set([...shown, ...refined])]);
  })({
    widgets: [],
    facets: ['*'],
    maxValuesPerFacet: 60,
    transformItems: (attributes) => attributes.filter((name) => name.startsWith(PREFIX)).slice(0, LIMIT),
  });
  return { section, widget, prepare };
}

/** Returns the values if all of them are numbers. */
const numbersOf = (values) => values.every((value) => value !== '' && Number.isFinite(Number(value))) && values;

function isRefined(state, attribute) {
  return (
    state.isDisjunctiveFacet(attribute) &&
    (state.getDisjunctiveRefinements(attribute).length > 0 ||
      Object.keys(state.getNumericRefinements(attribute)).length > 0)
  );
}

/** Returns the filter by a range, with as many decimals as the numbers have. */
function numberFilter(options, numbers) {
  const precision = Math.max(...numbers.map((value) => value.split('.')[1]?.length ?? 0), 0);
  return rangeFilter({ ...options, precision: Math.min(precision, 3), format: plainNumber });
}
