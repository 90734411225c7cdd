// A caching proxy in front of Noren, on nothing but the interfaces of the web: `fetch`, `Request`, `Response`.
//
// 1. A GET without credentials and without a sync token is answered from the store, if the origin allowed that for its age.
// 2. Past that age, within `stale-while-revalidate`, the stored response is used at once and replaced in the background.
// 3. If the origin fails or takes too long, the stored response is used within `stale-if-error`.
// 4. Every other request goes to the origin as it is, and so does its response.
import { ageOf, fits, isKnown, lifetime, mayStore } from './cache-control.js';
import { tagsOf } from './tags.js';

const NAME = 'noren-edge';
// A request with one of these is for one client, or for a part of a response.
const PRIVATE = ['authorization', 'x-api-key', 'noren-sync-token', 'range'];
// These are about one connection. `fetch` writes its own.
const OF_CONNECTION = ['host', 'connection', 'keep-alive', 'transfer-encoding', 'upgrade', 'expect'];
// The errors of RFC 5861: the origin cannot respond. Others, such as 404, are its response.
const FAILED = [500, 502, 503, 504];

// `origin` is the address of Noren. `store` keeps entries, and may forget any of them: `get(key)`, `set(key, entry, seconds)` and
// `delete(key)`; without one, responses get their tags and nothing else. The returned function takes a request, the function that
// keeps a task alive after the response, and the address of the client.
export function createEdge({ origin, store, timeoutMs = 5000, now = Date.now }) {
  const base = new URL(origin).origin;
  const refreshing = new Map();

  return async function handle(request, waitUntil, client) {
    const { pathname, search } = new URL(request.url);
    const call = { request, address: base + pathname + search, client };
    const isCached = request.method === 'GET' && !PRIVATE.some(name => request.headers.has(name));
    if (!isCached) return fetch(forward(call, {})).catch(() => unavailable(502));

    const entry = await quietly(() => store?.get(call.address));
    if (!entry) return first(call, 'uri-miss', waitUntil);
    if (!fits(request, entry.headers)) return first(call, 'vary-miss', waitUntil);
    const { fresh, whileRevalidating, ifError } = lifetime(entry.headers);
    const age = ageNow(entry);
    const ttl = `ttl=${fresh - age}`;
    if (age < fresh) return stored(request, entry, 'HIT', `hit; ${ttl}`);
    if (age < fresh + whileRevalidating) {
      if (claim(call.address)) waitUntil(inBackground(call, entry));
      return stored(request, entry, 'STALE', `hit; ${ttl}`);
    }

    const renewed = await renew(call, entry).catch(() => undefined);
    const status = `fwd=stale${renewed ? `; fwd-status=${renewed.status}` : ''}`;
    if (renewed?.entry) return stored(request, renewed.entry, 'MISS', `${status}; stored`);
    const hasFailed = !renewed || FAILED.includes(renewed.status);
    if (hasFailed && age < fresh + ifError) {
      await renewed?.response.body?.cancel();
      return stored(request, entry, 'STALE', `${status}; ${ttl}; detail=stale-if-error`);
    }
    return renewed ? conditional(request, marked(renewed.response, 'MISS', status)) : marked(unavailable(504), 'MISS', status);
  };

  // The request for the origin, with the address of the client instead of what the client itself claims.
  function forward({ request, address, client }, { tag, signal }) {
    const headers = new Headers(request.headers);
    for (const name of OF_CONNECTION) headers.delete(name);
    for (const name of ['x-forwarded-for', 'forwarded']) headers.delete(name);
    if (client) headers.set('x-forwarded-for', client);
    // Noren must know in any case that the request is not from the machine that connects to it.
    else headers.set('forwarded', 'for=unknown');
    // Not every `fetch` decodes bodies. The platform compresses them for clients that want that.
    headers.set('accept-encoding', 'identity');
    if (signal) {
      // The response is for all clients, so it must not depend on what this one has.
      for (const name of ['if-none-match', 'if-modified-since']) headers.delete(name);
      if (tag) headers.set('if-none-match', tag);
    }
    const { method, body } = request;
    return new Request(address, { method, headers, body, redirect: 'manual', signal, ...(body && { duplex: 'half' }) });
  }

  // Returns the response of the origin and, if it may be stored, the entry. Fails if that takes too long. The time ends with the
  // head of a response that is passed on: its body may be endless.
  async function ask(call, old) {
    const controller = new AbortController();
    let timer;
    // A race, because the signal of a request may be collected as garbage before it fires (Node.js 20).
    const late = new Promise((_, reject) => {
      timer = setTimeout(() => {
        reject(new Error('the origin is too slow'));
        controller.abort();
      }, timeoutMs);
    });
    try {
      const request = forward(call, { tag: old?.headers.get('etag'), signal: controller.signal });
      const response = await Promise.race([fetch(request), late]);
      const { status } = response;
      if (old && status === 304) return { status, entry: updated(old, response.headers) };
      if (!mayStore(call.request, response)) return { status, response };
      const body = await Promise.race([response.arrayBuffer(), late]);
      const headers = ofEntry(response.headers);
      if (!headers.has('cache-tag') && /\bjson\b/.test(headers.get('content-type'))) headers.set('cache-tag', tagsOf(body));
      if (!headers.get('cache-tag')) headers.delete('cache-tag');
      return { status, entry: { headers, body, storedAt: now() } };
    } finally {
      clearTimeout(timer);
    }
  }

  // Answers a request for which nothing is stored.
  async function first(call, reason, waitUntil) {
    const { status, response, entry } = await ask(call).catch(() => ({}));
    if (!status) return marked(unavailable(504), 'MISS', `fwd=${reason}`);
    const told = `fwd=${reason}; fwd-status=${status}`;
    if (!entry) return conditional(call.request, marked(response, 'MISS', told));
    if (!store) return stored(call.request, entry, 'MISS', told);
    waitUntil(keep(call.address, entry));
    return stored(call.request, entry, 'MISS', `${told}; stored`);
  }

  // Replaces an entry. Removes it if the origin has another response, such as 404, which may not be stored.
  async function renew(call, old) {
    const renewed = await ask(call, old);
    if (renewed.entry) await keep(call.address, renewed.entry);
    else if (!FAILED.includes(renewed.status)) await quietly(() => store.delete(call.address));
    return renewed;
  }

  async function inBackground(call, entry) {
    try {
      const { response } = await renew(call, entry);
      await response?.body?.cancel();
    } catch {
      // The entry stays, and the next request tries again.
    } finally {
      refreshing.delete(call.address);
    }
  }

  // Returns true if nobody renews this address. A claim expires, because the platform may end a task at any time.
  function claim(address) {
    if (refreshing.get(address) > now()) return false;
    if (refreshing.size >= 1000) refreshing.clear();
    refreshing.set(address, now() + timeoutMs);
    return true;
  }

  function updated(old, changes) {
    const headers = new Headers(old.headers);
    headers.delete('age');
    for (const [name, value] of ofEntry(changes)) headers.set(name, value);
    return { headers, body: old.body, storedAt: now() };
  }

  async function keep(address, entry) {
    const { fresh, whileRevalidating, ifError } = lifetime(entry.headers);
    // With a tag, a response that may not be used any more can still become fresh again without its body.
    const forTag = entry.headers.has('etag') ? 3600 : 0;
    const left = fresh + Math.max(whileRevalidating, ifError, forTag) - ageOf(entry.headers);
    if (left > 0) await quietly(() => store.set(address, entry, left));
  }

  function ageNow({ headers, storedAt }) {
    return ageOf(headers) + Math.max(0, Math.floor((now() - storedAt) / 1000));
  }

  function stored(request, entry, word, status) {
    const response = new Response(entry.body, { headers: entry.headers });
    const age = ageNow(entry);
    if (age > 0 || word !== 'MISS') response.headers.set('age', String(age));
    return conditional(request, marked(response, word, status));
  }
}

// A store that fails is one that has nothing.
async function quietly(call) {
  try {
    return await call();
  } catch {
    return undefined;
  }
}

// The header fields of a response that describe it to every client.
function ofEntry(fields) {
  const headers = new Headers(fields);
  for (const name of [...OF_CONNECTION, 'content-length']) headers.delete(name);
  return headers;
}

// Cache-Status keeps the entry of the origin: the list begins with the cache that is nearest to it.
function marked(response, word, status) {
  const answer = new Response(response.body, response);
  answer.headers.set('x-cache', word);
  answer.headers.append('cache-status', `${NAME}; ${status}`);
  return answer;
}

// Returns 304 instead if the client has the response already.
function conditional(request, response) {
  if (response.status !== 200 || !isKnown(request, response.headers)) return response;
  const headers = ofEntry(response.headers);
  headers.delete('content-type');
  return new Response(null, { status: 304, headers });
}

function unavailable(status) {
  const title = { 502: 'Bad Gateway', 504: 'Gateway Timeout' }[status];
  const problem = { type: 'about:blank', title, status, detail: 'the service does not respond; try again' };
  const headers = { 'content-type': 'application/problem+json', 'retry-after': '1', 'cache-control': 'no-store' };
  return new Response(JSON.stringify(problem), { status, headers });
}
