// Noren in an app of the AWS CDK: the template as it is, with your parameters and your build of the functions.
import { Stack } from 'aws-cdk-lib';
import { Asset } from 'aws-cdk-lib/aws-s3-assets';
import { CfnInclude } from 'aws-cdk-lib/cloudformation-include';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

// Resources that refer to what AWS SAM adds, such as `Command.Alias`: the CDK does not know these names, so it must not parse them.
function unparsed(template) {
  const resources = readFileSync(template, 'utf8').split(/^(?= {2}\w+:$)/m);
  return resources.filter(text => /!Ref "?\w+\.\w/.test(text)).map(text => text.match(/\w+/)[0]);
}

export class NorenStack extends Stack {
  // `template` is the path of deploy/template.yaml, `functions` the folder that deploy/build.sh writes.
  constructor(scope, id, { template, functions, parameters = {}, ...props }) {
    super(scope, id, props);
    const dehydratedResources = unparsed(template);
    this.template = new CfnInclude(this, 'Noren', { templateFile: template, dehydratedResources });
    // Other resources refer to them by these names.
    for (const name of dehydratedResources) this.template.getResource(name).overrideLogicalId(name);

    // As defaults. CfnInclude could replace parameters by values, but it would not replace those that `Globals` names.
    for (const [name, value] of Object.entries(parameters)) {
      this.template.getParameter(name).default = value;
    }

    // Uploaded to the bucket of `cdk bootstrap`. A changed program gets another key, so the function is updated.
    for (const [name, program] of [['Command', 'noren-command'], ['Query', 'noren-query'], ['Sync', 'noren-sync']]) {
      const code = new Asset(this, `${name}Code`, { path: join(functions, program) });
      this.template.getResource(name).codeUri = { bucket: code.s3BucketName, key: code.s3ObjectKey };
    }
  }
}
