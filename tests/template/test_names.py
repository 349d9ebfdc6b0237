"""Texts with the stack's name stay within AWS's limits for the longest name that CloudFormation takes."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from . import cloudformation
from .cloudformation import document, resolve

# https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateStack.html
LONGEST_NAME = "N" * 128
REFERENCE = r"<([A-Za-z0-9]+)>"
# The id at the end of a stack's ARN is a UUID.
STACK_ID = "arn:aws:cloudformation:eu-central-1:111122223333:stack/images/0b8f9c1e-1111-4222-8333-444455556666"
# The maximum of each property with the stack's name, and where AWS gives it. The pages of operations are those of the
# services' API references.
MAXIMA: dict[str, tuple[int | None, str]] = {
    "AWS::ApiGateway::RestApi Name": (1024, "none for the API; it is the value of a metric's dimension"),
    "AWS::CloudFront::Distribution DistributionConfig.Comment": (128, "CloudFront, DistributionConfig"),
    "AWS::CloudWatch::Alarm AlarmDescription": (1024, "CloudWatch, PutMetricAlarm"),
    "AWS::CloudWatch::Alarm Dimensions.Value": (1024, "CloudWatch, Dimension"),
    "AWS::CloudWatch::Dashboard DashboardBody": (None, "CloudWatch, PutDashboard"),
    "AWS::Lambda::Function Environment.Variables.DISTRIBUTION_PARAMETER": (1011 - 80, "the parameter's name, below"),
    "AWS::Lambda::Function Environment.Variables.POWERTOOLS_SERVICE_NAME": (1024, "the value of a metric's dimension"),
    "AWS::Logs::QueryDefinition Name": (255, "CloudWatch Logs, PutQueryDefinition"),
    "AWS::SSM::Parameter Name": (1011 - 80, "Systems Manager, PutParameter: 1,011 with the ARN before it, at most 80"),
    "AWS::SecretsManager::Secret Description": (2048, "Secrets Manager, CreateSecret"),
}
# CloudFront's texts without the stack's name. AWS gives maxima for the comments of policies and for names; the others
# are held to the same.
CLOUDFRONT = {
    "AWS::CloudFront::CachePolicy CachePolicyConfig.Comment": 128,
    "AWS::CloudFront::Function FunctionConfig.Comment": 128,
    "AWS::CloudFront::Function Name": 64,
    "AWS::CloudFront::OriginAccessControl OriginAccessControlConfig.Description": 128,
    "AWS::CloudFront::OriginAccessControl OriginAccessControlConfig.Name": 64,
    "AWS::CloudFront::OriginRequestPolicy OriginRequestPolicyConfig.Comment": 128,
    "AWS::CloudFront::ResponseHeadersPolicy ResponseHeadersPolicyConfig.Comment": 128,
}


def _texts(node: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Each text below a node, with its path. The items of a list have the list's path."""
    if isinstance(node, dict):
        for key, value in node.items():
            yield from _texts(value, f"{path}.{key}" if path else key)
    elif isinstance(node, list):
        for value in node:
            yield from _texts(value, path)
    elif isinstance(node, str):
        yield path, node


def _with_generated_names(text: str) -> str:
    """The text with the longest name that CloudFormation generates, STACK-RESOURCE-12CHARACTERS, for each reference."""
    return re.sub(REFERENCE, rf"{LONGEST_NAME}-\1-ABCDEFGHIJKL", text)


@pytest.fixture(autouse=True)
def _longest_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(cloudformation.PSEUDO_PARAMETERS, "AWS::StackName", LONGEST_NAME)
    monkeypatch.setitem(cloudformation.PSEUDO_PARAMETERS, "AWS::StackId", STACK_ID)


def _stack_texts() -> list[tuple[str, str]]:
    """Each text of the stack's resources, by type and path, with generated names at their longest."""
    return [
        (f"{resource['Type']} {path}", text if re.fullmatch(REFERENCE, text) else _with_generated_names(text))
        for resource in resolve(EnableDashboard="true").resources.values()
        for path, text in _texts(resource.get("Properties", {}))
    ]


def test_a_text_with_the_longest_stack_name_is_within_its_maximum() -> None:
    lengths = [
        (where, len(text)) for where, text in _stack_texts() if LONGEST_NAME in text and not text.startswith("arn:")
    ]

    assert {where for where, _ in lengths} == MAXIMA.keys()
    for where, length in lengths:
        maximum, _ = MAXIMA[where]
        assert maximum is None or length <= maximum, where


def test_texts_of_cloudfront_are_within_their_maxima() -> None:
    lengths = [(where, len(text)) for where, text in _stack_texts() if where in CLOUDFRONT]

    assert {where for where, _ in lengths} == CLOUDFRONT.keys()
    assert [(where, length) for where, length in lengths if length > CLOUDFRONT[where]] == []


def test_the_environment_fits_into_4_kb_with_the_longest_parameters() -> None:
    longest = {name: "x" * p["MaxLength"] for name, p in document()["Parameters"].items() if "MaxLength" in p}
    environment = resolve(**longest, CacheControl="x" * 255).properties("Function")["Environment"]["Variables"]
    sizes = {  # a bucket's name has at most 63 characters; the secret's ARN has no stack's name
        name: len(name) + len("x" * 63 if "BUCKET" in name else _with_generated_names(text))
        for name, text in environment.items()
    }

    # https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
    assert sum(sizes.values()) < 4096 - 200  # for CorsOrigins
