// The storefront of `noren serve --demo`, as a shopper uses it.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { ownSearch } from './shop.mjs';
import { url, withPage } from './browser.mjs';

const axe = createRequire(import.meta.url).resolve('axe-core/axe.min.js');

/** Most bytes of the script, compressed. */
const SCRIPT_BYTES = 100 * 1024;

/** Number of visits whose times are measured. */
const VISITS = 7;

/** Opens an address of the shop, and fails if a script throws, or the page loads anything from elsewhere. */
const withShop = (path, use, options = {}) =>
  withPage(async (first) => {
    const context = await first
      .context()
      .browser()
      .newContext({ viewport: { width: 1440, height: 900 }, ...options });
    const page = await context.newPage();
    page.setDefaultTimeout(30_000);
    const problems = [];
    page.on('pageerror', (error) => problems.push(error.message));
    page.on('console', (message) => message.type() === 'error' && problems.push(message.text()));
    page.on('request', (request) => request.url().startsWith(`${url}/`) || problems.push(`foreign ${request.url()}`));
    await page.goto(`${url}${path}`);
    // The script takes over from the server.
    await page.locator('.first-results').waitFor({ state: 'detached' });
    await use(page, problems);
    assert.deepEqual(await context.cookies(), []);
    assert.deepEqual(problems, []);
  });

const cards = (page) => page.locator('main .card');
const field = (page) => page.locator('#search');

/** Waits until the page says that it shows this many products. */
const shows = (page, count) =>
  page
    .locator('.stats')
    .filter({ hasText: new RegExp(`(^|\\D)${count.toLocaleString('en')} product`) })
    .waitFor();

const parameters = (page) => new URL(page.url()).searchParams;

/** Waits until the address has these parameters and no others. */
const isAt = (page, expected) =>
  page.waitForFunction(
    (expected) => new URLSearchParams(location.search).toString() === expected,
    new URLSearchParams(expected).toString(),
  );

test('a shopper searches as they type, and the address has the words', () =>
  withShop('/', async (page) => {
    await shows(page, (await ownSearch({})).total);
    await field(page).pressSequentially('teapot', { delay: 20 });
    await shows(page, (await ownSearch({ query: 'teapot' })).total);
    await isAt(page, { query: 'teapot' });
    assert.match(await page.locator('main .card mark').first().innerText(), /teapot/i);
    assert.match(await page.title(), /teapot/);
    await field(page).fill('');
    await shows(page, (await ownSearch({})).total);
  }));

test('suggestions complete words, open categories and products, by keyboard', () =>
  withShop('/', async (page) => {
    await cards(page).first().waitFor();
    await field(page).pressSequentially('teap', { delay: 20 });
    const list = page.getByRole('listbox');
    // Lists for fewer letters may come before.
    const { completions } = await (await fetch(`${url}/products/suggest?query=teap`)).json();
    await page.waitForFunction(
      (first) => document.querySelector('[role=option]')?.textContent === first,
      completions[0],
    );
    assert.equal(await field(page).getAttribute('aria-expanded'), 'true');
    await page.keyboard.press('ArrowDown');
    const active = await field(page).getAttribute('aria-activedescendant');
    const completion = await page.locator(`[id="${active}"]`).innerText();
    assert.match(completion, /^teap/i);
    await page.keyboard.press('Enter');
    await list.waitFor({ state: 'hidden' });
    assert.equal(await field(page).inputValue(), completion);
    await shows(page, (await ownSearch({ query: completion })).total);

    await field(page).fill('');
    await field(page).pressSequentially('kettle', { delay: 20 });
    const category = list.locator('.suggestion-category').first();
    await category.waitFor();
    await category.click();
    await page.waitForFunction(() => new URLSearchParams(location.search).has('category'));
    const { categories } = await (await fetch(`${url}/products/suggest?query=kettle`)).json();
    await shows(page, (await ownSearch({ category: categories[0].value })).total);
    await isAt(page, { category: categories[0].value });

    await field(page).pressSequentially('teapot', { delay: 20 });
    await list.locator('.suggestion-product').first().waitFor();
    await page.keyboard.press('Escape');
    await list.waitFor({ state: 'hidden' });
    assert.ok(await field(page).evaluate((input) => input === document.activeElement), 'the field keeps the focus');
    await page.keyboard.press('ArrowDown');
    const [name] = (await ownSearch({ query: 'teapot' })).products.map((product) => product.name);
    assert.equal(await list.locator('.suggestion-name').first().innerText(), name);
    await list.locator('.suggestion-product').first().click();
    await page.waitForURL(/\/shop\/products\//);
    await page.locator('h1').waitFor();
  }));

test('filters narrow the results, and what is chosen can be removed', () =>
  withShop('/?query=lamp', async (page) => {
    await shows(page, (await ownSearch({ query: 'lamp' })).total);
    const brands = page.getByRole('group', { name: 'Brand' });
    const label = await brands.locator('.filter-label').first().innerText();
    await brands.getByRole('checkbox').first().check();
    await shows(page, (await ownSearch({ query: 'lamp', brand: label })).total);
    await isAt(page, { query: 'lamp', brand: label });
    const colours = page.getByRole('group', { name: 'Colour' });
    const colour = await colours.locator('.filter-label').first().innerText();
    await colours.getByRole('checkbox').first().check();
    await shows(page, (await ownSearch({ query: 'lamp', brand: label, 'attributes.colour': colour })).total);
    await page.getByRole('button', { name: new RegExp(`Remove filter.*${colour}`) }).click();
    await shows(page, (await ownSearch({ query: 'lamp', brand: label })).total);
    await colours.getByRole('checkbox').first().check();
    await page.getByRole('button', { name: 'Clear all' }).click();
    await isAt(page, { query: 'lamp' });
    await page.getByRole('checkbox', { name: 'In stock only' }).check();
    await shows(page, (await ownSearch({ query: 'lamp', inStock: 'true' })).total);
  }));

test('categories open level by level', () =>
  withShop('/', async (page) => {
    await cards(page).first().waitFor();
    const categories = page.locator('.shop-columns').getByRole('link');
    await categories
      .filter({ hasText: /^Kitchen/ })
      .first()
      .click();
    await shows(page, (await ownSearch({ category: 'Kitchen' })).total);
    await categories
      .filter({ hasText: /^Knives/ })
      .first()
      .click();
    await shows(page, (await ownSearch({ category: 'Kitchen > Knives' })).total);
    await isAt(page, { category: 'Kitchen > Knives' });
    await page.goBack();
    await shows(page, (await ownSearch({ category: 'Kitchen' })).total);
  }));

test('the price is set by keyboard, and the order by a menu', () =>
  withShop('/?query=knife', async (page) => {
    await cards(page).first().waitFor();
    const lowest = page.getByRole('slider', { name: /Price.*From/ });
    await lowest.focus();
    for (let step = 0; step < 5; step += 1) {
      await page.keyboard.press('ArrowRight');
    }
    await page.waitForFunction(() => /^\d+(\.\d+)?-$/.test(new URLSearchParams(location.search).get('price')));
    const priceRange = parameters(page).get('price');
    await shows(page, (await ownSearch({ query: 'knife', priceRange })).total);
    await page.getByRole('combobox', { name: 'Sort by' }).selectOption({ label: 'Price: low to high' });
    const cheapest = await ownSearch({ query: 'knife', priceRange, sortBy: 'price_asc' });
    await page.waitForFunction(
      (name) => document.querySelector('main .card-name').textContent === name,
      cheapest.products[0].name,
    );
    await isAt(page, { query: 'knife', price: priceRange, sort: 'price_asc' });
  }));

test('a product opens, and back returns to the same results', () =>
  withShop('/?query=teapot&sort=price_desc', async (page) => {
    const { products } = await ownSearch({ query: 'teapot', sortBy: 'price_desc' });
    await page.waitForFunction(
      (name) => document.querySelector('main .card-name')?.textContent === name,
      products[0].name,
    );
    await cards(page).first().getByRole('link').click();
    await page.waitForURL(`${url}/shop/products/${products[0].id}`);
    assert.equal(await page.getByRole('heading', { level: 1 }).innerText(), products[0].name);
    await page
      .getByText(`$${products[0].price.toFixed(2)}`)
      .first()
      .waitFor();
    const related = page.getByRole('region', { name: 'You may also like' }).getByRole('link');
    assert.ok((await related.count()) >= 4, 'related products');
    await related.first().click();
    await page.waitForURL((address) => address.pathname !== `/shop/products/${products[0].id}`);
    await page.goBack();
    await page.goBack();
    await isAt(page, { query: 'teapot', sort: 'price_desc' });
    await page.waitForFunction(
      (name) => document.querySelector('main .card-name')?.textContent === name,
      products[0].name,
    );
    assert.equal(await field(page).inputValue(), 'teapot');
  }));

test('pages follow each other', () =>
  withShop('/', async (page) => {
    await cards(page).first().waitFor();
    const first = await cards(page).first().innerText();
    await page.getByRole('link', { name: 'Next page' }).click();
    await page.waitForFunction((first) => document.querySelector('main .card').innerText !== first, first);
    await isAt(page, { page: '2' });
  }));

test('words that are left out are named, and a search without results helps', () =>
  withShop('/?query=ceramic+teapot+zzzzqqq', async (page) => {
    await page.getByText(/Left out: .*zzzzqqq/).waitFor();
    assert.ok((await cards(page).count()) > 0);
    await field(page).fill('cermaic teepot');
    await page.getByRole('listbox').waitFor();
    await page.keyboard.press('Escape');
    await page.getByText('Did you mean').getByRole('link').click();
    assert.equal(await field(page).inputValue(), (await ownSearch({ query: 'cermaic teepot' })).correctedQuery);
    await field(page).fill('zzzzqqq');
    await page
      .locator('.no-results')
      .getByRole('heading', { name: /zzzzqqq/ })
      .waitFor();
    assert.equal(await cards(page).count(), 0);
    await page.locator('.no-results').getByRole('link', { name: 'Kitchen' }).click();
    await shows(page, (await ownSearch({ category: 'Kitchen' })).total);
  }));

test('the shop speaks German and Japanese', async () => {
  const options = { locale: 'de-DE' };
  await withShop(
    '/',
    async (page) => {
      await page
        .locator('.stats')
        .filter({ hasText: `${(await ownSearch({})).total.toLocaleString('de')} Produkte` })
        .waitFor();
      await cards(page)
        .getByText(/\d,\d\d\s\$/)
        .first()
        .waitFor();
      await page.getByRole('link', { name: '日本語' }).click();
      await page.getByRole('button', { name: '検索' }).waitFor();
      await isAt(page, { language: 'ja' });
      await field(page).fill('急須');
      const { total } = await ownSearch({ query: '急須' });
      await page
        .locator('.stats')
        .filter({ hasText: `${total}件` })
        .waitFor();
      await page.getByRole('listbox').waitFor();
      await page.keyboard.press('Escape');
      await cards(page).first().getByRole('link').click();
      await page.waitForURL(/language=ja/);
      await page.getByText('在庫', { exact: false }).first().waitFor();
    },
    options,
  );
});

test('values and categories of any form can be chosen, shared and removed', async () => {
  const category = 'Odd > -10% > c > d > e > Deep';
  const product = { name: 'Oddity', brand: '-Dash & "Co"', category, attributes: { colour: '-5' }, price: 3 };
  const response = await fetch(`${url}/products/oddity`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(product),
  });
  assert.ok(response.ok);
  await fetch(`${url}/products/search?syncToken=${response.headers.get('noren-sync-token')}`);
  await withShop('/shop/products/oddity', async (page) => {
    for (const [label, name] of [
      [product.brand, 'brand'],
      ['Deep', 'category'],
    ]) {
      await page.goto(`${url}/shop/products/oddity`);
      await page.getByRole('link', { name: label }).first().click();
      await shows(page, 1);
      await cards(page).filter({ hasText: 'Oddity' }).waitFor();
      assert.equal(parameters(page).get(name), product[name]);
      await page.getByRole('button', { name: `Remove filter: ${label}` }).click();
      await shows(page, (await ownSearch({})).total);
    }
    await page.goto(`${url}/?attributes.colour=-5`);
    await shows(page, 1);
    await page.goto(`${url}/?category=-${'x'.repeat(200)}&price=9-3&brand=`);
    await cards(page).first().waitFor();
  });
  assert.ok((await fetch(`${url}/products/oddity`, { method: 'DELETE' })).ok);
});

test('long words and small screens do not make pages scroll sideways', async () => {
  const long = 'Donaudampfschiff'.repeat(6);
  const product = {
    name: long,
    brand: long,
    category: `${long} > ${long}`,
    tags: [long],
    attributes: { [long]: long },
    price: 1e9,
  };
  const response = await fetch(`${url}/products/long`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(product),
  });
  assert.ok(response.ok);
  await fetch(`${url}/products/search?syncToken=${response.headers.get('noren-sync-token')}`);
  const category = new URLSearchParams({ category: product.category, brand: long });
  for (const path of ['/', `/?${category}`, '/?query=zzzzqqq', '/shop/products/long', '/shop/products/ket-0004']) {
    for (const width of [320, 1200]) {
      await withShop(
        path,
        async (page) => {
          await page.locator('.picture, .no-results .pill').first().waitFor();
          const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
          assert.ok(overflow <= 0, `${path} at ${width}: ${overflow} pixels too wide`);
        },
        { viewport: { width, height: 640 } },
      );
    }
  }
  assert.ok((await fetch(`${url}/products/long`, { method: 'DELETE' })).ok);
});

test('an error of the service is shown, and the search can be tried again', () =>
  withShop('/', async (page, problems) => {
    await cards(page).first().waitFor();
    await page.route('**/1/**', (route) => route.abort());
    await field(page).fill('lamp');
    await page.getByRole('alert').waitFor();
    assert.ok((await cards(page).count()) > 0, 'the old results stay');
    await page.unroute('**/1/**');
    await page.getByRole('alert').getByRole('button').click();
    await shows(page, (await ownSearch({ query: 'lamp' })).total);
    assert.ok(
      problems.every((problem) => problem.includes('net::ERR_FAILED')),
      `${problems}`,
    );
    problems.splice(0);
  }));

test('what the server wrote stays if the first search fails', () =>
  withPage(async (page) => {
    await page.route('**/1/**', (route) => route.abort());
    await page.goto(`${url}/?query=lamp`);
    await page.getByRole('alert').getByRole('button').waitFor();
    assert.ok((await cards(page).count()) > 5);
    await page.unroute('**/1/**');
    await page.getByRole('alert').getByRole('button').click();
    await page.locator('.first-results').waitFor({ state: 'detached' });
    await shows(page, (await ownSearch({ query: 'lamp' })).total);
    await page.getByRole('alert').waitFor({ state: 'hidden' });
  }));

test('pages have no violation of accessibility rules and fit the width', async () => {
  const pages = [
    ['/', (page) => cards(page).first().waitFor()],
    ['/?query=lamp&attributes.colour=red', (page) => cards(page).first().waitFor()],
    ['/?query=zzzzqqq', (page) => page.locator('.no-results').waitFor()],
    [
      '/?query=teapot',
      async (page) => {
        await field(page).press('ArrowDown');
        await page.getByRole('listbox').waitFor();
      },
    ],
    ['/shop/products/ket-0004?language=ja', (page) => page.locator('h1').waitFor()],
    ['/shop/products/none?language=de', (page) => page.locator('h1').waitFor()],
  ];
  for (const [path, isReady] of pages) {
    for (const width of [360, 1440]) {
      for (const colorScheme of ['light', 'dark']) {
        await withShop(
          path,
          async (page, problems) => {
            await isReady(page);
            // The browser logs the status of the page of a product that is not there.
            const others = problems.filter((problem) => !problem.includes('404 (Not Found)'));
            problems.splice(0, Infinity, ...others);
            const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
            assert.ok(overflow <= 0, `${path} at ${width}: ${overflow} pixels too wide`);
            if (process.env.SCREENSHOTS) {
              const name = `${path.replace(/\W+/g, '-')}${width}-${colorScheme}.png`;
              await page.screenshot({ path: `${process.env.SCREENSHOTS}/${name}` });
            }
            const violations = await violationsOf(page);
            assert.deepEqual(violations, [], `${path} at ${width}, ${colorScheme}`);
          },
          { viewport: { width, height: 800 }, colorScheme },
        );
      }
    }
  }
});

/** Returns the violations that axe finds, each with the elements. The page's policy forbids scripts from elsewhere, so axe runs in an isolated world. */
async function violationsOf(page) {
  const session = await page.context().newCDPSession(page);
  const { frameTree } = await session.send('Page.getFrameTree');
  const { executionContextId } = await session.send('Page.createIsolatedWorld', { frameId: frameTree.frame.id });
  const run = async (expression) => {
    const { result, exceptionDetails } = await session.send('Runtime.evaluate', {
      expression,
      contextId: executionContextId,
      awaitPromise: true,
      returnByValue: true,
    });
    assert.equal(exceptionDetails, undefined, JSON.stringify(exceptionDetails));
    return result.value;
  };
  await run(await readFile(axe, 'utf8'));
  return run(`axe.run().then(({ violations }) =>
    violations.map(({ id, nodes }) => [id, nodes.map(({ html, failureSummary }) => [html, failureSummary])]))`);
}

test('the page has the same first results as the script', async () => {
  for (const path of ['/', '/?query=lamp', '/?category=Kitchen&price=-50', '/?query=lamp&sort=price_desc&page=2']) {
    const html = await (await fetch(`${url}${path}`, { headers: { accept: 'text/html' } })).text();
    const first = [...html.matchAll(/href="\.\/shop\/products\/([^"]+)"/g)].map(([, id]) => id);
    assert.ok(first.length > 5, path);
    await withShop(path, async (page) => {
      await page.locator('.first-results').waitFor({ state: 'detached' });
      const links = await cards(page)
        .getByRole('link')
        .evaluateAll((links) => links.map((link) => link.pathname));
      assert.deepEqual(
        links.map((link) => link.split('/').at(-1)),
        first,
        path,
      );
    });
  }
});

test('the script is small, and the time to the first results is measured', async () => {
  const times = [];
  await withPage(async (first) => {
    for (let visit = 0; visit < VISITS; visit += 1) {
      // Without anything in the browser's caches.
      const context = await first
        .context()
        .browser()
        .newContext({ viewport: { width: 1440, height: 900 } });
      const page = await context.newPage();
      await page.addInitScript(() => {
        new MutationObserver((_, observer) => {
          if (document.querySelector('main .card')) {
            observer.disconnect();
            const inPage = performance.now();
            // The browser paints between these two.
            requestAnimationFrame(() =>
              setTimeout(() => (window.firstResult = { inPage, painted: performance.now() })),
            );
          }
        }).observe(document, { childList: true, subtree: true });
      });
      await page.goto(url);
      await page.waitForFunction(() => window.firstResult);
      times.push(await page.evaluate(() => window.firstResult));
      await context.close();
    }
  });
  for (const moment of ['inPage', 'painted']) {
    const sorted = times.map((time) => Math.round(time[moment])).sort((a, b) => a - b);
    console.log(`first results ${moment} after ${sorted.join(', ')} ms (median ${sorted[VISITS >> 1]})`);
  }
  const page = await (await fetch(url, { headers: { accept: 'text/html' } })).text();
  const [script] = page.match(/shop\/storefront\.js\?v=\w+/);
  const response = await fetch(`${url}/${script}`, { headers: { 'accept-encoding': 'gzip' } });
  const bytes = Number(response.headers.get('content-length'));
  console.log(`the script has ${bytes} bytes compressed`);
  assert.ok(bytes > 0 && bytes <= SCRIPT_BYTES, `${bytes} bytes`);
});
