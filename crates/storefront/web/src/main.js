// Entry of the storefront: enhances the pages that the server renders.

import { formatPrices } from './prices.js';
import { keepLanguage } from './language.js';
import { startSearch } from './search.js';
import { startSuggestions } from './suggestions.js';

formatPrices();
const shop = document.querySelector('main.shop');
const search = shop ? startSearch(shop) : undefined;
const form = document.querySelector('.search-form');
if (form) {
  keepLanguage(form);
  startSuggestions(form, search);
}
