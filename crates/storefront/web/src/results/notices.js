// Notes above the results: a corrected spelling, and words that no product or few products have.

import { element, followInPlace } from '../dom.js';
import { counted, quotedList, text } from '../texts.js';

/** Returns `{ section, widget }`. `onSearch()` gets the focus when a corrected query is searched. */
export function notices(onSearch) {
  const section = element('div', { class: 'notices', role: 'status' });
  let shown = '';
  const widget = {
    $$type: 'noren.notices',
    render({ results, helper, createURL }) {
      const notes = results ? notesOf(results) : [];
      const key = JSON.stringify(notes);
      if (key === shown) {
        return;
      }
      shown = key;
      section.replaceChildren(
        ...notes.map(({ words, suggestion }) =>
          suggestion === undefined
            ? element('p', { class: 'notice', text: words })
            : suggestionNote(suggestion, createURL, (query) => {
                helper.setQuery(query).search();
                onSearch();
              }),
        ),
      );
    },
  };
  return { section, widget };
}

/** Returns what the answer says besides its products. */
function notesOf({ correctedQuery, relaxed = [], relaxedTotal, nbHits }) {
  const notes = [];
  if (correctedQuery) {
    notes.push({ suggestion: correctedQuery });
  }
  if (relaxed.length > 0 && nbHits > 0) {
    const complete = relaxedTotal === undefined ? 0 : nbHits - relaxedTotal;
    const words = quotedList(relaxed);
    notes.push({ words: complete > 0 ? counted('someRelaxed', complete, { words }) : text('allRelaxed', { words }) });
  }
  return notes;
}

function suggestionNote(query, createURL, search) {
  const link = element('a', {
    href: createURL((state) => ({ ...state, query, page: undefined })),
    text: query,
    onclick: (event) => followInPlace(event, () => search(query)),
  });
  const [before, after] = text('didYouMean').split('{query}');
  return element('p', { class: 'notice' }, before, link, after ?? '');
}
