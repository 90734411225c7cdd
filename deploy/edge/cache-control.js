// The header fields that decide what a shared cache may do: RFC 9111, RFC 5861 and RFC 9211.

// Returns the directives of `Cache-Control` by their names in lower case. A directive without a value is `true`.
export function directives(headers) {
  const found = new Map();
  for (const [, name, quoted, token] of (headers.get('cache-control') ?? '').matchAll(/([^\s,;=]+)(?:=(?:"([^"]*)"|([^\s,]*)))?/g)) {
    found.set(name.toLowerCase(), quoted ?? token ?? true);
  }
  return found;
}

// Returns a number of seconds; 0 if there is none, or none that can be read.
function seconds(value) {
  return /^\d{1,10}$/.test(value) ? Number(value) : 0;
}

// Returns how long a response may be used, in seconds of its age: fresh, and beyond that while it is revalidated or if the
// origin fails. A cache may ask for the same response again at any time, so 0 is always safe.
export function lifetime(headers) {
  const found = directives(headers);
  const fresh = seconds(found.get('s-maxage') ?? found.get('max-age'));
  const mayBeStale = !['must-revalidate', 'proxy-revalidate'].some(name => found.has(name));
  const stale = name => (mayBeStale ? seconds(found.get(name)) : 0);
  return { fresh, whileRevalidating: stale('stale-while-revalidate'), ifError: stale('stale-if-error') };
}

// The age that a response had when it arrived.
export function ageOf(headers) {
  return seconds(headers.get('age'));
}

// The fields of `Vary`, without `accept-encoding`: the edge asks for bodies without an encoding, whatever the client accepts.
export function variesBy(headers) {
  const fields = (headers.get('vary') ?? '').toLowerCase().split(',').map(field => field.trim());
  return fields.filter(field => field && field !== 'accept-encoding');
}

const MAX_BODY_BYTES = 4 << 20;

// Returns true if a response to this request may be kept for requests of others.
export function mayStore(request, response) {
  const found = directives(response.headers);
  const { fresh, whileRevalidating, ifError } = lifetime(response.headers);
  return response.status === 200
    && fresh + whileRevalidating + ifError > 0
    && !['no-store', 'private', 'no-cache'].some(name => found.has(name))
    && !response.headers.has('set-cookie')
    // The edge asks for none.
    && !response.headers.has('content-encoding')
    && seconds(response.headers.get('content-length')) <= MAX_BODY_BYTES
    && fits(request, response.headers);
}

// Returns true if a stored response is what this request would get: it depends on no field that the request has. `*` is never one
// that a request lacks.
export function fits(request, headers) {
  return variesBy(headers).every(field => field !== '*' && !request.headers.has(field));
}

// Returns true if `If-None-Match` names the entity tag, by weak comparison.
export function isKnown(request, headers) {
  const named = request.headers.get('if-none-match');
  const tag = headers.get('etag');
  if (!named || !tag) return false;
  const weak = text => text.trim().replace(/^W\//, '');
  return named.trim() === '*' || (named.match(/(?:W\/)?"[^"]*"/g) ?? []).some(each => weak(each) === weak(tag));
}
