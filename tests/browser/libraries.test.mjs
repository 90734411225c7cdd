// React InstantSearch, Vue InstantSearch and Autocomplete, as they come from npm, in a real browser.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ownSearch, withShop } from './shop.mjs';

/** Types into a page with a search box, a list of brands and hits, refines by the first brand, and compares with the own API. */
async function typeAndRefine(page) {
  await page.fill('input[type=search]', 'lamp');
  const shows = async (parameters) => {
    const { total, products } = await ownSearch({ query: 'lamp', ...parameters });
    const first = products[0].name;
    const isShown = ([total, first]) =>
      document.querySelector('.ais-Stats')?.textContent.includes(`${total} result`) &&
      document.querySelector('.ais-Hits-item')?.textContent.includes(first);
    await page.waitForFunction(isShown, [total, first]);
  };
  await shows({});
  const brand = await page.innerText('.ais-RefinementList-labelText >> nth=0');
  await page.click('.ais-RefinementList-checkbox >> nth=0');
  await shows({ brand });
}

test('React InstantSearch', () =>
  withShop(
    {
      scripts: [
        'node_modules/react/umd/react.production.min.js',
        'node_modules/react-dom/umd/react-dom.production.min.js',
        'node_modules/react-instantsearch/dist/umd/ReactInstantSearch.min.js',
      ],
      body: '<div id="app"></div>',
    },
    async (page) => {
      await page.evaluate(() => {
        const { React, ReactDOM, ReactInstantSearch: widgets, searchClient } = window;
        const e = React.createElement;
        const hitComponent = ({ hit }) => e(widgets.Highlight, { hit, attribute: 'name' });
        ReactDOM.createRoot(document.getElementById('app')).render(
          e(
            widgets.InstantSearch,
            { indexName: 'products', searchClient },
            e(widgets.SearchBox),
            e(widgets.Stats),
            e(widgets.RefinementList, { attribute: 'brand' }),
            e(widgets.HierarchicalMenu, { attributes: ['categories.lvl0', 'categories.lvl1'] }),
            e(widgets.Hits, { hitComponent }),
            e(widgets.Pagination),
          ),
        );
      });
      await typeAndRefine(page);
    },
  ));

test('Vue InstantSearch', () =>
  withShop(
    {
      scripts: ['node_modules/vue/dist/vue.global.prod.js', 'node_modules/vue-instantsearch/vue3/umd/index.js'],
      body: '<div id="app"></div>',
    },
    async (page) => {
      await page.evaluate(() => {
        const { Vue, VueInstantSearch, searchClient } = window;
        const template = `<ais-instant-search index-name="products" :search-client="searchClient">
          <ais-search-box /><ais-stats /><ais-refinement-list attribute="brand" />
          <ais-hierarchical-menu :attributes="['categories.lvl0', 'categories.lvl1']" />
          <ais-hits><template v-slot:item="{ item }"><ais-highlight :hit="item" attribute="name" /></template></ais-hits>
          <ais-pagination /></ais-instant-search>`;
        const app = Vue.createApp({ template, data: () => ({ searchClient: Vue.markRaw(searchClient) }) });
        const components = Object.entries(VueInstantSearch).filter(([name]) => name.startsWith('Ais'));
        components.forEach(([name, component]) => app.component(name, component));
        app.mount('#app');
      });
      await typeAndRefine(page);
    },
  ));

test('Autocomplete', () =>
  withShop(
    { scripts: ['node_modules/@algolia/autocomplete-js/dist/umd/index.production.js'], body: '<div id="box"></div>' },
    async (page) => {
      await page.evaluate(() => {
        const { autocomplete, getAlgoliaResults } = window['@algolia/autocomplete-js'];
        const { searchClient } = window;
        autocomplete({
          container: '#box',
          detachedMediaQuery: 'none',
          getSources: ({ query }) => [
            {
              sourceId: 'products',
              getItems: () =>
                getAlgoliaResults({ searchClient, queries: [{ indexName: 'products', params: { query } }] }),
              templates: { item: ({ item, components }) => components.Highlight({ hit: item, attribute: 'name' }) },
            },
          ],
        });
      });
      await page.fill('#box input', 'teap');
      const { products } = await ownSearch({ query: 'teap' });
      await page.waitForFunction(
        (first) => document.querySelector('.aa-Item')?.textContent === first,
        products[0].name,
      );
      assert.match(await page.innerHTML('.aa-Item >> nth=0'), /<mark>Teap<\/mark>|<mark>Teapot<\/mark>/);
    },
  ));
