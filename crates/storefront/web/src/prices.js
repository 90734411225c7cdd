// Prices that the server wrote, in the notation of the page's language.

import { price } from './texts.js';

/** Replaces the text of each price in the page by one as the language writes it. */
export function formatPrices() {
  for (const data of document.querySelectorAll('data[data-currency]')) {
    const value = Number(data.value);
    if (data.value !== '' && Number.isFinite(value)) {
      data.textContent = price(value, data.dataset.currency);
    }
  }
}
