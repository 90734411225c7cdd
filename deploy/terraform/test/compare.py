"""Checks that the template and the module create the same resources, with the same properties, for the parameters in cases.json.

    compare.py TERRAFORM MODULE

MODULE is an initialised copy of the module. resources.tsv names the partners: a resource of the template, and one or more of
the module. A resource without partner is a fault, and so is a property of one side that the other does not have."""

import csv
import json
import sys
from pathlib import Path

import properties
from module import kind, plans, variable
from template import STACK, Template

HERE = Path(__file__).resolve().parent


class Comparison:
    def __init__(self, rows, written):
        self.rows, self.written, self.faults, self.used = rows, written, [], set()

    def fault(self, case, text):
        self.faults.append(f"{case}: {text}")

    def reference(self, template, plan):
        """Returns the function that resolves references in the template to the values that the module's partner has."""

        def value(name, attribute):
            resource = template.expanded["Resources"].get(name, {"Type": "AWS::Lambda::Version"})
            address = self.rows[name][0]
            known = properties.REFERENCES[resource["Type"]][attribute]
            # The ARN of a log group in CloudFormation includes that of its streams.
            streams = ":*" if (resource["Type"], attribute) == ("AWS::Logs::LogGroup", "Arn") else ""
            return plan.resources[address][known] + streams

        return value

    def case(self, case, parameters, template, plan):
        created = template.resources(parameters, self.reference(template, plan))
        expected = {}
        for name, (resource, values) in created.items():
            if name not in self.rows:
                self.fault(case, f"resources.tsv has no partner of {name} of the template")
                continue
            self.used.add(name)
            by_kind = {kind(address): address for address in reversed(self.rows[name])}
            for path, value in properties.of_template(resource, values, plan.resources).items():
                owner = path.split(".")[0] if path.startswith("aws_") else kind(self.rows[name][0])
                expected[by_kind[owner], path.removeprefix(f"{owner}.")] = value
            first = plan.resources.get(self.rows[name][0], {})
            for (owner, argument), attribute in properties.BELONGS.items():
                if by_kind.get(owner) in plan.resources:
                    expected[by_kind[owner], argument] = first.get(attribute)
        found = self.planned(case, plan, {address for name in created for address in self.rows.get(name, [])})
        for (address, path), value in sorted(found.items()):
            # A name that the template leaves to CloudFormation.
            if path == properties.NAMES.get(kind(address)) and (address, path) not in expected:
                if f"{STACK}-{parameters.get('Stage', 'prod')}" not in value:
                    self.fault(case, f"{address} {path} lacks the stage: {value}")
            elif (address, path) not in expected:
                self.fault(case, f"{address} {path} is not in the template: {value}")
            elif expected[address, path] != value:
                self.fault(case, f"{address} {path}\n  template: {expected[address, path]}\n  module:   {value}")
        for address, path in sorted(expected.keys() - found.keys()):
            self.fault(case, f"{address} {path} is not in the module: {expected[address, path]}")
        for name, value in template.outputs(parameters, self.reference(template, plan)).items():
            # The template puts the address together from the id, and the provider returns it.
            if name != "Url" and plan.outputs[variable(name)] != value:
                self.fault(case, f"output {variable(name)} is {plan.outputs[variable(name)]}, and {name} is {value}")
        return len(created), len(found)

    def planned(self, case, plan, partners):
        found = {}
        for address, values in plan.resources.items():
            if address not in partners:
                self.fault(case, f"resources.tsv has no partner of {address} of the module, or the template does not create it")
                continue
            written, schema = self.written[address.split("[")[0]], plan.schemas[kind(address)]
            attributes = properties.of_module(kind(address), values, written, schema)
            for path, value in attributes.items():
                if (kind(address), path) not in properties.ONLY_IN_THE_MODULE:
                    found[address, path] = value
        return found

    def interface(self, template, module):
        """Parameters and outputs: the same names, defaults and descriptions of what is returned."""
        variables, outputs = dict(module["variables"]), dict(module["outputs"])
        for own in ("name", "functions"):
            variables.pop(own)
        for name, parameter in template.parameters().items():
            default = variables.pop(variable(name), {"default": "no variable"}).get("default")
            if (default or "") != (parameter["Default"] or ""):
                self.fault("variables", f"{variable(name)}: {default!r}, and {name} is {parameter['Default']!r}")
        for name, output in template.source["Outputs"].items():
            description = outputs.pop(variable(name), {"description": "no output"}).get("description")
            if description != output["Description"]:
                self.fault("outputs", f"{variable(name)}: {description!r}, and {name} is {output['Description']!r}")
        for name in [*variables, *outputs]:
            self.fault("variables and outputs", f"the template has no {name}")


def main():
    terraform, module = sys.argv[1], Path(sys.argv[2]).resolve()
    with (HERE / "resources.tsv").open(newline="") as file:
        rows = {row["template"]: row["module"].split(" ") for row in csv.DictReader(file, delimiter="\t")}
    cases = json.loads((HERE / "cases.json").read_text())
    template = Template(HERE.parents[1] / "template.yaml")
    configuration = json.loads((module / "plan.json").read_text())["configuration"]["root_module"]["module_calls"]["noren"]
    resources = configuration["module"]["resources"]
    comparison = Comparison(rows, {resource["address"]: resource.get("expressions", {}) for resource in resources})
    comparison.interface(template, configuration["module"])

    for name, (parameters, _) in cases["rejected"].items():
        if template.accepts(parameters):
            comparison.fault(name, "the rules of the template accept it")
    addresses = [address for row in rows.values() for address in row]
    planned = plans(terraform, module, dict.fromkeys(addresses), cases["accepted"], cases["rejected"])
    for name, parameters in cases["accepted"].items():
        if not template.accepts(parameters):
            comparison.fault(name, "the rules of the template reject it")
        count, attributes = comparison.case(name, parameters, template, planned[name])
        print(f"{name}: {count} resources of the template, {attributes} attributes of the module")
    for name in rows.keys() - comparison.used:
        comparison.fault("resources.tsv", f"no case creates {name}")
    print(f"{len(planned)} cases compared, {len(cases['rejected'])} rejected by both")
    if comparison.faults:
        sys.exit("\n".join(["error: the template and the module differ", *comparison.faults]))


if __name__ == "__main__":
    main()
