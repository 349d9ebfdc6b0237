"""Delivery on demand: CloudFront asks the bucket, then the function, whose URL is open to this distribution alone."""

import re
from typing import Any

import pytest

from .cloudformation import Stack, document, resolve

DISTRIBUTION_ARN = "arn:aws:cloudfront::111122223333:distribution/<Distribution>"
switched_off = pytest.mark.parametrize("switch", ["EnableCdn", "EnableDelivery"])


@pytest.fixture(scope="module")
def stack() -> Stack:
    return resolve()


WEB_ACL = "arn:aws:wafv2:us-east-1:111122223333:global/webacl/limit/473e64fd-f30b-4765-81a0-62ad96dd167a"


def _distribution(**parameters: str) -> dict[str, Any]:
    return resolve(**parameters).properties("Distribution")["DistributionConfig"]


def _origins(distribution: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {origin["Id"]: origin for origin in distribution["Origins"]}


def test_what_the_bucket_has_not_or_can_not_give_is_asked_of_the_function() -> None:
    distribution = _distribution()
    [group] = distribution["OriginGroups"]["Items"]
    codes = group["FailoverCriteria"]["StatusCodes"]

    assert [member["OriginId"] for member in group["Members"]["Items"]] == ["ProcessedBucket", "Function"]
    assert codes["Items"] == [403, 404, 500, 502, 503, 504]
    assert distribution["DefaultCacheBehavior"]["TargetOriginId"] == group["Id"]
    assert set(_origins(distribution)) == {"ProcessedBucket", "Function"}


def test_each_list_that_is_counted_is_counted_right() -> None:
    groups = _distribution()["OriginGroups"]
    [group] = groups["Items"]

    for counted in (groups, group["Members"], group["FailoverCriteria"]["StatusCodes"]):
        assert counted["Quantity"] == len(counted["Items"])


def test_the_function_has_a_url_that_takes_signed_requests_only(stack: Stack) -> None:
    assert stack.of_type("AWS::Lambda::Url") == {
        "FunctionUrl": {"TargetFunctionArn": "<Function.Arn>", "AuthType": "AWS_IAM"}
    }


def test_the_distribution_signs_its_requests_to_the_function_by_a_control_of_its_own(stack: Stack) -> None:
    origin = _origins(_distribution())["Function"]
    config = stack.properties("FunctionAccessControl")["OriginAccessControlConfig"]

    assert origin["DomainName"] == "<FunctionUrl.domain>"
    assert origin["OriginAccessControlId"] == "<FunctionAccessControl.Id>"
    assert config["OriginAccessControlOriginType"] == "lambda"
    assert (config["SigningBehavior"], config["SigningProtocol"]) == ("always", "sigv4")


def test_the_function_is_asked_over_tls_once_and_for_as_long_as_its_api() -> None:
    origin = _origins(_distribution())["Function"]

    assert origin["CustomOriginConfig"] == {
        "OriginProtocolPolicy": "https-only",
        "OriginSSLProtocols": ["TLSv1.2"],
        "OriginReadTimeout": 30,
    }
    # CloudFront asks again after a timeout too, and one picture would be made three times.
    assert origin["ConnectionAttempts"] == 1


def test_this_distribution_alone_may_ask_the_function_by_its_url_and_has_both_permissions(stack: Stack) -> None:
    permissions = {
        name: properties
        for name, properties in stack.of_type("AWS::Lambda::Permission").items()
        if properties["Principal"] != "apigateway.amazonaws.com"
    }
    common = {"FunctionName": "<Function>", "Principal": "cloudfront.amazonaws.com", "SourceArn": DISTRIBUTION_ARN}

    assert permissions == {
        "FunctionUrlPermission": common | {"Action": "lambda:InvokeFunctionUrl", "FunctionUrlAuthType": "AWS_IAM"},
        "FunctionByUrlPermission": common | {"Action": "lambda:InvokeFunction", "InvokedViaFunctionUrl": True},
    }


def test_the_function_waits_for_nothing_that_waits_for_it(stack: Stack) -> None:
    waiting, seen = {"Function"}, set()
    while waiting:
        name = waiting.pop()
        seen.add(name)
        waiting |= stack.references[name] - seen

    assert not seen & {"Distribution", "FunctionUrl", "OriginRequestPolicy", "ViewerRequest"}


def test_the_origins_are_told_one_header_and_neither_query_nor_cookie(stack: Stack) -> None:
    config = stack.properties("OriginRequestPolicy")["OriginRequestPolicyConfig"]

    assert _distribution()["DefaultCacheBehavior"]["OriginRequestPolicyId"] == "<OriginRequestPolicy>"
    assert config["HeadersConfig"] == {"HeaderBehavior": "whitelist", "Headers": ["x-image-request"]}
    assert config["QueryStringsConfig"] == {"QueryStringBehavior": "none"}
    assert config["CookiesConfig"] == {"CookieBehavior": "none"}


@pytest.mark.parametrize("delivery", ["true", "false"])
def test_each_request_goes_through_the_edge_function_with_delivery_or_without(delivery: str) -> None:
    stack = resolve(EnableDelivery=delivery)
    function = stack.properties("ViewerRequest")
    [association] = stack.properties("Distribution")["DistributionConfig"]["DefaultCacheBehavior"][
        "FunctionAssociations"
    ]

    assert association == {"EventType": "viewer-request", "FunctionARN": "<ViewerRequest.FunctionARN>"}
    assert function["AutoPublish"] is True
    assert function["FunctionConfig"]["Runtime"] == "cloudfront-js-2.0"


@pytest.mark.parametrize(("ladder", "numbers"), [("", "[]"), ("320,640", "[320,640]")])
def test_the_edge_function_knows_the_ladder_that_the_function_knows(ladder: str, numbers: str) -> None:
    stack = resolve(SizeLadder=ladder)
    first, _, rest = stack.properties("ViewerRequest")["FunctionCode"].partition("\n")

    assert first == f"const LADDER = {numbers};"
    assert rest
    assert stack.properties("Function")["Environment"]["Variables"]["SIZE_LADDER"] == ladder


def test_the_secret_is_made_by_the_stack_and_is_in_none_of_its_outputs(stack: Stack) -> None:
    secret = stack.properties("SigningSecret")

    assert secret["GenerateSecretString"] == {"PasswordLength": 64, "ExcludePunctuation": True}
    assert "SecretString" not in secret
    assert stack.outputs["SigningSecretArn"] == "<SigningSecret.Id>"
    assert "resolve:secretsmanager" not in repr(stack.resources)


@switched_off
def test_without_delivery_nothing_of_it_is_there(switch: str) -> None:
    stack = resolve(**{switch: "false"})
    types = {resource["Type"] for resource in stack.resources.values()}

    assert not types & {"AWS::Lambda::Url", "AWS::SecretsManager::Secret", "AWS::CloudFront::OriginRequestPolicy"}
    assert "FunctionAccessControl" not in stack.resources
    assert not [p for p in stack.of_type("AWS::Lambda::Permission").values() if "cloudfront" in p["Principal"]]
    assert "SigningSecretArn" not in stack.outputs


def test_without_delivery_the_bucket_alone_is_asked() -> None:
    distribution = _distribution(EnableDelivery="false")

    assert set(_origins(distribution)) == {"ProcessedBucket"}
    assert "OriginGroups" not in distribution
    assert distribution["DefaultCacheBehavior"]["TargetOriginId"] == "ProcessedBucket"
    assert "OriginRequestPolicyId" not in distribution["DefaultCacheBehavior"]


def test_delivery_without_a_distribution_is_no_delivery_and_no_error() -> None:
    stack = resolve(EnableCdn="false", EnableDelivery="true")

    assert not stack.broken_rules
    assert not [name for name, resource in stack.resources.items() if "CloudFront" in resource["Type"]]


def test_an_origin_shield_stands_before_both_origins_when_asked_for() -> None:
    shielded = _origins(_distribution(OriginShieldRegion="eu-central-1"))

    assert len(shielded) == 2
    for origin in shielded.values():
        assert origin["OriginShield"] == {"Enabled": True, "OriginShieldRegion": "eu-central-1"}
    assert not [origin for origin in _origins(_distribution()).values() if "OriginShield" in origin]


def test_a_key_group_keeps_pictures_from_who_has_no_signed_url_and_by_itself_there_is_none() -> None:
    guarded = _distribution(CdnKeyGroup="4b4b36de")["DefaultCacheBehavior"]

    assert guarded["TrustedKeyGroups"] == ["4b4b36de"]
    assert "TrustedKeyGroups" not in _distribution()["DefaultCacheBehavior"]


def test_a_web_acl_stands_before_the_distribution_when_asked_for() -> None:
    assert _distribution(CdnWebAclArn=WEB_ACL)["WebACLId"] == WEB_ACL
    assert "WebACLId" not in _distribution()


def test_a_reserve_says_that_it_bounds_the_queue_too() -> None:
    text = document()["Parameters"]["ReservedConcurrency"]["Description"]

    assert re.search("queue.*API.*delivery", text)
    assert "MaximumConcurrency" in text
