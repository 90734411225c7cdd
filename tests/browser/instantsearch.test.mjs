// A page of InstantSearch with stock packages in a real browser, on another site than Noren.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { origin, ownSearch, withShop } from './shop.mjs';

const SHOP = {
  scripts: ['node_modules/instantsearch.js/dist/instantsearch.production.min.js'],
  body: `<div id="box"></div><div id="stats"></div><div id="sort"></div><div id="menu"></div><div id="brand"></div>
    <div id="price"></div><div id="dynamic"></div><div id="hits"></div><div id="pages"></div>`,
};

test('200 random interactions show what the own API says', () =>
  withShop(SHOP, async (page) => {
    const done = await page.evaluate(async (origin) => {
      const { interact } = await import('/interactions.mjs');
      const { instantsearch, searchClient } = window;
      return interact({
        instantsearch,
        connectors: instantsearch.connectors,
        searchClient,
        origin,
        count: 200,
        seed: 7,
      });
    }, origin);
    assert.ok(Object.keys(done).length >= 10, JSON.stringify(done));
  }));

test('a shopper types, refines, sorts and turns pages', () =>
  withShop(SHOP, async (page) => {
    await page.evaluate(() => {
      const { instantsearch, searchClient } = window;
      const { widgets } = instantsearch;
      const item = (hit, { html, components }) =>
        html`<b class="name">${components.Highlight({ hit, attribute: 'name' })}</b> <i class="price">${hit.price}</i>`;
      const search = instantsearch({ indexName: 'products', searchClient });
      search.addWidgets([
        widgets.searchBox({ container: '#box' }),
        widgets.stats({ container: '#stats' }),
        widgets.sortBy({
          container: '#sort',
          items: ['products', 'products_price_asc'].map((value) => ({ value, label: value })),
        }),
        widgets.hierarchicalMenu({ container: '#menu', attributes: ['categories.lvl0', 'categories.lvl1'] }),
        widgets.refinementList({ container: '#brand', attribute: 'brand', searchable: true }),
        widgets.rangeSlider({ container: '#price', attribute: 'price' }),
        widgets.dynamicWidgets({
          container: '#dynamic',
          widgets: [(container) => widgets.refinementList({ container, attribute: 'attributes.colour' })],
        }),
        widgets.hits({ container: '#hits', templates: { item } }),
        widgets.pagination({ container: '#pages' }),
      ]);
      search.start();
    });
    await page.fill('#box input', 'lamp');
    const total = async (parameters) => (await ownSearch(parameters)).total;
    const shows = (count) =>
      page.waitForFunction(
        (count) => document.querySelector('#stats').textContent.startsWith(`${count} result`),
        count,
      );
    await shows(await total({ query: 'lamp' }));
    assert.match(await page.innerHTML('#hits .name'), /<mark class="ais-Highlight-highlighted">Lamp<\/mark>/);
    assert.ok((await page.locator('#dynamic .ais-RefinementList-item').count()) > 0, 'colours');
    assert.ok((await page.locator('#price [role=slider]').count()) === 2);

    const brand = await page.innerText('#brand .ais-RefinementList-labelText >> nth=0');
    await page.click('#brand .ais-RefinementList-checkbox >> nth=0');
    await shows(await total({ query: 'lamp', brand }));
    await page.selectOption('#sort select', 'products_price_asc');
    await page.waitForFunction(() => {
      const prices = [...document.querySelectorAll('#hits .price')].map((price) => Number(price.textContent));
      return prices.length > 1 && prices.every((price, at) => at === 0 || prices[at - 1] <= price);
    });
    await page.click('#brand .ais-RefinementList-checkbox >> nth=0');
    await page.fill('#box input', '');
    await shows((await total({})).toLocaleString('en'));
    await page.click('#menu .ais-HierarchicalMenu-link >> nth=0');
    const category = await page.innerText(
      '#menu .ais-HierarchicalMenu-item--selected .ais-HierarchicalMenu-label >> nth=0',
    );
    await shows(await total({ category }));
    const first = await page.innerText('#hits .name >> nth=0');
    await page.click('#pages .ais-Pagination-item--nextPage a');
    await page.waitForFunction((first) => document.querySelector('#hits .name').textContent !== first, first);
    await page.fill('#brand .ais-SearchBox-input', 'o');
    await page.waitForFunction(() =>
      [...document.querySelectorAll('#brand mark')].some((mark) => /^o$/i.test(mark.textContent)),
    );
  }));
