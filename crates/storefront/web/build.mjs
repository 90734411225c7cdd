// Bundles src/ into ../dist, which the program embeds: `npm ci && npm run build`.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { bundledPackages } from './packages.mjs';

/** The most bytes of the script, after gzip. */
const LIMIT = 100 * 1024;

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
mkdirSync(here('../dist'), { recursive: true });

const { metafile } = await build({
  absWorkingDir: here('.'),
  entryPoints: { storefront: 'src/main.js' },
  outdir: '../dist',
  bundle: true,
  format: 'esm',
  target: 'es2022',
  minify: true,
  legalComments: 'none',
  define: { 'process.env.NODE_ENV': '"production"' },
  // The routes of this storefront are written with URLSearchParams; `qs` would be a fifth of the script.
  alias: { qs: here('src/no-qs.js') },
  metafile: true,
  logLevel: 'warning',
});
await build({
  absWorkingDir: here('.'),
  entryPoints: { storefront: 'src/style.css' },
  outdir: '../dist',
  bundle: true,
  minify: true,
  target: 'es2022',
  legalComments: 'none',
  logLevel: 'warning',
});

const packages = bundledPackages(metafile, here('.'));
writeFileSync(here('../dist/packages.json'), `${JSON.stringify(packages, null, 1)}\n`);

// Only what ended up in the output counts: the packages import more than they use.
const [{ inputs }] = Object.values(metafile.outputs);
const userInterface = Object.keys(inputs).filter(
  (path) =>
    /node_modules\/(preact|react|htm|instantsearch-ui-components)\//.test(path) && inputs[path].bytesInOutput > 0,
);
if (process.argv.includes('--inputs')) {
  const rows = Object.entries(inputs).sort(([, a], [, b]) => b.bytesInOutput - a.bytesInOutput);
  for (const [path, { bytesInOutput }] of rows.slice(0, 40)) {
    console.log(`${String(bytesInOutput).padStart(8)} ${path}`);
  }
}
if (userInterface.length > 0) {
  throw new Error(
    `the bundle has user interface of packages; import connectors, not widgets: ${userInterface.join(', ')}`,
  );
}
const sizes = Object.fromEntries(
  ['storefront.js', 'storefront.css'].map((name) => [
    name,
    gzipSync(readFileSync(here(`../dist/${name}`)), { level: 9 }).length,
  ]),
);
console.log(
  `gzipped: ${Object.entries(sizes)
    .map(([name, size]) => `${name} ${(size / 1024).toFixed(1)} KB`)
    .join(', ')}`,
);
if (sizes['storefront.js'] > LIMIT) {
  throw new Error(
    `storefront.js has ${sizes['storefront.js']} bytes after gzip; the limit is ${LIMIT}; node build.mjs --inputs lists the largest modules`,
  );
}
