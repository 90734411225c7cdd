import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import * as pulumi from '@pulumi/pulumi';

// What the program asks the provider to create, by type.
const created = [];
await pulumi.runtime.setMocks({
  newResource({ type, name, inputs }) {
    created.push({ type, name, inputs });
    const states = {
      'aws:s3/bucket:Bucket': { bucket: 'code-7f3a', bucketRegionalDomainName: 'code-7f3a.s3.eu-central-1.amazonaws.com' },
      'aws:cloudformation/stack:Stack': { outputs: { Url: 'https://api.example' } },
    };
    return { id: `${name}-id`, state: { ...inputs, ...states[type] } };
  },
  call: ({ inputs }) => inputs,
});
const { noren } = await import('./noren.js');
const { parameters } = await import('./parameters.js');

const template = fileURLToPath(new URL('../../template.yaml', import.meta.url));
const original = readFileSync(template, 'utf8');
const functions = mkdtempSync(join(tmpdir(), 'functions-'));
after(() => rmSync(functions, { recursive: true }));

function build(program, contents) {
  mkdirSync(join(functions, program), { recursive: true });
  writeFileSync(join(functions, program, 'bootstrap'), contents);
}

const value = output => new Promise(resolve => output.apply(resolve));

async function deploy(parameters) {
  for (const program of ['noren-command', 'noren-query', 'noren-sync']) build(program, program);
  created.length = 0;
  const url = await value(noren('noren', { template, functions, parameters }).outputs.apply(outputs => outputs.Url));
  const of = type => created.filter(each => each.type === type);
  const objects = of('aws:s3/bucketObjectv2:BucketObjectv2').map(each => each.inputs);
  const [stack] = of('aws:cloudformation/stack:Stack').map(each => each.inputs);
  return { url, stack, archives: objects.filter(each => each.source), file: objects.find(each => each.content) };
}

test('the stack gets the template with the code that was built', async () => {
  const { url, stack, archives, file } = await deploy({});
  assert.equal(url, 'https://api.example');
  assert.equal(stack.templateUrl, `https://code-7f3a.s3.eu-central-1.amazonaws.com/${file.key}`);
  assert.deepEqual(stack.capabilities, ['CAPABILITY_IAM', 'CAPABILITY_AUTO_EXPAND']);
  assert.equal(archives.length, 3);
  const restored = archives.reduce((text, { key, bucket }) => {
    const uri = `s3://${bucket}/${key}`;
    assert.ok(text.includes(`CodeUri: ${uri}\n`), `the template names ${uri}`);
    return text.replace(uri, `../target/functions/${key.replace(/-[0-9a-f]{16}\.zip$/, '/')}`);
  }, file.content);
  assert.equal(restored, original, 'nothing else is changed');
  for (const type of ['AWS::DynamoDB::Table', 'AWS::SQS::Queue', 'AWS::Serverless::Function']) {
    assert.ok(file.content.includes(`Type: ${type}\n`), type);
  }
});

test('every parameter that is passed exists in the template', async () => {
  const { stack } = await deploy(parameters);
  assert.deepEqual(stack.parameters, parameters);
  assert.ok(Object.keys(parameters).length > 0);
  const section = original.split('\nParameters:\n')[1].split(/\n(?=\S)/)[0];
  const known = [...section.matchAll(/^ {2}(\w+):$/gm)].map(match => match[1]);
  assert.ok(known.includes('OpenSearchEndpoint'), 'the parameters were read');
  assert.deepEqual(Object.keys(stack.parameters).filter(name => !known.includes(name)), []);
});

test('another program has another key, and so has the template', async () => {
  const before = await deploy({});
  build('noren-sync', 'a later version');
  created.length = 0;
  await value(noren('noren', { template, functions }).outputs);
  const keys = created.filter(each => each.inputs.key).map(each => each.inputs.key);
  const unchanged = [...before.archives, before.file].map(each => each.key).filter(key => keys.includes(key));
  assert.deepEqual(unchanged.map(key => key.replace(/-[0-9a-f]{16}/, '')).sort(), ['noren-command.zip', 'noren-query.zip']);
});
