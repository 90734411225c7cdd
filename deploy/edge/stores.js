// Stores of responses for createEdge.

// Keeps entries in a `Cache` of the platform, which removes them after their time or earlier.
export function cacheStore(open) {
  return {
    async get(key) {
      const found = await (await open()).match(key);
      if (!found) return undefined;
      const { headers, storedAt } = JSON.parse(found.headers.get('x-entry'));
      return { headers: new Headers(headers), storedAt, body: await found.arrayBuffer() };
    },
    async set(key, { headers, storedAt, body }, seconds) {
      // The entry's own headers are for clients. These are for the cache, which must keep it while it may be used stale.
      const entry = JSON.stringify({ headers: [...headers], storedAt });
      const own = new Headers({ 'cache-control': `public, max-age=${seconds}`, 'x-entry': entry });
      // Cloudflare purges by them.
      if (headers.has('cache-tag')) own.set('cache-tag', headers.get('cache-tag'));
      await (await open()).put(key, new Response(body, { headers: own }));
    },
    async delete(key) {
      await (await open()).delete(key);
    },
  };
}

// Keeps the entries that were used last in memory, up to a number of bytes.
export function memoryStore({ maxBytes = 32 << 20, now = Date.now } = {}) {
  const entries = new Map();
  let bytes = 0;
  const remove = key => {
    bytes -= entries.get(key)?.size ?? 0;
    entries.delete(key);
  };
  return {
    async get(key) {
      const found = entries.get(key);
      if (!found) return undefined;
      remove(key);
      if (found.until <= now()) return undefined;
      entries.set(key, found);
      bytes += found.size;
      return found.entry;
    },
    async set(key, entry, seconds) {
      remove(key);
      // With room for headers and the map itself.
      const size = entry.body.byteLength + key.length + 2048;
      entries.set(key, { entry, size, until: now() + seconds * 1000 });
      bytes += size;
      while (bytes > maxBytes) remove(entries.keys().next().value);
    },
    async delete(key) {
      remove(key);
    },
  };
}
