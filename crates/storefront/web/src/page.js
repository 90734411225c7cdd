// The page around the script: its settings on <html>, and the addresses that lead from it.

const html = document.documentElement;

/** Between the parts of a category's path. */
export const SEPARATOR = ' > ';

/** The root of the service, with a slash at the end. It may have a path. */
export const root = new URL(html.dataset.root, location.href);
root.search = '';
root.hash = '';

/** The language of the page: `en`, `de` or `ja`. */
export const language = html.lang;

/** The currency of price filters, ISO 4217. */
export const currency = html.dataset.currency;

const imageOrigins = html.dataset.images.split(' ').filter(Boolean);

/** The language that the address of this page names, or `undefined`. It is kept in every link. */
const chosenLanguage = document.querySelector('.search-form [name="language"]')?.value;

/** Returns an address below the root, with these parameters and the chosen language. */
export function address(path, parameters = []) {
  const url = new URL(path, root);
  const search = new URLSearchParams(parameters);
  if (chosenLanguage !== undefined) {
    search.set('language', chosenLanguage);
  }
  url.search = search;
  return url.href;
}

/** Returns the address of the page of a product. */
export const productAddress = (id) => address(`shop/products/${encodeURIComponent(id)}`);

/** Returns the address of the picture of a product: its own image from a trusted origin, or else a drawing. */
export function pictureAddress(product) {
  const image = product.images?.[0];
  const isTrusted = typeof image === 'string' && imageOrigins.some((origin) => image.startsWith(`${origin}/`));
  return isTrusted ? image : drawingAddress(product);
}

/** Returns the address of the drawing of a product. `name` is its name without markup. */
export function drawingAddress({ name, category, attributes }) {
  const url = new URL('shop/picture.svg', root);
  const colour = attributes?.colour ?? attributes?.color;
  const parameters = Object.entries({ name, category, colour });
  url.search = new URLSearchParams(parameters.filter(([, value]) => typeof value === 'string' && value !== ''));
  return url.href;
}
