// The platforms on which the edge runs here. Each is started with the address of the origin, and returns its own.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { EdgeRuntime, runServer } from 'edge-runtime';
import { Miniflare } from 'miniflare';
import { createEdge } from '../edge.js';
import { memoryStore } from '../stores.js';

const folder = fileURLToPath(new URL('..', import.meta.url));
const source = name => readFileSync(join(folder, name), 'utf8');

// Cloudflare's runtime, workerd.
async function workers(origin, timeoutMs) {
  const files = ['worker.js', 'edge.js', 'stores.js', 'cache-control.js', 'tags.js'];
  const miniflare = new Miniflare({
    modules: files.map(name => ({ type: 'ESModule', path: join(folder, name), contents: source(name) })),
    modulesRoot: folder,
    compatibilityDate: source('wrangler.toml').match(/compatibility_date = "(.*)"/)[1],
    bindings: { ORIGIN: origin, TIMEOUT_MS: String(timeoutMs) },
    host: '127.0.0.1',
    port: 0,
  });
  return { url: (await miniflare.ready).origin, stop: () => miniflare.dispose() };
}

async function deno(origin, timeoutMs) {
  const cache = mkdtempSync(join(tmpdir(), 'deno-'));
  const { platform, arch } = process;
  const binary = `@deno/${platform}-${arch}${platform === 'linux' ? '-glibc' : ''}`;
  const program = join(dirname(createRequire(import.meta.url).resolve(`${binary}/package.json`)), 'deno');
  const child = spawn(program, ['run', '--no-remote', '--no-config', '--allow-net', '--allow-env', join(folder, 'deno.js')], {
    env: { ORIGIN: origin, TIMEOUT_MS: String(timeoutMs), DENO_DIR: cache, DENO_SERVE_ADDRESS: 'tcp:127.0.0.1:0', NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let log = '';
  const url = await new Promise((resolve, reject) => {
    const read = part => {
      log += part;
      const found = log.match(/http:\/\/127\.0\.0\.1:\d+/);
      if (found) resolve(found[0]);
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    child.on('error', reject);
    child.on('exit', code => reject(new Error(`deno ended with ${code}: ${log}`)));
  });
  return {
    url,
    async stop() {
      child.removeAllListeners('exit');
      const ended = once(child, 'exit');
      child.kill();
      await ended;
      rmSync(cache, { recursive: true });
    },
  };
}

// Vercel's runtime of edge functions. It takes a script, so the modules are joined to one.
async function vercel(origin, timeoutMs) {
  const files = ['cache-control.js', 'tags.js', 'edge.js', 'stores.js', 'vercel.js'].map(source);
  const script = files.join('\n').replace(/^import .*\n/gm, '').replace(/^export (default )?/gm, '');
  const runtime = new EdgeRuntime({
    extend: context => Object.assign(context, { process: { env: { ORIGIN: origin, TIMEOUT_MS: String(timeoutMs) } } }),
    initialCode: `${script}\naddEventListener('fetch', event => event.respondWith(handler(event.request, event)));`,
  });
  const server = await runServer({ runtime, host: '127.0.0.1', port: 0 });
  return { url: new URL(server.url).origin, stop: () => server.close() };
}

// Node.js, with a clock that a test sets.
async function node(origin, timeoutMs) {
  let later = 0;
  const now = () => Date.now() + later;
  const edge = createEdge({ origin, store: memoryStore({ now }), timeoutMs, now });
  const server = createServer(async (incoming, outgoing) => {
    const hasBody = !['GET', 'HEAD'].includes(incoming.method);
    const request = new Request(`http://edge.example${incoming.url}`, {
      method: incoming.method,
      headers: incoming.headers,
      ...(hasBody && { body: Readable.toWeb(incoming), duplex: 'half' }),
    });
    const response = await edge(request, task => task, incoming.socket.remoteAddress);
    outgoing.writeHead(response.status, Object.fromEntries(response.headers));
    outgoing.end(Buffer.from(await response.arrayBuffer()));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    pass: seconds => (later += seconds * 1000),
    stop() {
      server.closeAllConnections();
      server.close();
    },
  };
}

export const platforms = { workers, deno, vercel, node };
