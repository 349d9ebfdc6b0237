"""Reads the template as CloudFormation would, for given parameters, into plain data.

Functions are resolved and conditions applied. What only exists once deployed stays visible as text: `!Ref Queue` turns
into `<Queue>` and `!GetAtt Queue.Arn` into `<Queue.Arn>`. Knows the functions that this template uses; meeting another
raises `ValueError`, so that nothing is passed over in silence.
"""

import re
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml

TEMPLATE_PATH = Path(__file__).parents[2] / "templates" / "main.yaml"
PSEUDO_PARAMETERS = {
    "AWS::AccountId": "111122223333",
    "AWS::Partition": "aws",
    "AWS::Region": "eu-central-1",
    "AWS::StackId": "arn:aws:cloudformation:eu-central-1:111122223333:stack/images/0b8f9c1e-1111-4222-8333",
    "AWS::StackName": "images",
    "AWS::URLSuffix": "amazonaws.com",
}
NO_VALUE = object()
CODE = {"LambdaS3CodeBucket": "code-bucket", "LambdaS3CodeKey": "function.zip"}  # the parameters without a default


class _Loader(yaml.SafeLoader):
    """YAML with CloudFormation's short forms: `!Ref X` is `{"Ref": "X"}`, `!If [...]` is `{"Fn::If": [...]}`."""


def _short_form(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    name = suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}"
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
        return {name: value.split(".", 1) if suffix == "GetAtt" else value}
    if isinstance(node, yaml.SequenceNode):
        return {name: loader.construct_sequence(node, deep=True)}
    return {name: loader.construct_mapping(node, deep=True)}


_Loader.add_multi_constructor("!", _short_form)


@cache
def document() -> dict[str, Any]:
    """The template as it is written, functions as dictionaries. Shared: don't change it."""
    loader = _Loader(TEMPLATE_PATH.read_text())
    try:
        return loader.get_single_data()
    finally:
        loader.dispose()


@dataclass
class Stack:
    """The template under one set of parameters."""

    resources: dict[str, dict[str, Any]]
    outputs: dict[str, Any]
    references: dict[str, set[str]]  # what each resource, and each output as "Outputs.<name>", refers to
    broken_rules: list[str] = field(default_factory=list)

    def properties(self, name: str) -> dict[str, Any]:
        """The resolved properties of one resource."""
        return self.resources[name].get("Properties", {})

    def of_type(self, resource_type: str) -> dict[str, dict[str, Any]]:
        """The resolved properties of all resources of a type, by name."""
        return {name: self.properties(name) for name, r in self.resources.items() if r["Type"] == resource_type}


def resolve(*, region: str = PSEUDO_PARAMETERS["AWS::Region"], **parameters: str) -> Stack:
    """Resolve the template for these parameters, the others at their defaults."""
    return _Resolver(CODE | parameters, region).stack()


class _Resolver:
    def __init__(self, given: dict[str, str], region: str) -> None:
        template = document()
        self.pseudo_parameters = PSEUDO_PARAMETERS | {"AWS::Region": region}
        declared = template["Parameters"]
        if unknown := given.keys() - declared.keys():
            raise ValueError(f"the template has no parameter {sorted(unknown)}")
        self.parameters: dict[str, Any] = {}
        for name, parameter in declared.items():
            text = str(given[name] if name in given else parameter["Default"])
            is_list = parameter["Type"] == "CommaDelimitedList"
            self.parameters[name] = [part.strip() for part in text.split(",")] if is_list else text
        self.template = template
        self.seen: set[str] = set()  # the resources referred to since it was last emptied

    def stack(self) -> Stack:
        stack = Stack({}, {}, {})
        for name, resource in self.template["Resources"].items():
            if self._exists(resource):
                self.seen = set(_as_list(resource.get("DependsOn", [])))
                stack.resources[name] = self._value({k: v for k, v in resource.items() if k != "Condition"})
                stack.references[name] = self.seen
        for name, output in self.template["Outputs"].items():
            if self._exists(output):
                self.seen = set()
                stack.outputs[name] = self._value(output["Value"])
                stack.references[f"Outputs.{name}"] = self.seen
        for rule in self.template.get("Rules", {}).values():
            if "RuleCondition" not in rule or self._truth(rule["RuleCondition"]):
                stack.broken_rules += [
                    a["AssertDescription"] for a in rule["Assertions"] if not self._truth(a["Assert"])
                ]
        return stack

    def _exists(self, part: dict[str, Any]) -> bool:
        return "Condition" not in part or self._truth({"Condition": part["Condition"]})

    def _truth(self, expression: dict[str, Any]) -> bool:
        [(function, argument)] = expression.items()
        match function:
            case "Condition":
                return self._truth(self.template["Conditions"][argument])
            case "Fn::Equals":
                left, right = argument
                return self._value(left) == self._value(right)
            case "Fn::Not":
                return not self._truth(argument[0])
            case "Fn::And":
                return all(self._truth(part) for part in argument)
            case "Fn::Or":
                return any(self._truth(part) for part in argument)
        raise ValueError(f"not a condition: {function}")

    def _value(self, node: Any) -> Any:
        if isinstance(node, list):
            return [value for value in map(self._value, node) if value is not NO_VALUE]
        if not isinstance(node, dict):
            return node
        if len(node) == 1:
            [(function, argument)] = node.items()
            if function == "Ref" or function.startswith("Fn::"):
                return self._function(function, argument)
        values = {key: self._value(value) for key, value in node.items()}
        return {key: value for key, value in values.items() if value is not NO_VALUE}

    def _function(self, function: str, argument: Any) -> Any:
        match function:
            case "Ref":
                return self._ref(argument)
            case "Fn::GetAtt":
                return self._attribute(*argument)
            case "Fn::If":
                condition, then, otherwise = argument
                return self._value(then if self._truth({"Condition": condition}) else otherwise)
            case "Fn::Sub":
                return self._sub(argument)
            case "Fn::Join":
                separator, parts = argument
                return separator.join(self._value(parts))
            case "Fn::Split":
                separator, text = argument
                return self._value(text).split(separator)
            case "Fn::Select":
                index, values = argument
                return self._value(values)[int(self._value(index))]
            case "Fn::FindInMap":
                name, first, second = map(self._value, argument)
                return self.template["Mappings"][name][first][second]
        raise ValueError(f"not known here: {function}")

    def _ref(self, name: str) -> Any:
        if name == "AWS::NoValue":
            return NO_VALUE
        if name in self.parameters:
            return self.parameters[name]
        if name in self.pseudo_parameters:
            return self.pseudo_parameters[name]
        self.seen.add(name)
        return f"<{name}>"

    def _attribute(self, name: str, attribute: str) -> str:
        self.seen.add(name)
        if attribute == "FunctionUrl":  # the one whose shape the template relies on, https://DOMAIN/
            return f"https://<{name}.domain>/"
        return f"<{name}.{attribute}>"

    def _sub(self, argument: Any) -> str:
        text, variables = argument if isinstance(argument, list) else (argument, {})

        def replace(match: re.Match[str]) -> str:
            name = match[1]
            if name in variables:
                return self._value(variables[name])
            return self._attribute(*name.split(".", 1)) if "." in name else self._ref(name)

        return re.sub(r"\$\{([A-Za-z0-9:.]+)\}", replace, text)


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
