import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { startOrigin, until } from './origin.js';
import { platforms } from './platforms.js';

// Long enough for a busy machine: only the tests of a silent origin should reach it.
const TIMEOUT_MS = 8000;
// The headers of a search of Noren, with the directives under test.
const search = (policy, more = {}) => ({
  'content-type': 'application/json',
  'cache-control': policy,
  vary: 'accept-encoding, noren-sync-token, authorization, x-api-key, access-control-request-headers',
  ...more,
});

// The platforms start one after the other.
let started = Promise.resolve();

// All at once: most of the time they wait for a second to pass, or for the time limit.
describe('edge', { concurrency: true }, () => {
  for (const [name, start] of Object.entries(platforms)) {
    describe(name, { concurrency: true }, () => {
      let origin;
      let edge;
      before(() => (started = started.then(async () => {
        origin = await startOrigin();
        edge = await start(origin.url, TIMEOUT_MS);
      })));
      after(async () => {
        await edge?.stop();
        origin?.stop();
      });

      async function get(path, headers = {}, more = {}) {
        const response = await fetch(edge.url + path, { headers, redirect: 'manual', signal: AbortSignal.timeout(60_000), ...more });
        const text = await response.text();
        const field = name => response.headers.get(name);
        return { status: response.status, text, field, cache: field('x-cache'), told: field('cache-status') };
      }
      const count = path => origin.requests(path).length;
      // Asks for a path, and waits until its response is stored: that happens after the first response.
      const fill = async path => {
        const first = await get(path);
        assert.equal(first.cache, 'MISS');
        await until(async () => (await get(path)).cache !== 'MISS', `${path} is stored`);
        return first;
      };
      // Waits until the stored response of a path is past its age, in real time.
      const whenStale = path => until(async () => {
        const response = await get(path);
        return response.cache === 'STALE' && response;
      }, `${path} is stale`);

      test('a search is a MISS once, and then a HIT', async () => {
        const body = JSON.stringify({ products: ['ランプ'] });
        const headers = search('public, max-age=300', { etag: 'W/"1"', 'cache-status': 'noren; hit', 'x-cache': 'HIT' });
        origin.on('/once', { headers, body });
        const first = await fill('/once?query=lamp');
        assert.deepEqual([first.status, first.cache, first.text], [200, 'MISS', body]);
        assert.equal(first.told, 'noren; hit, noren-edge; fwd=uri-miss; fwd-status=200; stored');
        const second = await get('/once?query=lamp');
        assert.deepEqual([second.status, second.cache, second.text], [200, 'HIT', body]);
        assert.match(second.told, /^noren; hit, noren-edge; hit; ttl=(29\d|300)$/);
        assert.match(second.field('age'), /^\d$/);
        for (const field of ['content-type', 'cache-control', 'etag', 'vary']) {
          assert.equal(second.field(field), first.field(field), field);
        }
        const before = count('/once');
        assert.equal((await get('/once?query=lamp')).cache, 'HIT');
        assert.equal(count('/once'), before);
        assert.equal((await get('/once?query=lamps')).cache, 'MISS');
      });

      test('a path reaches the origin as it is', async () => {
        // The local server of Vercel's runtime takes two slashes for a host.
        const slashes = name === 'vercel' ? [] : ['//other.example/x'];
        for (const path of [...slashes, '/products/a%2Fb', '/products/%E3%83%A9']) {
          origin.on(path, { headers: search('no-store') });
          assert.equal((await get(`${path}?query=a%20b&facets=x,y`)).text, path);
          assert.equal(origin.requests(path)[0].url, `${path}?query=a%20b&facets=x,y`);
        }
      });

      test('a request for one client passes, and its response serves nobody else', async () => {
        origin.on('/private', request => ({
          headers: search('public, max-age=300'),
          body: ['authorization', 'x-api-key', 'noren-sync-token', 'range'].find(name => request.headers[name]) ?? 'nobody',
        }));
        assert.equal((await fill('/private')).text, 'nobody');
        const fields = { authorization: 'Bearer x', 'x-api-key': 'nrn_x', 'noren-sync-token': 'x.1', range: 'bytes=0-1' };
        for (const [field, value] of Object.entries(fields)) {
          const response = await get('/private', { [field]: value });
          assert.deepEqual([response.text, response.cache, response.told], [field, null, null], field);
        }
        assert.equal((await get('/private')).text, 'nobody');
      });

      test('a write passes with its body, and so does its response', async () => {
        origin.on('/products/lamp', { status: 201, headers: { etag: '"1"', location: '/products/lamp' }, body: '{"version":1}' });
        const body = JSON.stringify({ name: 'Lamp', description: 'x'.repeat(200_000) });
        const headers = { 'x-api-key': 'nrn_x', 'content-type': 'application/json', 'if-match': '"0"', 'x-forwarded-for': '192.0.2.1' };
        const response = await get('/products/lamp', headers, { method: 'PUT', body });
        assert.deepEqual([response.status, response.text, response.cache], [201, '{"version":1}', null]);
        assert.deepEqual([response.field('etag'), response.field('location')], ['"1"', '/products/lamp']);
        const [seen] = origin.requests('/products/lamp');
        assert.deepEqual([seen.method, seen.body, seen.headers['if-match']], ['PUT', body, '"0"']);
        assert.notEqual(seen.headers['x-forwarded-for'], '192.0.2.1', 'a client does not choose its address');
        assert.equal(seen.headers.host, new URL(origin.url).host);
      });

      test('a redirect and a HEAD request pass', async () => {
        origin.on('/moved', { status: 302, headers: { location: '/elsewhere' }, body: '' });
        const moved = await get('/moved');
        assert.deepEqual([moved.status, moved.field('location')], [302, '/elsewhere']);
        origin.on('/head', { headers: search('public, max-age=300') });
        for (const _ of [1, 2]) assert.equal((await get('/head', {}, { method: 'HEAD' })).status, 200);
        assert.deepEqual(origin.requests('/head').map(each => each.method), ['HEAD', 'HEAD']);
      });

      test('what may not be kept is asked for each time', async () => {
        const long = 'public, max-age=300, stale-if-error=300';
        const cases = {
          'not-found': { status: 404, headers: search(long) },
          'server-error': { status: 500, headers: search(long) },
          'too-many': { status: 429, headers: search(long) },
          cookie: { headers: search(long, { 'set-cookie': 'a=b' }) },
          private: { headers: search('private, max-age=300') },
          'no-store': { headers: search('no-store, max-age=300') },
          'no-cache': { headers: search('no-cache') },
          unsaid: { headers: { 'content-type': 'application/json' } },
          unreadable: { headers: search('public, max-age=soon') },
          'vary-all': { headers: search(long, { vary: '*' }) },
          'vary-language': { headers: search(long, { vary: 'accept-language' }) },
          large: { headers: search(long, { 'content-length': 5 << 20 }), body: 'x'.repeat(5 << 20) },
        };
        for (const [name, answer] of Object.entries(cases)) {
          const path = `/never/${name}`;
          origin.on(path, answer);
          for (const _ of [1, 2]) {
            const response = await get(path, { 'accept-language': 'de' });
            assert.deepEqual([response.status, response.cache], [answer.status ?? 200, 'MISS'], name);
            assert.ok(response.text === (answer.body ?? path), `the body of ${name}`);
          }
          assert.equal(count(path), 2, name);
        }
      });

      test('a response that varies serves the requests that lack the field', async () => {
        origin.on('/vary', request => ({ headers: search('max-age=300', { vary: 'X-Shop' }), body: request.headers['x-shop'] ?? 'none' }));
        await fill('/vary');
        assert.deepEqual([(await get('/vary')).cache, (await get('/vary', { 'x-shop': 'a' })).text], ['HIT', 'a']);
        assert.equal((await get('/vary')).text, 'none');
      });

      test('a response names the products that it shows', async () => {
        origin.on('/tags', { headers: search('max-age=300'), body: '{"products":[{"id":"lamp-1"},{"id":"ラ,1"},{"id":"lamp-1"}]}' });
        const first = await fill('/tags');
        assert.equal(first.field('cache-tag'), 'product-lamp-1,product-%E3%83%A9%2C1');
        assert.equal((await get('/tags')).field('cache-tag'), first.field('cache-tag'));
      });

      test('bodies are kept without an encoding', async () => {
        origin.on('/plain', { headers: search('max-age=300') });
        await fill('/plain');
        for (const encoding of ['gzip', 'br, zstd']) assert.equal((await get('/plain', { 'accept-encoding': encoding })).cache, 'HIT');
        assert.ok(origin.requests('/plain').every(each => each.headers['accept-encoding'] === 'identity'));
        // Some platforms decode what was compressed all the same, others do not.
        origin.on('/gzip', { headers: search('max-age=300', { 'content-encoding': 'gzip' }), body: gzipSync('{}') });
        for (const _ of [1, 2]) await get('/gzip').catch(() => {});
        assert.equal(count('/gzip'), 2);
      });

      test('a client that has the response gets 304', async () => {
        origin.on('/known', { headers: search('max-age=300', { etag: 'W/"7"' }) });
        const known = { 'if-none-match': '"6", W/"7"' };
        const first = await get('/known', known);
        const hit = await until(async () => {
          const response = await get('/known', known);
          return response.cache === 'HIT' && response;
        }, 'a hit');
        for (const response of [first, hit]) {
          assert.deepEqual([response.status, response.text, response.field('etag')], [304, '', 'W/"7"']);
        }
        assert.equal((await get('/known', { 'if-none-match': '"6"' })).status, 200);
        assert.equal(origin.requests('/known')[0].headers['if-none-match'], undefined, 'the first response is for all clients');
      });

      test('past its age a response is STALE at once, and replaced in the background by one request', async () => {
        let version = 1;
        origin.on('/swr', () => ({ headers: search('max-age=1, stale-while-revalidate=60'), body: `version ${version}` }));
        assert.equal((await fill('/swr')).text, 'version 1');
        version = 2;
        const stale = await whenStale('/swr');
        assert.equal(stale.text, 'version 1');
        assert.match(stale.told, /^noren-edge; hit; ttl=(0|-\d)$/);
        const fresh = await until(async () => {
          const response = await get('/swr');
          return response.text === 'version 2' && response;
        }, 'the new version');
        assert.notEqual(fresh.cache, 'MISS', 'no request waited for the origin');
      });

      test('while the origin is slow, stale responses do not wait and do not add requests', async () => {
        let hang = false;
        origin.on('/slow', () => ({ hang, headers: search('max-age=1, stale-while-revalidate=60'), body: 'old' }));
        await fill('/slow');
        hang = true;
        await whenStale('/slow');
        const asked = count('/slow');
        const begun = Date.now();
        const responses = await Promise.all(Array.from({ length: 20 }, () => get('/slow')));
        assert.ok(responses.every(response => response.cache === 'STALE' && response.text === 'old'));
        assert.ok(Date.now() - begun < TIMEOUT_MS, `${Date.now() - begun} ms`);
        assert.ok(count('/slow') - asked <= 1, `${count('/slow') - asked} more requests`);
      });

      test('while the origin fails, a response within stale-if-error is STALE, and afterwards fresh again', async () => {
        let answer = { body: 'old' };
        origin.on('/sie', () => ({ headers: search('max-age=1, stale-if-error=60'), ...answer }));
        await fill('/sie');
        for (const [failing, told] of [
          [{ status: 503, body: 'down' }, /fwd=stale; fwd-status=503; ttl=(0|-\d+); detail=stale-if-error$/],
          [{ reset: true }, /fwd=stale; ttl=(0|-\d+); detail=stale-if-error$/],
          [{ hang: true }, /fwd=stale; ttl=(0|-\d+); detail=stale-if-error$/],
        ]) {
          answer = failing;
          const stale = await whenStale('/sie');
          assert.deepEqual([stale.status, stale.text], [200, 'old']);
          assert.match(stale.told, told);
        }
        answer = { body: 'new' };
        const recovered = await get('/sie');
        assert.deepEqual([recovered.text, recovered.cache], ['new', 'MISS']);
        assert.equal(recovered.told, 'noren-edge; fwd=stale; fwd-status=200; stored');
      });

      test('without stale-if-error, an error passes, and silence becomes 504', async () => {
        let answer = {};
        const policy = 'max-age=1, must-revalidate, stale-if-error=60, stale-while-revalidate=60';
        origin.on('/error', () => ({ headers: search(policy), ...answer }));
        await fill('/error');
        answer = { status: 503, body: '{"status":503}' };
        const failed = await until(async () => {
          const response = await get('/error');
          return response.status === 503 && response;
        }, 'the error');
        assert.deepEqual([failed.text, failed.cache], ['{"status":503}', 'MISS']);
        answer = { hang: true };
        origin.on('/never-answers', { hang: true });
        for (const late of await Promise.all([get('/error'), get('/never-answers')])) {
          assert.deepEqual([late.status, late.field('content-type')], [504, 'application/problem+json']);
          assert.deepEqual([late.field('retry-after'), late.field('cache-control')], ['1', 'no-store']);
        }
        origin.on('/reset', { reset: true });
        assert.equal((await get('/reset', {}, { method: 'POST', body: '{}' })).status, 502);
      });

      test('a stored response is revalidated by its entity tag', async () => {
        let tag = '"1"';
        origin.on('/tag', request => request.headers['if-none-match'] === tag
          ? { status: 304, headers: search('max-age=1', { etag: tag }), body: '' }
          : { headers: search('max-age=1', { etag: tag }), body: tag });
        await get('/tag');
        const revalidated = await until(async () => {
          const response = await get('/tag', { 'if-none-match': '"a client has another one"' });
          return response.told.includes('fwd-status=304') && response;
        }, 'a revalidation');
        assert.deepEqual([revalidated.status, revalidated.text, revalidated.cache], [200, '"1"', 'MISS']);
        tag = '"2"';
        assert.equal((await until(async () => {
          const response = await get('/tag');
          return response.text === '"2"' && response;
        }, 'the new response')).told, 'noren-edge; fwd=stale; fwd-status=200; stored');
      });

      test('a response that is gone is not used any more', async () => {
        let answer = {};
        origin.on('/gone', () => ({ headers: search('max-age=1, stale-if-error=60'), ...answer }));
        await fill('/gone');
        answer = { status: 404, body: 'gone' };
        await until(async () => (await get('/gone')).status === 404, 'the 404');
        answer = { status: 503, body: 'down' };
        assert.deepEqual([(await get('/gone')).status, count('/gone') > 2], [503, true]);
      });
    });
  }
});
