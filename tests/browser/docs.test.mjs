// The interactive documentation: "Execute" with the example values gets the response that the document promises.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { url, withPage } from './browser.mjs';

/** Starts an import job of one product, and returns its id. */
async function importedJob() {
  const response = await fetch(`${url}/imports`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-ndjson' },
    body: '{"id": "browser-lamp", "name": "Lamp"}\n',
  });
  assert.equal(response.status, 202);
  return (await response.json()).id;
}

/** Returns the ids of the GET operations in the server's document. */
async function operationsOfDocument() {
  const { paths } = await (await fetch(`${url}/openapi.json`)).json();
  return Object.values(paths).flatMap(({ get }) => get?.operationId ?? []);
}

/** Presses a button, without waiting until the whole page is painted. */
const press = (button) => button.evaluate((element) => element.click());

/** Presses "Try it out" and "Execute" of an operation, with `values` for parameters without example, and returns the status. */
async function execute(operation, values) {
  const summary = operation.locator('.opblock-summary-control');
  await press(summary);
  await press(operation.locator('.try-out__btn'));
  for (const [name, value] of Object.entries(values)) {
    const input = operation.locator(`tr[data-param-name="${name}"] input`);
    await input.fill(value);
    // The page takes the value over after a while, or when the input loses the focus.
    await input.blur();
  }
  await press(operation.locator('.execute'));
  const result = operation.locator('.live-responses-table .response .response-col_status, .validation-errors').first();
  const status = (await result.textContent()).trim();
  const requested = await operation.locator('.request-url').allTextContents();
  await press(summary);
  return { status, requested };
}

test('every GET operation of /docs answers its example values as documented', () =>
  withPage(async (page) => {
    // What no document can know, and the status that it gets.
    const exceptions = {
      readImport: { values: { id: await importedJob() }, status: '200' },
      readDeadLetter: { values: { key: 'unknown' }, status: '404' },
    };
    const foreign = [];
    const errors = [];
    page.on('request', (request) => request.url().startsWith(`${url}/`) || foreign.push(request.url()));
    page.on('pageerror', (error) => errors.push(error.message));
    await page.goto(`${url}/docs`);
    const operations = page.locator('.opblock-get');
    await operations.first().waitFor();

    const answers = {};
    const expected = {};
    for (const operation of await operations.all()) {
      const name = (await operation.getAttribute('id')).split('-').at(-1);
      const { values, status } = exceptions[name] ?? { values: {}, status: '200' };
      const answer = await execute(operation, values);
      console.log(`${answer.status} ${name} ${answer.requested.join(' ').replace(/^Request URL\s*/, '')}`);
      answers[name] = answer.status;
      expected[name] = status;
    }
    assert.deepEqual(answers, expected);
    assert.deepEqual(Object.keys(answers).sort(), (await operationsOfDocument()).sort());
    assert.deepEqual(foreign, [], 'the page loads nothing from other servers');
    assert.deepEqual(errors, [], 'no script fails');
    if (process.env.SCREENSHOT) {
      await page.screenshot({ path: process.env.SCREENSHOT });
    }
  }));
