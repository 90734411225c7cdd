"""The resources of the module for given values of its variables: as Terraform plans them with a mocked provider, which knows the
schema of AWS and needs no account."""

import json
import re
import subprocess

from template import ACCOUNT, REGION

# Attributes that AWS chooses. In a plan each gets a value of its own, so that references can be compared.
CHOSEN = {
    "aws_apigatewayv2_api": ["id", "api_endpoint"],
    "aws_cloudwatch_event_rule": ["arn"],
    "aws_cloudwatch_log_group": ["arn"],
    "aws_dynamodb_table": ["arn"],
    "aws_iam_role": ["arn"],
    "aws_lambda_alias": ["arn"],
    "aws_lambda_function": ["arn", "version"],
    "aws_opensearch_domain": ["endpoint"],
    "aws_sns_topic": ["arn"],
    "aws_sqs_queue": ["arn", "url"],
}
MOCK_DATA = {
    "aws_caller_identity": {"account_id": ACCOUNT},
    "aws_partition": {"partition": "aws"},
}


def variable(parameter):
    """Returns the variable of a parameter of the template, or the output of one."""
    name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", parameter).lower()
    return name.replace("open_search", "opensearch")


def kind(address):
    return address.split(".")[0]


def chosen(address, attribute):
    """Returns the value that AWS would choose. The provider checks how an ARN begins."""
    return f"arn:aws:service:{REGION}:{ACCOUNT}:{address}" if attribute == "arn" else f"{address} {attribute}"


class Plan:
    """What Terraform would create."""

    def __init__(self, message):
        changes = message.get("resource_changes", [])
        self.resources = {change["address"]: change["change"]["after"] for change in changes}
        self.outputs = {name: change.get("after") for name, change in message.get("output_changes", {}).items()}
        schemas = list(message["provider_schemas"].values())[0]["resource_schemas"]
        self.schemas = {name: schema["block"] for name, schema in schemas.items()}


def run(parameters, folder):
    """Returns a run with these values of the template's parameters, and with the packages in a folder."""
    variables = {variable(name): value for name, value in parameters.items() if name != "AWS::Region"}
    region = {"target": "data.aws_region.current", "values": {"name": parameters.get("AWS::Region", REGION)}}
    return {"command": "plan", "variables": {"functions": str(folder), **variables}, "override_data": [region]}


def plans(terraform, module, addresses, accepted, rejected):
    """Returns the plan of each accepted case of the module in a folder, which is initialised. Fails if Terraform plans a rejected
    case, or fails for another parameter than the given one."""
    folder = module / "functions"
    runs = {name: run(parameters, folder) for name, parameters in accepted.items()}
    for name, (parameters, refused) in rejected.items():
        runs[name] = {**run(parameters, folder), "expect_failures": [f"var.{variable(refused)}"]}
    names = {f"case_{at}": name for at, name in enumerate(runs)}
    test = {
        "mock_provider": {"aws": {"mock_data": {name: {"defaults": data} for name, data in MOCK_DATA.items()}}},
        "override_resource": [
            {
                "target": address,
                "override_during": "plan",
                "values": {attribute: chosen(address, attribute) for attribute in CHOSEN[kind(address)]},
            }
            for address in addresses
            if kind(address) in CHOSEN
        ],
        "run": {key: runs[name] for key, name in names.items()},
    }
    (module / "compare.tftest.json").write_text(json.dumps(test))
    command = [terraform, f"-chdir={module}", "test", "-json", "-verbose", "-filter=compare.tftest.json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    messages = [json.loads(line) for line in done.stdout.splitlines()]
    if done.returncode != 0:
        errors = [message["diagnostic"] for message in messages if message["type"] == "diagnostic"]
        faults = "\n".join(f"{error['summary']}: {error['detail']}" for error in errors)
        raise SystemExit(f"error: terraform test failed:\n{faults}\n{done.stderr}")
    return {
        names[message["@testrun"]]: Plan(message["test_plan"])
        for message in messages
        if message["type"] == "test_plan" and names[message["@testrun"]] in accepted
    }
