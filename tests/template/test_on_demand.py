"""Delivery on demand: CloudFront requests the bucket, then the function, whose URL only this distribution may use."""

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


def test_requests_that_the_bucket_can_not_answer_go_to_the_function() -> None:
    distribution = _distribution()
    [group] = distribution["OriginGroups"]["Items"]
    codes = group["FailoverCriteria"]["StatusCodes"]

    assert [member["OriginId"] for member in group["Members"]["Items"]] == ["ProcessedBucket", "Function"]
    assert codes["Items"] == [403, 404, 500, 502, 503, 504]
    assert distribution["DefaultCacheBehavior"]["TargetOriginId"] == group["Id"]
    assert set(_origins(distribution)) == {"ProcessedBucket", "Function"}


def test_each_quantity_is_the_length_of_its_list() -> None:
    groups = _distribution()["OriginGroups"]
    [group] = groups["Items"]

    for counted in (groups, group["Members"], group["FailoverCriteria"]["StatusCodes"]):
        assert counted["Quantity"] == len(counted["Items"])


def test_the_function_has_a_url_that_accepts_only_signed_requests(stack: Stack) -> None:
    assert stack.of_type("AWS::Lambda::Url") == {
        "FunctionUrl": {"TargetFunctionArn": "<Function.Arn>", "AuthType": "AWS_IAM"}
    }


def test_the_distribution_signs_its_requests_to_the_function_with_a_separate_access_control(stack: Stack) -> None:
    origin = _origins(_distribution())["Function"]
    config = stack.properties("FunctionAccessControl")["OriginAccessControlConfig"]

    assert origin["DomainName"] == "<FunctionUrl.domain>"
    assert origin["OriginAccessControlId"] == "<FunctionAccessControl.Id>"
    assert config["OriginAccessControlOriginType"] == "lambda"
    assert (config["SigningBehavior"], config["SigningProtocol"]) == ("always", "sigv4")


def test_the_function_is_requested_once_over_tls_with_a_timeout_like_the_api_s() -> None:
    origin = _origins(_distribution())["Function"]

    assert origin["CustomOriginConfig"] == {
        "OriginProtocolPolicy": "https-only",
        "OriginSSLProtocols": ["TLSv1.2"],
        "OriginReadTimeout": 30,
    }
    # CloudFront retries after a timeout too, and would render one picture three times.
    assert origin["ConnectionAttempts"] == 1


def test_only_this_distribution_may_use_the_function_s_url_and_it_has_both_permissions(stack: Stack) -> None:
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


def test_the_function_depends_on_nothing_that_depends_on_it(stack: Stack) -> None:
    waiting, seen = {"Function"}, set()
    while waiting:
        name = waiting.pop()
        seen.add(name)
        waiting |= stack.references[name] - seen

    assert not seen & {"Distribution", "FunctionUrl", "OriginRequestPolicy", "ViewerRequest"}


def test_the_origins_get_one_header_and_neither_query_nor_cookies(stack: Stack) -> None:
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
def test_the_edge_function_and_the_function_have_the_same_ladder(ladder: str, numbers: str) -> None:
    stack = resolve(SizeLadder=ladder)
    first, _, rest = stack.properties("ViewerRequest")["FunctionCode"].partition("\n")

    assert first == f"const LADDER = {numbers};"
    assert rest
    assert stack.properties("Function")["Environment"]["Variables"]["SIZE_LADDER"] == ladder


def test_the_stack_generates_the_secret_and_no_output_shows_it(stack: Stack) -> None:
    secret = stack.properties("SigningSecret")

    assert secret["GenerateSecretString"] == {"PasswordLength": 64, "ExcludePunctuation": True}
    assert "SecretString" not in secret
    assert stack.outputs["SigningSecretArn"] == "<SigningSecret.Id>"
    assert "resolve:secretsmanager" not in repr(stack.resources)


@switched_off
def test_without_delivery_its_resources_do_not_exist(switch: str) -> None:
    stack = resolve(**{switch: "false"})
    types = {resource["Type"] for resource in stack.resources.values()}

    assert not types & {"AWS::Lambda::Url", "AWS::SecretsManager::Secret", "AWS::CloudFront::OriginRequestPolicy"}
    assert "FunctionAccessControl" not in stack.resources
    assert not [p for p in stack.of_type("AWS::Lambda::Permission").values() if "cloudfront" in p["Principal"]]
    assert "SigningSecretArn" not in stack.outputs


def test_without_delivery_only_the_bucket_is_requested() -> None:
    distribution = _distribution(EnableDelivery="false")

    assert set(_origins(distribution)) == {"ProcessedBucket"}
    assert "OriginGroups" not in distribution
    assert distribution["DefaultCacheBehavior"]["TargetOriginId"] == "ProcessedBucket"
    assert "OriginRequestPolicyId" not in distribution["DefaultCacheBehavior"]


def test_delivery_without_a_distribution_has_no_effect() -> None:
    stack = resolve(EnableCdn="false", EnableDelivery="true")

    assert not stack.broken_rules
    assert not [name for name, resource in stack.resources.items() if "CloudFront" in resource["Type"]]


def test_both_origins_have_an_origin_shield_if_enabled() -> None:
    shielded = _origins(_distribution(OriginShieldRegion="eu-central-1"))

    assert len(shielded) == 2
    for origin in shielded.values():
        assert origin["OriginShield"] == {"Enabled": True, "OriginShieldRegion": "eu-central-1"}
    assert not [origin for origin in _origins(_distribution()).values() if "OriginShield" in origin]


def test_the_distribution_trusts_the_given_key_group_and_none_by_default() -> None:
    guarded = _distribution(CdnKeyGroup="4b4b36de")["DefaultCacheBehavior"]

    assert guarded["TrustedKeyGroups"] == ["4b4b36de"]
    assert "TrustedKeyGroups" not in _distribution()["DefaultCacheBehavior"]


def test_the_distribution_has_the_given_web_acl() -> None:
    assert _distribution(CdnWebAclArn=WEB_ACL)["WebACLId"] == WEB_ACL
    assert "WebACLId" not in _distribution()


def test_the_description_of_the_reserved_concurrency_says_that_it_limits_the_queue_too() -> None:
    text = document()["Parameters"]["ReservedConcurrency"]["Description"]

    assert re.search("queue.*API.*delivery", text)
    assert "MaximumConcurrency" in text
