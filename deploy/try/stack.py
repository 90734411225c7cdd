"""The deployed stack, and calls to it."""

import base64
import datetime
import hashlib
import json
import subprocess
import zipfile

import boto3
from botocore.config import Config

from servers import Failure

NAME = "noren"
BUCKET = "noren-functions"
# The key of all checks, which may do everything.
ROOT_KEY = "the root key of the checks"
# One attempt: a repeated invocation would count twice.
CONFIG = Config(retries={"max_attempts": 1}, read_timeout=90)


class Stack:
    """The stack in the emulator."""

    def __init__(self, endpoint, template):
        self.endpoint, self.template = endpoint, template.read_text()
        self.outputs, self.resources = {}, {}

        def client(service):
            return boto3.client(service, endpoint_url=endpoint, region_name="us-east-1", config=CONFIG)

        self.s3, self.cloudformation, self.lambdas = client("s3"), client("cloudformation"), client("lambda")
        self.sqs, self.cloudwatch, self.opensearch = client("sqs"), client("cloudwatch"), client("opensearch")

    def upload(self, programs, folder):
        """Uploads each program as the code of a function, without debug information, and names it in the template."""
        self.s3.create_bucket(Bucket=BUCKET)
        for name, program in programs.items():
            bootstrap, archive = folder / f"{name}-bootstrap", folder / f"{name}.zip"
            subprocess.run(["strip", "-o", bootstrap, program], check=True)
            bootstrap.chmod(0o755)
            started = subprocess.run([bootstrap, "--version"], capture_output=True, check=False)
            if started.returncode != 0:
                raise Failure(f"{program} does not run on this machine; build it for the architecture of the machine")
            with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as code:
                code.write(bootstrap, "bootstrap")
            self.s3.upload_file(str(archive), BUCKET, f"{name}.zip")
            self.template = self.template.replace(f"../target/functions/{name}/", f"s3://{BUCKET}/{name}.zip")

    def deploy_with_domain(self):
        """Deploys with the template's defaults, which create a domain."""
        self._deploy({})
        domain = self.resources["Domain"]
        status = self.opensearch.describe_domain(DomainName=domain)["DomainStatus"]
        print(f"deployed with the defaults: domain {domain}, {status['EngineVersion']}")

    def deploy(self, opensearch, asks_for_keys):
        """Creates or updates the stack, to use a running OpenSearch."""
        access = {"Access": "none"}
        if asks_for_keys:
            access = {"Access": "keys", "RootKeyHash": hashlib.sha256(ROOT_KEY.encode()).hexdigest()}
        self._deploy({"OpenSearchEndpoint": opensearch, "OpenSearchDomainName": "local", **access})

    def _deploy(self, parameters):
        # A template in the request itself may have 51,200 bytes only.
        self.s3.put_object(Bucket=BUCKET, Key="template.yaml", Body=self.template.encode())
        arguments = {
            "StackName": NAME,
            "TemplateURL": f"{self.endpoint}/{BUCKET}/template.yaml",
            "Parameters": [{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
            "Capabilities": ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
        }
        kind = "update" if self.resources else "create"
        getattr(self.cloudformation, f"{kind}_stack")(**arguments)
        waiter = self.cloudformation.get_waiter(f"stack_{kind}_complete")
        try:
            waiter.wait(StackName=NAME, WaiterConfig={"Delay": 1, "MaxAttempts": 120})
        except Exception as error:
            raise Failure(f"the stack does not come up: {error}\n{self._failed_events()}") from error
        found = self.cloudformation.describe_stacks(StackName=NAME)["Stacks"][0]
        self.outputs = {output["OutputKey"]: output["OutputValue"] for output in found.get("Outputs", [])}
        pages = self.cloudformation.get_paginator("list_stack_resources").paginate(StackName=NAME)
        self.resources = {
            resource["LogicalResourceId"]: resource["PhysicalResourceId"]
            for page in pages
            for resource in page["StackResourceSummaries"]
        }

    def _failed_events(self):
        events = self.cloudformation.describe_stack_events(StackName=NAME)["StackEvents"]
        failed = [event for event in events if event["ResourceStatus"].endswith("FAILED")]
        return "\n".join(f"{event['LogicalResourceId']}: {event.get('ResourceStatusReason')}" for event in failed)

    def invoke(self, function, event):
        """Invokes a function by its name in the template. Fails if it does not handle the event."""
        response = self.lambdas.invoke(FunctionName=self.resources[function], Payload=json.dumps(event))
        payload = json.loads(response["Payload"].read())
        if "FunctionError" in response:
            raise Failure(f"{function} failed: {payload}")
        return payload

    def event_source(self):
        """Returns the mapping that gives the messages of the queue to Sync."""
        return self.lambdas.list_event_source_mappings(FunctionName=self.resources["Sync"])["EventSourceMappings"][0]

    def messages(self, queue):
        """Returns the number of messages of a queue, waiting and in flight."""
        counts = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        attributes = self.sqs.get_queue_attributes(QueueUrl=self.outputs[queue], AttributeNames=counts)["Attributes"]
        return sum(int(attributes[count]) for count in counts)

    def metric(self, function, name):
        """Returns the sum of a metric of a function."""
        now = datetime.datetime.now(datetime.timezone.utc)
        points = self.cloudwatch.get_metric_statistics(
            Namespace="AWS/Lambda", MetricName=name, Period=3600, Statistics=["Sum"],
            Dimensions=[{"Name": "FunctionName", "Value": self.resources[function]}],
            StartTime=now - datetime.timedelta(hours=1), EndTime=now + datetime.timedelta(minutes=1),
        )["Datapoints"]
        return sum(point["Sum"] for point in points)

    def alarm_state(self, alarm):
        found = self.cloudwatch.describe_alarms(AlarmNames=[self.resources[alarm]])["MetricAlarms"]
        return found[0]["StateValue"]


def decoded(response):
    """Returns the body of a function's response as bytes."""
    body = response.get("body") or ""
    return base64.b64decode(body) if response.get("isBase64Encoded") else body.encode()
