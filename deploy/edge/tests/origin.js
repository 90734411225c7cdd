// A real origin on the loopback interface, which answers each path as a test says.
import { once } from 'node:events';
import { createServer } from 'node:http';

export async function startOrigin() {
  const answers = new Map();
  const seen = [];
  const server = createServer(async (request, response) => {
    const body = [];
    for await (const part of request) body.push(part);
    const path = request.url.split('?')[0];
    seen.push({ method: request.method, url: request.url, path, headers: request.headers, body: Buffer.concat(body).toString() });
    const { status = 200, headers = {}, body: text = path, hang, reset } = answers.get(path)?.(request) ?? { status: 404 };
    if (hang) return;
    if (reset) return request.socket.destroy();
    response.writeHead(status, headers).end(text);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    // `answer` gets the request and returns `{ status, headers, body }`, `{ hang: true }` or `{ reset: true }`.
    on: (path, answer) => answers.set(path, typeof answer === 'function' ? answer : () => answer),
    requests: path => seen.filter(each => each.path === path),
    stop() {
      server.closeAllConnections();
      server.close();
    },
  };
}

// Waits until a condition holds, and returns its value.
export async function until(condition, what) {
  const end = Date.now() + 60_000;
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (Date.now() > end) throw new Error(`not within a minute: ${what}`);
    await new Promise(resolve => setTimeout(resolve, 50));
  }
}
