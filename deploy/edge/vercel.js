// Vercel: `api/edge.js` of a project, with a rewrite of all paths to it (docs/PLATFORMS.md). ORIGIN is a variable of the project.
// An instance keeps responses in memory; Vercel's own cache in front of it keeps them by the same headers.
import { createEdge } from './edge.js';
import { memoryStore } from './stores.js';

export const config = { runtime: 'edge' };

const edge = createEdge({
  origin: process.env.ORIGIN,
  store: memoryStore(),
  timeoutMs: Number(process.env.TIMEOUT_MS ?? 5000),
});

export default function handler(request, context) {
  return edge(request, task => context.waitUntil(task), request.headers.get('x-real-ip'));
}
