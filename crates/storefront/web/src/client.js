// The client of the search protocol. It speaks to the service that served the page, and keeps nothing in the browser's storage.

import { liteClient } from 'algoliasearch/lite';
import { root } from './page.js';

/** The index of all products. Sort orders are indexes whose names begin with this one. */
export const INDEX = 'products';

/** In place of the client's cache of host states, which would be in `localStorage`. */
const noCache = {
  get: (_key, fallback) => fallback(),
  set: (_key, value) => Promise.resolve(value),
  delete: () => Promise.resolve(),
  clear: () => Promise.resolve(),
};

function createClient() {
  const path = root.pathname.replace(/\/$/, '');
  return liteClient('noren', 'anonymous', {
    hosts: [{ url: `${root.host}${path}`, accept: 'readWrite', protocol: root.protocol.slice(0, -1) }],
    hostsCache: noCache,
    timeouts: { connect: 4000, read: 8000, write: 8000 },
  });
}

/** The client of all searches of this page. */
export const client = createClient();
