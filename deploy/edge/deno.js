// Deno and Deno Deploy: ORIGIN=https://catalogue.example deno run --allow-net --allow-env deno.js
// STORE=none keeps nothing, for the cache of a CDN that needs the tags.
import { createEdge } from './edge.js';
import { cacheStore } from './stores.js';

const edge = createEdge({
  origin: Deno.env.get('ORIGIN'),
  store: Deno.env.get('STORE') === 'none' ? undefined : cacheStore(() => caches.open('noren')),
  timeoutMs: Number(Deno.env.get('TIMEOUT_MS') ?? 5000),
});

// Tasks continue after the response by themselves.
Deno.serve((request, { remoteAddr }) => edge(request, () => {}, remoteAddr.hostname));
