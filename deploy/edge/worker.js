// Cloudflare Workers. ORIGIN is the address of Noren; wrangler.toml sets it.
import { createEdge } from './edge.js';
import { cacheStore } from './stores.js';

let edge;

export default {
  fetch(request, env, context) {
    edge ??= createEdge({
      origin: env.ORIGIN,
      store: cacheStore(async () => caches.default),
      timeoutMs: Number(env.TIMEOUT_MS ?? 5000),
    });
    return edge(request, task => context.waitUntil(task), request.headers.get('cf-connecting-ip'));
  },
};
