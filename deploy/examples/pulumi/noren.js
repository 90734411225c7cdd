// Noren in a program of Pulumi: the template as a stack of CloudFormation, with your parameters and your build of the functions.
import * as aws from '@pulumi/aws';
import * as pulumi from '@pulumi/pulumi';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const programs = ['noren-command', 'noren-query', 'noren-sync'];
const hash = bytes => createHash('sha256').update(bytes).digest('hex').slice(0, 16);

// `template` is the path of deploy/template.yaml, `functions` the folder that deploy/build.sh writes.
export function noren(name, { template, functions, parameters = {} }) {
  const { bucket, bucketRegionalDomainName } = new aws.s3.Bucket(`${name}-code`);

  // Keys contain a hash: CloudFormation updates a function if its key changes, and reads a template again if its address does.
  const code = programs.map(program => {
    const folder = join(functions, program);
    const key = `${program}-${hash(readFileSync(join(folder, 'bootstrap')))}.zip`;
    return new aws.s3.BucketObjectv2(program, { bucket, key, source: new pulumi.asset.FileArchive(folder) });
  });
  const content = pulumi.all([bucket, ...code.map(object => object.key)]).apply(([bucket, ...keys]) =>
    keys.reduce((text, key, at) => {
      const local = `CodeUri: ../target/functions/${programs[at]}/\n`;
      if (!text.includes(local)) throw new Error(`the template has no ${local}`);
      return text.replace(local, `CodeUri: s3://${bucket}/${key}\n`);
    }, readFileSync(template, 'utf8')));
  const key = pulumi.interpolate`template-${content.apply(hash)}.yaml`;
  const file = new aws.s3.BucketObjectv2('template', { bucket, key, content });

  return new aws.cloudformation.Stack(name, {
    // Not `templateBody`, which may have 51,200 bytes at most.
    templateUrl: pulumi.interpolate`https://${bucketRegionalDomainName}/${file.key}`,
    parameters,
    capabilities: ['CAPABILITY_IAM', 'CAPABILITY_AUTO_EXPAND'],
  });
}
