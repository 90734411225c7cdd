// deploy/build.sh, then in this folder: npm ci && npx aws-cdk@2 deploy
// Give a root key without writing it down: npx aws-cdk@2 deploy --parameters RootKeyHash=…
import { App } from 'aws-cdk-lib';
import { fileURLToPath } from 'node:url';
import { parameters } from './parameters.js';
import { NorenStack } from './stack.js';

const fromHere = path => fileURLToPath(new URL(path, import.meta.url));

new NorenStack(new App(), 'noren', {
  template: fromHere('../../template.yaml'),
  functions: fromHere('../../../target/functions'),
  parameters,
});
