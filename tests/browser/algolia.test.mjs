// Calls the methods of stock clients of Algolia that InstantSearch does not, or not always, and compares with Noren's own API.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { algoliasearch } from 'algoliasearch';
import { liteClient } from 'algoliasearch/lite';
import algoliasearch4 from 'algoliasearch4';
import { url } from './browser.mjs';
import { interact } from './interactions.mjs';

const require = createRequire(import.meta.url);
const { default: instantsearch } = require('instantsearch.js/cjs/index.js');
const connectors = require('instantsearch.js/cjs/connectors/index.js');
const { createAutocomplete } = require('@algolia/autocomplete-core');
const { getAlgoliaFacets, getAlgoliaResults } = require('@algolia/autocomplete-preset-algolia');
const { host, origin } = new URL(url);
const hosts = [{ url: host, accept: 'readWrite', protocol: 'http' }];
const v5 = algoliasearch('noren', 'anonymous', { hosts });
const lite = liteClient('noren', 'anonymous', { hosts });
const v4 = algoliasearch4('noren', 'anonymous', { hosts: [{ url: host, accept: 3, protocol: 'http' }] });
const index4 = v4.initIndex('products');

async function own(path, parameters = []) {
  const answer = await fetch(`${origin}${path}?${new URLSearchParams(parameters)}`);
  return answer.json();
}
const search = async (parameters) =>
  (await lite.search({ requests: [{ indexName: 'products', ...parameters }] })).results[0];
const ids = (hits) => hits.map((hit) => hit.objectID);

const tests = {
  async 'a product by its id'() {
    const {
      products: [product],
    } = await own('/products/search', [
      ['query', 'lamp'],
      ['pageSize', '1'],
    ]);
    for (const found of [
      await v5.getObject({ indexName: 'products', objectID: product.id }),
      await index4.getObject(product.id),
    ]) {
      assert.equal(found.objectID, product.id);
      assert.equal(found.name, product.name);
      assert.deepEqual(found.categories.lvl0, [product.category.split(' > ')[0]]);
    }
    const part = await v5.getObject({
      indexName: 'products',
      objectID: product.id,
      attributesToRetrieve: ['name', 'price'],
    });
    assert.deepEqual(part, { objectID: product.id, name: product.name, price: product.price });
    const several = await v5.getObjects({
      requests: [product.id, 'nothing'].map((objectID) => ({
        indexName: 'products',
        objectID,
        attributesToRetrieve: ['name'],
      })),
    });
    assert.deepEqual(several.results, [{ objectID: product.id, name: product.name }, null]);
    await assert.rejects(v5.getObject({ indexName: 'products', objectID: 'nothing' }), {
      status: 404,
      message: 'ObjectID does not exist',
    });
    await assert.rejects(index4.getObject('nothing'), { status: 404 });
  },

  async 'values of a facet'() {
    const expected = (
      await own('/products/facets/brand', [
        ['prefix', 'o'],
        ['limit', '5'],
        ['query', 'lamp'],
      ])
    ).values;
    assert.ok(expected.length > 0);
    const answers = [
      await index4.searchForFacetValues('brand', 'o', { query: 'lamp', maxFacetHits: 5 }),
      await v5.searchForFacetValues({
        indexName: 'products',
        facetName: 'brand',
        searchForFacetValuesRequest: { facetQuery: 'o', params: 'query=lamp', maxFacetHits: 5 },
      }),
      (
        await lite.searchForFacets({
          requests: [
            {
              indexName: 'products',
              type: 'facet',
              facet: 'brand',
              facetQuery: 'o',
              query: 'lamp',
              maxFacetHits: 5,
            },
          ],
        })
      ).results[0],
    ];
    for (const { facetHits } of answers) {
      assert.deepEqual(
        facetHits.map(({ value, count }) => ({ value, count })),
        expected,
      );
      assert.match(facetHits[0].highlighted, /^<em>O<\/em>/);
    }
  },

  async 'filters in their language'() {
    const all = await search({ query: 'lamp', hitsPerPage: 100 });
    const brands = new Set(all.hits.map((hit) => hit.brand));
    const [first, second] = brands;
    const expected = (test) => ids(all.hits.filter(test)).sort();
    for (const [filters, test] of [
      [`brand:"${first}"`, (hit) => hit.brand === first],
      [`NOT brand:"${first}"`, (hit) => hit.brand !== first],
      [`brand:"${first}" OR brand:"${second}"`, (hit) => [first, second].includes(hit.brand)],
      [
        `price > 50 AND (brand:"${first}" OR price < 100)`,
        (hit) => hit.price > 50 && (hit.brand === first || hit.price < 100),
      ],
      [
        'price:50 TO 100 AND NOT (colour:red OR inStock:false)',
        (hit) => hit.price >= 50 && hit.price <= 100 && hit.attributes.colour !== 'red' && hit.stock > 0,
      ],
    ]) {
      const found = await search({ query: 'lamp', hitsPerPage: 100, filters });
      assert.deepEqual(ids(found.hits).sort(), expected(test), filters);
      assert.equal(found.nbHits, found.hits.length, filters);
    }
    await assert.rejects(search({ filters: 'brand' }), { status: 400, message: /filters: ends where/ });
    await assert.rejects(v5.searchSingleIndex({ indexName: 'nothing' }), {
      status: 404,
      message: /there is no index "nothing"/,
    });
  },

  async 'lists whose values all must hold'() {
    const all = await search({ query: '', hitsPerPage: 100, facets: ['tags'] });
    const [tag, other] = all.hits.find((hit) => hit.tags.length > 1).tags;
    const found = await search({
      hitsPerPage: 100,
      facets: ['tags'],
      facetFilters: [`tags:${tag}`, `tags:${other}`],
    });
    assert.ok(found.hits.length > 0 && found.hits.every((hit) => hit.tags.includes(tag) && hit.tags.includes(other)));
    assert.equal(found.facets.tags[tag], found.nbHits, 'facets obey such lists');
    const without = await search({ hitsPerPage: 100, facetFilters: [`tags:-${tag}`] });
    assert.ok(without.nbHits > 0 && without.hits.every((hit) => !hit.tags.includes(tag)));
  },

  async 'highlights and snippets'() {
    const [plain, marked] = [
      await search({ query: 'lamp' }),
      await search({ query: 'lamp', highlightPreTag: '<<', highlightPostTag: '>>' }),
    ];
    assert.match(plain.hits[0]._highlightResult.name.value, /<em>Lamp<\/em>/);
    assert.match(marked.hits[0]._highlightResult.name.value, /<<Lamp>>/);
    assert.deepEqual(marked.hits[0]._highlightResult.name.matchedWords, ['lamp']);
    assert.equal(marked.hits[0]._highlightResult.name.matchLevel, 'full');
    assert.ok(plain.hits.some((hit) => hit._snippetResult.description.value.includes('<em>')));
  },

  async 'related products'() {
    const {
      hits: [product],
    } = await search({ query: 'lamp' });
    const expected = (await own(`/products/${product.objectID}/similar`, [['limit', '4']])).products;
    const request = {
      indexName: 'products',
      model: 'related-products',
      objectID: product.objectID,
      threshold: 0,
      maxRecommendations: 4,
    };
    const {
      results: [{ hits }],
    } = await lite.getRecommendations({ requests: [request] });
    assert.deepEqual(
      ids(hits),
      expected.map((similar) => similar.id),
    );
    const shown = await rendered(
      (keep) => connectors.connectRelatedProducts(keep)({ objectIDs: [product.objectID], limit: 4 }),
      'items',
    );
    assert.deepEqual(ids(shown), ids(hits));
  },

  async 'widgets that facets decide on'() {
    const attributes = await rendered(
      (keep) =>
        connectors.connectDynamicWidgets(keep)({
          widgets: [],
          fallbackWidget: () => connectors.connectMenu(() => {})({ attribute: 'brand' }),
        }),
      'attributesToRender',
    );
    const { facets } = await own('/products/search', [['facets', '*']]);
    const names = Object.keys(facets).filter((name) => name !== 'category');
    assert.deepEqual(attributes.filter((name) => !name.startsWith('categories.lvl')).sort(), names.sort());
    assert.ok(attributes.includes('categories.lvl0'));
  },

  async autocomplete() {
    const states = [];
    const autocomplete = createAutocomplete({
      environment: globalThis,
      openOnFocus: true,
      onStateChange: ({ state }) => states.push(state),
      getSources: ({ query }) => [
        {
          sourceId: 'products',
          getItems: () =>
            getAlgoliaResults({
              searchClient: lite,
              queries: [{ indexName: 'products', params: { query, hitsPerPage: 3 } }],
            }),
        },
        {
          sourceId: 'brands',
          getItems: () =>
            getAlgoliaFacets({
              searchClient: lite,
              queries: [{ indexName: 'products', facet: 'brand', params: { facetQuery: 'o', maxFacetHits: 2 } }],
            }),
        },
      ],
    });
    autocomplete.setQuery('tea');
    await autocomplete.refresh();
    const [products, brands] = states.at(-1).collections.map(({ items }) => items);
    const expected = (
      await own('/products/search', [
        ['query', 'tea'],
        ['pageSize', '3'],
      ])
    ).products;
    assert.deepEqual(
      ids(products),
      expected.map((product) => product.id),
    );
    const values = (
      await own('/products/facets/brand', [
        ['prefix', 'o'],
        ['limit', '2'],
      ])
    ).values;
    assert.deepEqual(
      brands.map(({ label, count }) => ({ value: label, count })),
      values,
    );
  },

  async events() {
    const { queryID, hits } = await search({ query: 'lamp', clickAnalytics: true, userToken: 'someone' });
    assert.match(queryID, /^[0-9a-f]{32}$/);
    assert.equal((await search({ query: 'lamp' })).queryID, undefined);
    const events = [
      {
        eventType: 'click',
        eventName: 'Opened',
        index: 'products',
        userToken: 'someone',
        queryID,
        objectIDs: ids(hits).slice(0, 1),
        positions: [1],
      },
    ];
    const answer = await fetch(`${origin}/1/events?X-Algolia-Application-Id=noren&X-Algolia-API-Key=anonymous`, {
      method: 'POST',
      body: JSON.stringify({ events }),
    });
    assert.deepEqual([answer.status, (await answer.json()).status], [200, 200]);
  },
};

/** Returns a value of what a widget shows first. */
async function rendered(widget, name) {
  const page = instantsearch({ indexName: 'products', searchClient: lite });
  const value = new Promise((resolve) => {
    page.addWidgets([widget((options) => options[name]?.length > 0 && resolve(options[name]))]);
  });
  page.start();
  try {
    return await value;
  } finally {
    page.dispose();
  }
}

for (const [name, run] of Object.entries(tests)) {
  test(`stock clients: ${name}`, run);
}

for (const [name, searchClient] of Object.entries({ 'algoliasearch 5': v5, 'algoliasearch 4': v4 })) {
  test(`InstantSearch on ${name} shows what the own API says`, async () => {
    const done = await interact({ instantsearch, connectors, searchClient, origin, count: 60, seed: 20261129 });
    assert.ok(Object.keys(done).length >= 9, JSON.stringify(done));
  });
}
