// deploy/build.sh, then in this folder: npm ci && pulumi config set aws:region eu-central-1 && pulumi up
import { fileURLToPath } from 'node:url';
import { noren } from './noren.js';
import { parameters } from './parameters.js';

const fromHere = path => fileURLToPath(new URL(path, import.meta.url));

const stack = noren('noren', {
  template: fromHere('../../template.yaml'),
  functions: fromHere('../../../target/functions'),
  parameters,
});

// The address of the API.
export const url = stack.outputs.Url;
