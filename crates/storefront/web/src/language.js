// The links to other languages.

/** Makes the links to other languages lead to the results at `address`. */
export function updateLanguageLinks(address) {
  for (const link of document.querySelectorAll('.languages a[hreflang]')) {
    const url = new URL(address);
    url.searchParams.set('language', link.hreflang);
    link.href = url.href;
  }
}
