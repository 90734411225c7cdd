import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { App } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { parameters } from './parameters.js';
import { NorenStack } from './stack.js';

const template = fileURLToPath(new URL('../../template.yaml', import.meta.url));
const functions = mkdtempSync(join(tmpdir(), 'functions-'));
after(() => rmSync(functions, { recursive: true }));
for (const program of ['noren-command', 'noren-query', 'noren-sync']) {
  mkdirSync(join(functions, program));
  writeFileSync(join(functions, program, 'bootstrap'), program);
}

function stack(parameters) {
  return Template.fromStack(new NorenStack(new App(), 'noren', { template, functions, parameters }));
}

const made = stack(parameters);

test('the parameters are those of the template, with these defaults', () => {
  assert.ok(Object.keys(parameters).length > 0);
  for (const [name, value] of Object.entries(parameters)) made.hasParameter(name, { Default: value });
  assert.throws(() => stack({ Curency: 'EUR' }), /Curency/);
});

test('the stack has the functions with the code that was built, the table, the queue and the domain', () => {
  made.resourceCountIs('AWS::Serverless::Function', 3);
  const keys = Object.values(made.findResources('AWS::Serverless::Function')).map(each => each.Properties.CodeUri.Key);
  assert.equal(new Set(keys).size, 3);
  for (const key of keys) assert.match(key, /^[0-9a-f]{64}\.zip$/);
  made.hasResourceProperties('AWS::Serverless::Function', {
    Environment: { Variables: { NOREN_STORE: 'dynamodb', NOREN_CURRENCY: { Ref: 'Currency' } } },
  });
  made.hasResource('AWS::DynamoDB::Table', { DeletionPolicy: 'Retain' });
  made.hasResourceProperties('AWS::SQS::Queue', { RedrivePolicy: { maxReceiveCount: Match.anyValue() } });
  made.resourceCountIs('AWS::OpenSearchService::Domain', 1);
  made.hasOutput('Url', {});
});

// Names at the margin of a section, as the template writes them.
function names(section) {
  const text = readFileSync(template, 'utf8').split(`\n${section}:\n`)[1].split(/\n(?=\S)/)[0];
  return [...text.matchAll(/^ {2}(\w+):$/gm)].map(match => match[1]);
}

test('nothing of the template is missing, and no reference leads nowhere', () => {
  const json = made.toJSON();
  for (const section of ['Parameters', 'Resources', 'Outputs']) {
    const wanted = names(section);
    assert.ok(wanted.length > 5, `${section} was read`);
    assert.deepEqual(wanted.filter(name => !(name in json[section])), []);
  }
  assert.equal(json.Transform, 'AWS::Serverless-2016-10-31');
  // A name after a dot is what SAM adds to a resource, such as its alias.
  const known = name => name.startsWith('AWS::') || name in json.Parameters || name.split('.')[0] in json.Resources;
  const references = [...JSON.stringify(json).matchAll(/"Ref":"([^"]+)"/g)].map(match => match[1]);
  assert.ok(references.includes('AccessTable'), 'the references in Globals were read');
  assert.deepEqual(references.filter(name => !known(name)), []);
});
