// The packages in a bundle, with their licenses, for THIRD_PARTY_LICENSES.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Returns the packages of which a bundle of esbuild contains code, by name: `{ name, version, license, text }`. */
export function bundledPackages(metafile, folder) {
  const [{ inputs }] = Object.values(metafile.outputs);
  const used = Object.keys(inputs).filter((path) => inputs[path].bytesInOutput > 0 && path.startsWith('node_modules/'));
  const folders = new Set(used.map((path) => packageFolder(join(folder, path))));
  const packages = [...folders].map(describe);
  return packages.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Returns the folder of the package that a file is in. */
function packageFolder(path) {
  return path.match(/^.*node_modules\/(?:@[^/]+\/)?[^/]+/)[0];
}

function describe(folder) {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json')));
  const file = readdirSync(folder).find((entry) => /^licen[sc]e/i.test(entry));
  if (!license || !file) {
    throw new Error(`${name} has no license file; replace the package`);
  }
  return { name, version, license, text: readFileSync(join(folder, file), 'utf8') };
}
