// Serves pages from another origin than Noren's, with packages from npm.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { url, withPage } from './browser.mjs';

export const { host, origin } = new URL(url);

/** Returns the answer of the own API to a search. */
export async function ownSearch(parameters) {
  return (await fetch(`${origin}/products/search?${new URLSearchParams(parameters)}`)).json();
}

/**
 * Opens a page that loads scripts, by their paths in the folder of the tests, and defines `searchClient`, the lite client. Calls `use`
 * with it, and fails if the page throws an error that it does not catch.
 */
export async function withShop({ scripts, body }, use) {
  const client = 'node_modules/algoliasearch/dist/lite/builds/browser.umd.js';
  const tags = [client, ...scripts].map((script) => `<script src="/${script}"></script>`);
  const page = `<!doctype html><html lang="en"><meta charset="utf-8"><title>shop</title>${tags.join('')}<script>
    const { liteClient } = window['algoliasearch/lite'];
    const hosts = [{ url: '${host}', accept: 'readWrite', protocol: 'http' }];
    window.searchClient = liteClient('noren', 'anonymous', { hosts });
  </script>${body}`;
  const server = createServer(async (request, response) => {
    const isPage = request.url === '/';
    response.setHeader('content-type', isPage ? 'text/html' : 'text/javascript');
    const file = isPage ? Promise.resolve(page) : readFile(`.${request.url}`);
    await file.then(
      (text) => response.end(text),
      () => response.writeHead(404).end(),
    );
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    await withPage(async (page) => {
      const problems = [];
      page.on('pageerror', (error) => problems.push(error.message));
      await page.goto(`http://127.0.0.1:${server.address().port}/`);
      await use(page);
      assert.deepEqual(problems, []);
    });
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}
