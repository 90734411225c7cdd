// Makes the pictures of the README: `make.mjs FOLDER PROGRAM`. `.ci/browser --pictures` runs it beside browser.mjs.

import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { url, withPage } from './browser.mjs';

const [, , folder, program] = process.argv;

/** Size of the pictures of pages, in pixels. */
const VIEWPORT = { width: 1440, height: 900 };

const TERMINAL = `<!doctype html><meta charset="utf-8"><style>
  body { margin: 0; padding: 24px; background: #11151f; width: max-content }
  pre { margin: 0; color: #e6eaf2; font: 15px/1.32 "DejaVu Sans Mono", "Noto Sans Mono CJK JP", monospace }
  .command { color: #9fb8ee; margin-bottom: 14px }
</style><pre class="command"></pre><pre class="output"></pre>`;

/** Waits until the pictures of products that can be seen are there. */
const waitForVisibleImages = (page) =>
  page.waitForFunction(() =>
    [...document.images].every((image) => image.getBoundingClientRect().top > innerHeight || image.complete),
  );

async function picture(page, path, name) {
  await page.setViewportSize(VIEWPORT);
  await page.goto(`${url}${path}`);
  await page.locator('main .card').first().waitFor();
  await waitForVisibleImages(page);
  await page.screenshot({ path: join(folder, name) });
}

async function terminal(page, args, name) {
  // Without the variable that the tests use: the program refuses unknown ones.
  const { NOREN_URL, ...env } = process.env;
  const { stdout } = await promisify(execFile)(program, [...args, '--url', NOREN_URL], { env });
  await page.goto('about:blank');
  await page.setContent(TERMINAL);
  const words = args.map((word) => (word.includes(' ') ? `'${word}'` : word));
  await page.evaluate(
    ([command, output]) => {
      document.querySelector('.command').textContent = command;
      document.querySelector('.output').textContent = output;
    },
    [`$ noren ${words.join(' ')}`, stdout.trimEnd()],
  );
  await page.locator('body').screenshot({ path: join(folder, name) });
}

await withPage(async (page) => {
  await picture(page, '/', 'storefront.png');
  await picture(
    page,
    '/?query=tea&category=Kitchen&price=-90&attributes.colour=red&attributes.colour=teal',
    'facets.png',
  );
  await terminal(page, ['explain', 'ket-0004', '--query', 'whisling teapot'], 'explain.png');
});
