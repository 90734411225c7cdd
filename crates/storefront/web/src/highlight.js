// Shows a text with the searched words marked. The text is data: it never becomes markup.

import { element } from './dom.js';

/** The tags around a matched word in answers. */
const PRE_TAG = '__ais-highlight__';
const POST_TAG = '__/ais-highlight__';

/** The parameters of a search that ask for these tags. */
export const TAGS = { highlightPreTag: PRE_TAG, highlightPostTag: POST_TAG };

/** Returns true if a text has a marked word. */
export const hasHighlight = (value) => typeof value === 'string' && value.includes(PRE_TAG);

/** Returns text nodes and `<mark>` elements for a text with tags. */
export function highlightedNodes(value) {
  const [start, ...rest] = value.split(PRE_TAG);
  const nodes = [start];
  for (const part of rest) {
    const [marked, ...after] = part.split(POST_TAG);
    nodes.push(element('mark', { text: marked }), after.join(''));
  }
  return nodes.filter((node) => node !== '');
}

/** Returns the name of a hit as text, without the tags around words. A name may consist of markup only; then it is the code. */
export function plainName(hit) {
  const name = hit._highlightResult.name.value.replaceAll(PRE_TAG, '').replaceAll(POST_TAG, '');
  return name.trim() || hit.sku || hit.objectID;
}
