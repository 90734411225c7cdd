// Entry of the storefront: enhances the pages that the server renders.

import { replaceBrokenImages } from './picture.js';
import { formatPrices } from './prices.js';
import { startSearch } from './search.js';
import { startSuggestions } from './suggestions.js';

function start() {
  const shop = document.querySelector('main.shop');
  const search = shop ? startSearch(shop) : undefined;
  startSuggestions(document.querySelector('.search-form'), search);
}

formatPrices();
replaceBrokenImages();
if (document.visibilityState === 'visible') {
  // The browser paints what the server wrote before the search takes its time to start.
  requestAnimationFrame(() => setTimeout(start));
} else {
  start();
}
