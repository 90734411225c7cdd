"""The resources of the template for given values of its parameters: as SAM's translator expands it and CloudFormation resolves
its functions."""

import copy
import json
import os
import re

from cfnlint.decode.cfn_yaml import loads
from samtranslator.translator.transform import transform

ACCOUNT, REGION, STACK = "123456789012", "us-east-1", "noren"
PSEUDO = {
    "AWS::AccountId": ACCOUNT, "AWS::Region": REGION, "AWS::Partition": "aws", "AWS::StackName": STACK,
    "AWS::URLSuffix": "amazonaws.com",
}
NO_VALUE = object()
# The translator asks the environment.
os.environ["AWS_DEFAULT_REGION"] = REGION


class NoManagedPolicies:
    """The translator asks for AWS's list of policies; every role of the template is written out."""

    def load(self):
        return {}


class Template:
    """The template, expanded once: the names of its resources do not depend on the parameters."""

    def __init__(self, path):
        text = re.sub(r"\.\./target/functions/(\S+)/", r"s3://functions/\1.zip", path.read_text())
        self.source = json.loads(json.dumps(loads(text)))
        self.expanded = transform(copy.deepcopy(self.source), {}, NoManagedPolicies())

    def parameters(self):
        return self.source["Parameters"]

    def values(self, given):
        """Returns the value of each parameter as CloudFormation has it: texts, and lists of texts."""
        values = {}
        for name, parameter in self.parameters().items():
            value = given.get(name, parameter["Default"])
            if parameter["Type"] == "CommaDelimitedList":
                values[name] = value if isinstance(value, list) else value.split(",")
            else:
                values[name] = str(value)
        return values

    def accepts(self, given):
        """Returns true if every rule holds."""
        scope = Scope(self, given, None)
        return all(
            scope.resolved(assertion["Assert"])
            for rule in self.source["Rules"].values()
            if "RuleCondition" not in rule or scope.resolved(rule["RuleCondition"])
            for assertion in rule["Assertions"]
        )

    def resources(self, given, reference):
        """Returns {logical id: (type, properties)} of the resources that are created. `reference(id, attribute)` is the value
        of a reference to a resource; without attribute it is that of `Ref`."""
        scope = Scope(self, given, reference)
        return {
            plain_id(name): (resource["Type"], scope.resolved(resource.get("Properties", {})))
            for name, resource in self.expanded["Resources"].items()
            if "Condition" not in resource or scope.holds(resource["Condition"])
        }

    def outputs(self, given, reference):
        scope = Scope(self, given, reference)
        return {name: scope.resolved(output["Value"]) for name, output in self.expanded["Outputs"].items()}


def plain_id(name):
    """Returns the logical id without the hash that the translator adds to versions."""
    return re.sub(r"(Version)[0-9a-f]{10}$", r"\1", name)


class Scope:
    """Values of parameters and of references, in which functions are resolved."""

    def __init__(self, template, given, reference):
        self.template, self.reference = template, reference
        pseudo = {name: given.get(name, value) for name, value in PSEUDO.items()}
        self.values = pseudo | template.values(given)

    def holds(self, condition):
        return self.resolved(self.template.expanded["Conditions"][condition])

    def resolved(self, value):
        if isinstance(value, list):
            return [item for item in map(self.resolved, value) if item is not NO_VALUE]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            [(function, argument)] = value.items()
            if function == "Ref" or function == "Condition" or function.startswith("Fn::"):
                return self.call(function.removeprefix("Fn::"), argument)
        members = {name: self.resolved(member) for name, member in value.items()}
        return {name: member for name, member in members.items() if member is not NO_VALUE}

    def call(self, function, argument):
        if function == "Ref":
            return self.ref(argument)
        if function == "Condition":
            return self.holds(argument)
        if function == "GetAtt":
            name, attribute = argument.split(".", 1) if isinstance(argument, str) else argument
            return self.reference(plain_id(name), attribute)
        if function == "If":
            condition, then, otherwise = argument
            return self.resolved(then if self.holds(condition) else otherwise)
        if function == "Sub":
            return self.sub(argument)
        arguments = self.resolved(argument)
        match function:
            case "Equals":
                return arguments[0] == arguments[1]
            case "Not":
                return not arguments[0]
            case "And":
                return all(arguments)
            case "Or":
                return any(arguments)
            case "Join":
                return arguments[0].join(arguments[1])
            case "EachMemberEquals":
                return all(member == arguments[1] for member in arguments[0])
        raise NotImplementedError(f"function {function} of CloudFormation")

    def ref(self, name):
        if name == "AWS::NoValue":
            return NO_VALUE
        return self.values[name] if name in self.values else self.reference(plain_id(name), None)

    def sub(self, argument):
        text, own = argument if isinstance(argument, list) else (argument, {})

        def value(match):
            name = match[1]
            if name in own:
                return self.resolved(own[name])
            if "." in name:
                return self.call("GetAtt", name)
            return self.ref(name)

        return re.sub(r"\$\{([^}]+)\}", value, text)
