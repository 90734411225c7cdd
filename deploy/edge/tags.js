// Names the products that a response shows, so that a cache can be told to forget every response that shows a product.

// CloudFront keeps as many tags of a response; Cloudflare keeps more.
const MAX_TAGS = 50;
// The tag of a response that shows more products than have room. It is purged with every product.
export const MANY = 'many-products';

// The tag of a product: visible ASCII without a comma, as caches require.
export function tagOf(id) {
  return `product-${encodeURIComponent(id)}`;
}

// Returns the value of `Cache-Tag` for a body with a list of products; an empty text for any other.
export function tagsOf(body) {
  let products;
  try {
    ({ products } = JSON.parse(new TextDecoder().decode(body)));
  } catch {
    return '';
  }
  if (!Array.isArray(products)) return '';
  const tags = [...new Set(products.filter(product => typeof product?.id === 'string').map(({ id }) => tagOf(id)))];
  return (tags.length > MAX_TAGS ? [MANY] : tags).join(',');
}
