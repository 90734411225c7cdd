// The edge with a clock that the tests set, on Node.js.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, test } from 'node:test';
import { createEdge } from '../edge.js';
import { memoryStore } from '../stores.js';
import { startOrigin, until } from './origin.js';

const origin = await startOrigin();
after(() => origin.stop());

function start({ store, timeoutMs = 1000 } = {}) {
  let time = 1_000_000_000_000;
  const now = () => time;
  const tasks = [];
  const edge = createEdge({ origin: origin.url, store: store ?? memoryStore({ now }), timeoutMs, now });
  return {
    async get(path, headers = {}) {
      const response = await edge(new Request(`https://shop.example${path}`, { headers }), task => tasks.push(task), '192.0.2.7');
      const result = {
        status: response.status, text: await response.text(), cache: response.headers.get('x-cache'),
        told: response.headers.get('cache-status'), age: response.headers.get('age'),
      };
      await Promise.all(tasks.splice(0));
      return result;
    },
    edge,
    pass: seconds => (time += seconds * 1000),
  };
}

test('each second of the age decides', async () => {
  let status = 200;
  origin.on('/ages', () => ({ status, headers: { 'cache-control': 'max-age=60, stale-while-revalidate=30, stale-if-error=600' } }));
  const { get, pass } = start();
  await get('/ages');
  status = 503;
  for (const [seconds, cache, age, told] of [
    [59, 'HIT', '59', 'noren-edge; hit; ttl=1'],
    [1, 'STALE', '60', 'noren-edge; hit; ttl=0'],
    [29, 'STALE', '89', 'noren-edge; hit; ttl=-29'],
    [1, 'STALE', '90', 'noren-edge; fwd=stale; fwd-status=503; ttl=-30; detail=stale-if-error'],
    [569, 'STALE', '659', 'noren-edge; fwd=stale; fwd-status=503; ttl=-599; detail=stale-if-error'],
  ]) {
    pass(seconds);
    const response = await get('/ages');
    assert.deepEqual([response.status, response.cache, response.age, response.told], [200, cache, age, told]);
  }
  pass(1);
  assert.deepEqual([(await get('/ages')).status, origin.requests('/ages').length], [503, 1 + 2 + 2 + 1]);
});

test('the age at the origin counts', async () => {
  origin.on('/aged', { headers: { 'cache-control': 'max-age=60', age: '50' } });
  const { get, pass } = start();
  assert.equal((await get('/aged')).age, '50');
  pass(9);
  assert.deepEqual((({ cache, age }) => [cache, age])(await get('/aged')), ['HIT', '59']);
  pass(1);
  assert.equal((await get('/aged')).cache, 'MISS');
});

test('s-maxage is for shared caches, and names are in any case', async () => {
  origin.on('/shared', { headers: { 'cache-control': 'Max-Age=0, S-MaxAge="60" ,public' } });
  const { get } = start();
  await get('/shared');
  assert.equal((await get('/shared')).told, 'noren-edge; hit; ttl=60');
});

test('a revalidated response has the new age and the new policy', async () => {
  const tag = { etag: '"1"' };
  origin.on('/renewed', request => request.headers['if-none-match']
    ? { status: 304, headers: { ...tag, 'cache-control': 'max-age=600', age: '5' }, body: '' }
    : { headers: { ...tag, 'cache-control': 'max-age=60', age: '30', 'content-type': 'text/plain' } });
  const { get, pass } = start();
  await get('/renewed');
  pass(100);
  assert.deepEqual((({ cache, age, text }) => [cache, age, text])(await get('/renewed')), ['MISS', '5', '/renewed']);
  pass(500);
  assert.equal((await get('/renewed')).told, 'noren-edge; hit; ttl=95');
});

test('the address of the client is the one that the platform names', async () => {
  origin.on('/client', { headers: { 'cache-control': 'no-store' } });
  const forged = { 'x-forwarded-for': '198.51.100.1', forwarded: 'for=198.51.100.1' };
  const { edge, get } = start();
  await get('/client', forged);
  await edge(new Request('https://shop.example/client', { headers: forged, method: 'POST' }), () => {});
  const fields = origin.requests('/client').map(({ headers }) => [headers['x-forwarded-for'], headers.forwarded]);
  assert.deepEqual(fields, [['192.0.2.7', undefined], [undefined, 'for=unknown']]);
});

test('a store that fails costs hits only', async () => {
  const fail = async () => { throw new Error('no space'); };
  origin.on('/no-store', { headers: { 'cache-control': 'max-age=60' } });
  const { get } = start({ store: { get: fail, set: fail, delete: () => { throw new Error('at once'); } } });
  for (const _ of [1, 2]) assert.deepEqual((({ status, cache }) => [status, cache])(await get('/no-store')), [200, 'MISS']);
});

test('without a store, each request is a MISS, with its tags', async () => {
  const json = { 'cache-control': 'max-age=60', 'content-type': 'application/json' };
  origin.on('/tagged', { headers: json, body: '{"products":[{"id":"lamp"}]}' });
  const edge = createEdge({ origin: origin.url });
  for (const _ of [1, 2]) {
    const { headers } = await edge(new Request('https://shop.example/tagged'), () => {});
    const told = ['x-cache', 'cache-status', 'cache-tag', 'cache-control'].map(name => headers.get(name));
    assert.deepEqual(told, ['MISS', 'noren-edge; fwd=uri-miss; fwd-status=200', 'product-lamp', 'max-age=60']);
  }
});

test('the time limit is for the head of a response that is passed on, and for the whole of one that is kept', async () => {
  let finish;
  const slow = createServer((request, response) => {
    response.writeHead(200, { 'cache-control': request.url === '/export' ? 'no-store' : 'max-age=60' });
    response.write('first,');
    finish = () => response.end('last');
  });
  await new Promise(resolve => slow.listen(0, '127.0.0.1', resolve));
  after(() => {
    slow.closeAllConnections();
    slow.close();
  });
  const timeoutMs = 200;
  const edge = createEdge({ origin: `http://127.0.0.1:${slow.address().port}`, store: memoryStore(), timeoutMs });
  const exported = await edge(new Request('https://shop.example/export'), () => {});
  const started = Date.now();
  await until(() => Date.now() - started > 2 * timeoutMs, 'the time limit');
  finish();
  assert.equal(await exported.text(), 'first,last');
  const kept = await edge(new Request('https://shop.example/search'), () => {});
  assert.equal(kept.status, 504);
});

test('memory is bounded, and what was used last stays', async () => {
  const store = memoryStore({ maxBytes: 100_000 });
  const entry = { headers: new Headers(), body: new ArrayBuffer(20_000), storedAt: 0 };
  for (const key of ['a', 'b', 'c', 'd']) await store.set(key, entry, 60);
  await store.get('a');
  await store.set('e', entry, 60);
  const kept = await Promise.all(['a', 'b', 'c', 'd', 'e'].map(async key => [key, (await store.get(key)) !== undefined]));
  assert.deepEqual(kept.filter(([, isKept]) => isKept).map(([key]) => key), ['a', 'c', 'd', 'e']);
  for (let at = 0; at < 1000; at++) await store.set('a', entry, 60);
  assert.notEqual(await store.get('c'), undefined, 'an entry that is replaced is counted once');
  await store.set('large', { ...entry, body: new ArrayBuffer(200_000) }, 60);
  assert.equal(await store.get('large'), undefined);
});
