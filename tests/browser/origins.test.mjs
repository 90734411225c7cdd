// Pages of other sites: with the defaults of a service on this machine they may search, and do nothing else.

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { test } from 'node:test';
import { url, withPage } from './browser.mjs';

/** A name that its owner lets resolve to this machine. */
const REBOUND = 'evil.example';
const REBINDING = [`--host-resolver-rules=MAP ${REBOUND} 127.0.0.1`];

/** Calls `use` with the port of a server whose pages are empty. */
async function withSite(use) {
  const server = createServer((_, response) => {
    response.setHeader('content-type', 'text/html');
    response.end('<!doctype html><title>another site</title>');
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    return await use(server.address().port);
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

/** What the page does in the browser: everything that could write, import or reach an operator's route. */
async function attack({ target, id }) {
  const line = JSON.stringify({ id, name: 'Written by a page' });
  const outcomes = {};
  const attempt = async (name, path, options) => {
    try {
      const response = await fetch(`${target}${path}`, options);
      outcomes[name] = response.type === 'opaque' ? 'opaque' : response.status;
      await response.arrayBuffer();
    } catch {
      outcomes[name] = 'blocked';
    }
  };
  const post = (type, mode = 'cors') => ({ method: 'POST', mode, headers: { 'content-type': type }, body: line });
  const json = { 'content-type': 'application/json' };
  await attempt('simple POST', '/products', post('text/plain'));
  await attempt('no-cors POST', '/products', post('text/plain', 'no-cors'));
  await attempt('POST of an unnamed type', '/products', { method: 'POST', mode: 'no-cors', body: new Blob([line]) });
  await attempt('JSON POST', '/products', post('application/json'));
  await attempt('JSON PUT', `/products/${id}`, { method: 'PUT', headers: json, body: '{"name": "Written by a page"}' });
  await attempt('PATCH', '/products/browser-own', { method: 'PATCH', headers: json, body: '{"name": "Changed"}' });
  await attempt('DELETE', '/products/browser-own', { method: 'DELETE' });
  await attempt('bulk', '/products/bulk', post('text/plain', 'no-cors'));
  await attempt('NDJSON bulk', '/products/bulk', post('application/x-ndjson'));
  await attempt('import', '/imports', post('text/plain', 'no-cors'));
  await attempt('NDJSON import', '/imports', post('application/x-ndjson'));
  await attempt('rebuild', '/admin/reindex', { method: 'POST', mode: 'no-cors' });
  await attempt('repair', '/admin/verify?repair=true', { method: 'POST', mode: 'no-cors' });
  await attempt('drop', '/admin/dead-letters/drop', post('text/plain', 'no-cors'));
  for (const path of ['/admin/index', '/admin/dead-letters', '/products', '/products/browser-own', '/imports', '/metrics']) {
    await attempt(`GET ${path}`, path, {});
    await attempt(`no-cors GET ${path}`, path, { mode: 'no-cors' });
  }
  navigator.sendBeacon(`${target}/products`, line);
  return outcomes;
}

/** Sends a form by the page, which needs no script of the target, and waits for the response. */
async function sendForm(page, target, path, id) {
  const answered = page.waitForResponse((response) => response.url() === `${target}${path}`);
  await page.evaluate(
    ({ target, path, id }) => {
      const frame = document.createElement('iframe');
      frame.name = `frame-${path}`;
      const form = document.createElement('form');
      Object.assign(form, { method: 'post', action: `${target}${path}`, enctype: 'text/plain', target: frame.name });
      const input = document.createElement('input');
      input.name = `{"id": "${id}", "name": "Written by a form", "description": "`;
      input.value = '"}';
      form.append(input);
      document.body.append(frame, form);
      form.submit();
    },
    { target, path, id },
  );
  return (await answered).status();
}

/** Returns what an operator on this machine sees: whether the product exists, the other one, and the numbers of products and jobs. */
async function catalogue(id) {
  const get = async (path) => fetch(`${url}${path}`);
  const own = await (await get('/products/browser-own')).json();
  return {
    written: (await get(`/products/${id}`)).status,
    own: [own.name, own.version],
    imports: (await (await get('/imports')).json()).imports.length,
    // The id of the live generation: a rebuild makes a new one.
    index: JSON.stringify((await (await get('/admin/index')).json()).live),
  };
}

/** Writes the product that pages try to change, and waits until it is indexed. */
async function ownProduct() {
  const body = JSON.stringify({ name: 'Own' });
  const response = await fetch(`${url}/products/browser-own`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body,
  });
  assert.ok(response.ok, `${response.status}`);
  const token = response.headers.get('noren-sync-token');
  const search = await fetch(`${url}/products/search`, { headers: { 'noren-sync-token': token } });
  assert.equal(search.status, 200, 'it is indexed');
}

/** Lets a page attack, also by forms to these paths, and checks that the service refused each request and changed nothing. */
async function expectRefusals(page, target, id, forms) {
  await ownProduct();
  const before = await catalogue(id);
  assert.equal(before.written, 404);
  const letIn = [];
  page.on('response', (response) => {
    const path = response.url().startsWith(`${target}/`) ? new URL(response.url()).pathname : undefined;
    // The page at /docs may still be loading its own files, which are public.
    const isOfDocs = path === '/openapi.json' || path?.startsWith('/docs');
    const isAttack = path && !isOfDocs && response.request().method() !== 'OPTIONS';
    if (isAttack && response.status() !== 403) {
      letIn.push(`${response.request().method()} ${response.url()} ${response.status()}`);
    }
  });
  const beacon = page.waitForRequest((request) => request.resourceType() === 'ping');
  const outcomes = await page.evaluate(attack, { target, id });
  await (await beacon).response();
  for (const path of forms) {
    assert.equal(await sendForm(page, target, path, id), 403, path);
  }
  const isRefused = (outcome) => ['blocked', 'opaque', 403].includes(outcome);
  const succeeded = Object.entries(outcomes).filter(([, outcome]) => !isRefused(outcome));
  assert.deepEqual(succeeded, []);
  assert.deepEqual(letIn, [], 'the service lets no request in');
  assert.deepEqual(await catalogue(id), before, 'nothing has changed');
}

for (const host of ['127.0.0.1', 'localhost', REBOUND]) {
  test(`a page of ${host} on another port can neither write nor import nor reach operators' routes, but search`, () =>
    withSite((port) =>
      withPage(async (page) => {
        await page.goto(`http://${host}:${port}/`);
        await expectRefusals(page, url, `browser-${host.replaceAll('.', '-')}`, ['/products', '/products/bulk', '/imports']);
        const found = await page.evaluate(async (url) => {
          const body = JSON.stringify({ query: 'lamp' });
          const headers = { 'content-type': 'application/json' };
          const get = await fetch(`${url}/products/search?query=lamp`);
          const post = await fetch(`${url}/products/search`, { method: 'POST', headers, body });
          const suggest = await fetch(`${url}/products/suggest?query=la`);
          return [(await get.json()).total, (await post.json()).total, suggest.status];
        }, url);
        assert.ok(found[0] > 0 && found[1] === found[0], `${found}`);
        assert.equal(found[2], 200);
      }, REBINDING),
    ));
}

test('a name that is rebound to this machine reaches nothing, though the browser takes its pages for the same origin', () =>
  withPage(async (page) => {
    const rebound = url.replace('127.0.0.1', REBOUND);
    await page.goto(`${rebound}/docs`);
    // The policy of the service's own pages allows no forms.
    await expectRefusals(page, rebound, 'browser-rebound', []);
    const search = await page.evaluate(async (target) => (await fetch(`${target}/products/search?query=lamp`)).status, rebound);
    assert.equal(search, 403);
  }, REBINDING));

// Last, because what it starts goes on for a while.
test('the attempts succeed from a page of the service itself', () =>
  withPage(async (page) => {
    await ownProduct();
    await page.goto(`${url}/docs`);
    const outcomes = await page.evaluate(attack, { target: url, id: 'browser-control' });
    assert.equal(outcomes['JSON POST'], 201);
    assert.equal(outcomes['GET /admin/index'], 200);
    assert.equal(outcomes['NDJSON import'], 202);
    assert.equal(outcomes.rebuild, 200);
    assert.equal((await catalogue('browser-control')).written, 200);
  }));
