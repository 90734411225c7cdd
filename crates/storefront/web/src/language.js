// The language of the page in what leads away from it.

import { element } from './dom.js';
import { chosenLanguage } from './page.js';

/** Sends the chosen language with the search form. */
export function keepLanguage(form) {
  if (chosenLanguage !== null && !form.elements.namedItem('language')) {
    form.append(element('input', { type: 'hidden', name: 'language', value: chosenLanguage }));
  }
}

/** Makes the links to other languages lead to the results at `address`. */
export function updateLanguageLinks(address) {
  for (const link of document.querySelectorAll('.languages a[hreflang]')) {
    const url = new URL(address);
    url.searchParams.set('language', link.hreflang);
    link.href = url.href;
  }
}
