// A product in a list of results.

import { element, setText } from './dom.js';
import { hasHighlight, highlightedNodes, plainName } from './highlight.js';
import { productAddress } from './page.js';
import { setPicture } from './picture.js';
import { price, text } from './texts.js';

/** Products whose pictures load at once; later ones load when they come near. */
const EAGER = 8;

/** Returns the empty card of a hit. `updateCard` fills it. */
export function createCard(hit, position) {
  const loading = position < EAGER ? undefined : 'lazy';
  return element(
    'li',
    { class: 'card' },
    element(
      'a',
      { href: productAddress(hit.objectID) },
      element('img', { class: 'picture', alt: '', width: 240, height: 240, loading }),
      element('span', { class: 'card-brand', dir: 'auto' }),
      element('span', { class: 'card-name', dir: 'auto' }),
      element('span', { class: 'card-snippet', hidden: true }),
      element('span', { class: 'card-price' }),
      element('span', { class: 'card-stock', hidden: true, text: text('outOfStock') }),
    ),
  );
}

/** Shows a hit in its card. */
export function updateCard(card, hit) {
  const [picture, brand, name, snippet, cost, stock] = card.firstChild.children;
  setPicture(picture, { ...hit, name: plainName(hit) });
  setText(brand, hit.brand ?? '');
  const marked = hit._highlightResult.name.value;
  showText(name, marked.trim() ? marked : plainName(hit));
  const words = hit._snippetResult?.description?.value;
  snippet.hidden = !hasHighlight(words);
  showText(snippet, snippet.hidden ? '' : words);
  showPrice(cost, hit);
  stock.hidden = hit.stock !== 0;
  card.classList.toggle('is-out-of-stock', !stock.hidden);
}

/** Shows a text with marked words, if it is not there yet. */
function showText(node, value) {
  if (node.shownText !== value) {
    node.shownText = value;
    node.replaceChildren(...highlightedNodes(value));
  }
}

function showPrice(node, { price: value, currency }) {
  if (typeof value !== 'number') {
    node.replaceChildren();
    return;
  }
  const shown = price(value, currency);
  if (node.textContent !== shown) {
    node.replaceChildren(element('data', { value, 'data-currency': currency, text: shown }));
  }
}
