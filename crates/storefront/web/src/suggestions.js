// Suggestions below the search field: completions, categories and products for what was typed so far.

import { client, INDEX } from './client.js';
import { combobox } from './combobox.js';
import { element } from './dom.js';
import { plainName, TAGS } from './highlight.js';
import { address, productAddress, root, SEPARATOR } from './page.js';
import { pictureOf } from './picture.js';
import { price, text } from './texts.js';

/** The time after a key in which another one puts off the request. */
const PAUSE_MS = 100;
const COMPLETIONS = 5;
const CATEGORIES = 3;
const PRODUCTS = 4;

/** Adds suggestions to the search form. `search` is the search of this page, if it has one. */
export function startSuggestions(form, search) {
  const input = form.elements.namedItem('query');
  const popup = element('div', { class: 'suggestions', id: 'suggestions', 'aria-label': text('suggestions') });
  form.append(popup);
  const actions = search ? actionsHere(input, search) : actionsElsewhere(input, form);
  let request;
  let timer;
  const suggest = async () => {
    request?.abort();
    const query = input.value.trim();
    if (query === '') {
      list.close();
      return;
    }
    request = new AbortController();
    const { signal } = request;
    const groups = await fetchSuggestions(query, signal);
    if (!signal.aborted && document.activeElement === input) {
      list.show(groups.map(groupElement));
    }
  };
  const close = () => {
    clearTimeout(timer);
    request?.abort();
    list.close();
  };
  const choose = ({ suggestion: { kind, value } }) => {
    close();
    actions[kind](value);
  };
  const list = combobox(input, popup, { ask: suggest, choose });
  input.addEventListener('input', (event) => {
    clearTimeout(timer);
    if (!event.isComposing) {
      timer = setTimeout(suggest, PAUSE_MS);
    }
  });
  input.addEventListener('compositionend', suggest);
  input.addEventListener('blur', close);
  form.addEventListener('submit', close);
  addEventListener('pageshow', close);
}

const openProduct = (id) => location.assign(productAddress(id));

/** Returns what a chosen suggestion does on the page of results. */
const actionsHere = (input, search) => ({
  completion(words) {
    input.value = words;
    search.setQuery(words);
  },
  category: (path) => search.openCategory(path.split(SEPARATOR)),
  product: openProduct,
});

/** Returns what a chosen suggestion does on other pages: it leads to the results. */
const actionsElsewhere = (input, form) => ({
  completion(words) {
    input.value = words;
    form.requestSubmit();
  },
  category: (path) => location.assign(address('./', { category: path })),
  product: openProduct,
});

/** Returns completions and categories for a text; none if the request fails. */
async function fetchWords(query, signal) {
  const url = new URL('products/suggest', root);
  url.search = new URLSearchParams({ query, limit: String(COMPLETIONS) });
  const response = await fetch(url, { signal });
  return response.ok ? response.json() : {};
}

/** Returns the best products for a text, with all that their pictures depend on. */
async function fetchProducts(query) {
  const request = { indexName: INDEX, query, hitsPerPage: PRODUCTS, ...TAGS };
  const { results } = await client.search({ requests: [request] });
  return results[0].hits;
}

/** Returns the suggestions for a text as groups of options. */
async function fetchSuggestions(query, signal) {
  const [{ completions = [], categories = [] }, products] = await Promise.all([
    fetchWords(query, signal).catch(() => ({})),
    fetchProducts(query).catch(() => []),
  ]);
  const options = (kind, values) => values.map((value) => ({ kind, value }));
  const groups = [
    { title: 'suggestedSearches', options: options('completion', completions) },
    {
      title: 'categories',
      options: options(
        'category',
        categories.slice(0, CATEGORIES).map(({ value }) => value),
      ),
    },
    {
      title: 'products',
      options: products.map((product) => ({ kind: 'product', value: product.objectID, product })),
    },
  ];
  return groups.filter((group) => group.options.length > 0);
}

function groupElement({ title, options }) {
  const id = `suggestions-${title}`;
  return element(
    'div',
    { role: 'group', class: 'suggestion-group', 'aria-labelledby': id },
    element('div', { class: 'suggestion-title', id, role: 'presentation', text: text(title) }),
    ...options.map((option, i) => optionElement(option, `${id}-${i}`)),
  );
}

function optionElement(suggestion, id) {
  const option = element(
    'div',
    { role: 'option', id, class: `suggestion suggestion-${suggestion.kind}`, 'aria-selected': 'false' },
    ...optionContent(suggestion),
  );
  option.suggestion = suggestion;
  return option;
}

function optionContent({ kind, value, product }) {
  if (kind !== 'product') {
    return [element('span', { text: kind === 'category' ? value.replaceAll(SEPARATOR, ' › ') : value })];
  }
  const { price: cost, currency } = product;
  const name = plainName(product);
  return [
    pictureOf({ ...product, name }, 40),
    element('span', { class: 'suggestion-name', dir: 'auto', text: name }),
    ...(typeof cost === 'number' ? [element('span', { class: 'suggestion-price', text: price(cost, currency) })] : []),
  ];
}
