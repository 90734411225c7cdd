// The categories on the first page, with pictures.

import { element, followInPlace } from '../dom.js';
import { pictureAddress, SEPARATOR } from '../page.js';
import { CATEGORY, escapeCategory, searchAddress } from '../routes.js';
import { text } from '../texts.js';
import { isStart } from './heading.js';

const MOST_TILES = 16;

/** The pictures take turns in these colours. */
const COLOURS = ['navy', 'sand', 'teal', 'red', 'grey', 'green'];

/** Returns `{ section, widget }`. `open(path)` shows a category. */
export function startCategories(open) {
  const list = element('ul', { class: 'tiles' });
  const section = element('nav', { class: 'start', 'aria-label': text('browseCategories'), hidden: true }, list);
  const widget = {
    $$type: 'noren.start',
    render({ results, state }) {
      if (results && list.childElementCount === 0 && isStart(results._state)) {
        list.replaceChildren(...tilesOf(results._rawResults[0].facets ?? {}, open));
      }
      section.hidden = !isStart(state) || list.childElementCount < 2;
    },
  };
  return { section, widget };
}

function tilesOf(facets, open) {
  const names = Object.keys(facets[CATEGORY] ?? {}).sort((a, b) => a.localeCompare(b));
  return names.slice(0, MOST_TILES).map((name, position) => {
    const category = largestWithin(name, facets);
    const picture = {
      name: category.split(SEPARATOR).at(-1),
      category,
      attributes: { colour: COLOURS[position % COLOURS.length] },
    };
    const link = element(
      'a',
      {
        class: 'tile',
        href: searchAddress({ hierarchicalMenu: { [CATEGORY]: escapeCategory([name]) } }),
        onclick: (event) => followInPlace(event, () => open([name])),
      },
      element('img', { class: 'picture', src: pictureAddress(picture), alt: '', width: 120, height: 120 }),
      element('span', { text: name }),
    );
    return element('li', {}, link);
  });
}

/** Returns the path of the category with the most products within a category, down to the lowest level. */
function largestWithin(path, facets) {
  const level = path.split(SEPARATOR).length;
  const within = Object.entries(facets[`categories.lvl${level}`] ?? {}).filter(([name]) =>
    name.startsWith(path + SEPARATOR),
  );
  const [largest] = within.sort(([, a], [, b]) => b - a);
  return largest ? largestWithin(largest[0], facets) : path;
}
