// What the tests in a browser share: the browser, and the address of a running `noren serve --demo`.

import { chromium } from 'playwright-core';

/** The address of the server, without a slash at the end. */
export const url = process.env.NOREN_URL;

/** Limit of each wait, for a busy machine. */
const TIMEOUT_MS = 30_000;

/**
 * Calls `use` with a new page, and closes the browser afterwards. Chromium runs with these further arguments, and without its
 * sandbox, which root cannot have.
 */
export async function withPage(use, args = []) {
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM, args: ['--no-sandbox', ...args] });
  try {
    const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
    page.setDefaultTimeout(TIMEOUT_MS);
    return await use(page);
  } finally {
    await browser.close();
  }
}
