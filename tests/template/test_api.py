"""The REST API: who may call it, how often, and API Gateway's own errors."""

import json
import re
from typing import Any

import pytest

from .cloudformation import Stack, document, resolve

CODES = {
    "INVALID_API_KEY": "forbidden",
    "THROTTLED": "throttled",
    "QUOTA_EXCEEDED": "quota-exceeded",
    "REQUEST_TOO_LARGE": "request-too-large",
    "RESOURCE_NOT_FOUND": "not-found",
    "MISSING_AUTHENTICATION_TOKEN": "not-found",
    "DEFAULT_4XX": "invalid-request",
    "DEFAULT_5XX": "unavailable",
}
# What API Gateway inserts; messageString includes its quotes, and for some errors a space before them.
CONTEXT = {
    "$context.error.messageString": ' "no \\"key\\", no entry"',
    "$context.requestId": "0b8f9c1e-0000-4000-8000-000000000000",
}
STAGE_VARIABLE = re.compile(r"[A-Za-z0-9._~:/?#&=,-]+")  # the characters that API Gateway allows, at least one
ALIAS = {"CdnAlias": "i.example.com", "CdnCertificateArn": "arn:aws:acm:us-east-1:111122223333:certificate/1"}


@pytest.fixture(scope="module")
def stack() -> Stack:
    return resolve()


def _responses(stack: Stack) -> dict[str, dict[str, Any]]:
    return {r["ResponseType"]: r for r in stack.of_type("AWS::ApiGateway::GatewayResponse").values()}


def test_post_needs_a_key_and_a_preflight_does_not(stack: Stack) -> None:
    methods = stack.of_type("AWS::ApiGateway::Method").values()

    assert {m["HttpMethod"]: m["ApiKeyRequired"] for m in methods} == {"POST": True, "OPTIONS": False}


def test_both_methods_are_answered_by_the_function(stack: Stack) -> None:
    for method in stack.of_type("AWS::ApiGateway::Method").values():
        assert method["ResourceId"] == "<ApiImages>"
        assert method["Integration"] == {
            "Type": "AWS_PROXY",
            "IntegrationHttpMethod": "POST",
            "Uri": "arn:aws:apigateway:eu-central-1:lambda:path/2015-03-31/functions/<Function.Arn>/invocations",
        }
    assert stack.properties("ApiImages")["PathPart"] == "images"


def test_only_the_methods_of_this_stage_may_invoke_the_function() -> None:
    permissions = resolve(EnableDelivery="false").of_type("AWS::Lambda::Permission").values()

    assert sorted(p["SourceArn"] for p in permissions) == [
        "arn:aws:execute-api:eu-central-1:111122223333:<Api>/<ApiStage>/OPTIONS/images",
        "arn:aws:execute-api:eu-central-1:111122223333:<Api>/<ApiStage>/POST/images",
    ]
    for permission in permissions:
        assert permission["Action"] == "lambda:InvokeFunction"
        assert permission["Principal"] == "apigateway.amazonaws.com"


def test_the_key_is_throttled_and_has_a_quota() -> None:
    stack = resolve(ApiRateLimit="3", ApiBurstLimit="6", ApiQuotaPerDay="100")

    assert stack.properties("ApiUsagePlan") == {
        "ApiStages": [{"ApiId": "<Api>", "Stage": "<ApiStage>"}],
        "Throttle": {"RateLimit": "3", "BurstLimit": "6"},
        "Quota": {"Limit": "100", "Period": "DAY"},
    }
    assert stack.properties("ApiUsagePlanKey") == {
        "UsagePlanId": "<ApiUsagePlan>",
        "KeyId": "<ApiKey>",
        "KeyType": "API_KEY",
    }


def test_a_request_without_a_key_is_throttled_too() -> None:
    [settings] = resolve(ApiRateLimit="3", ApiBurstLimit="6").properties("ApiStage")["MethodSettings"]

    assert settings == {
        "ResourcePath": "/*",
        "HttpMethod": "*",
        "ThrottlingRateLimit": "3",
        "ThrottlingBurstLimit": "6",
    }


def test_aws_generates_the_key_and_no_output_shows_it(stack: Stack) -> None:
    assert stack.properties("ApiKey")["Enabled"] is True
    assert "Value" not in stack.properties("ApiKey")
    assert stack.outputs["ApiKeyId"] == "<ApiKey>"  # the id; only an authorized call returns the key


def test_the_deployment_depends_on_everything_that_it_copies(stack: Stack) -> None:
    copied = stack.of_type("AWS::ApiGateway::Method") | stack.of_type("AWS::ApiGateway::GatewayResponse")
    [deployment] = stack.of_type("AWS::ApiGateway::Deployment")

    assert set(copied) <= stack.references[deployment]
    assert stack.properties("ApiStage")["DeploymentId"] == f"<{deployment}>"


def test_nothing_that_a_deployment_copies_follows_a_parameter() -> None:
    # CloudFormation makes no new deployment for an update, so a changed parameter would have no effect.
    template = document()
    copied = {"AWS::ApiGateway::Method", "AWS::ApiGateway::GatewayResponse", "AWS::ApiGateway::Resource"}
    text = repr([r["Properties"] for r in template["Resources"].values() if r["Type"] in copied])

    assert not [name for name in template["Parameters"] if f"'{name}'" in text or f"${{{name}}}" in text]
    assert "Fn::If" not in text


def test_the_gateways_own_errors_are_all_covered(stack: Stack) -> None:
    assert _responses(stack).keys() == CODES.keys()


@pytest.mark.parametrize(("response_type", "code"), CODES.items())
def test_an_error_of_the_gateway_has_the_shape_of_the_function_s_errors(
    stack: Stack, response_type: str, code: str
) -> None:
    [(content_type, body)] = _responses(stack)[response_type]["ResponseTemplates"].items()
    for variable, value in CONTEXT.items():
        body = body.replace(variable, value)

    error = json.loads(body)

    assert content_type == "application/json"
    assert error.keys() == {"error"}
    assert error["error"].keys() == {"code", "message", "request_id"}
    assert error["error"]["code"] == code
    assert error["error"]["message"]
    assert error["error"]["request_id"] == CONTEXT["$context.requestId"]
    assert "$" not in body  # no variable that API Gateway does not know


@pytest.mark.parametrize("response_type", CODES)
def test_a_browser_can_read_an_error_of_the_gateway(stack: Stack, response_type: str) -> None:
    headers = _responses(stack)[response_type]["ResponseParameters"]

    assert headers == {"gatewayresponse.header.Access-Control-Allow-Origin": "'*'"}  # quoted: a constant


def test_an_unknown_route_is_not_found_and_other_errors_keep_their_status(stack: Stack) -> None:
    statuses = {name: r["StatusCode"] for name, r in _responses(stack).items() if "StatusCode" in r}

    assert statuses == {"MISSING_AUTHENTICATION_TOKEN": "404"}


@pytest.mark.parametrize(
    ("parameters", "url"),
    [
        ({}, "https://<Distribution.DomainName>"),
        (ALIAS, "https://i.example.com"),
        (ALIAS | {"CdnUrl": "http://localhost:4566/x"}, "http://localhost:4566/x"),
    ],
    ids=["distribution", "alias", "given"],
)
def test_urls_in_answers_start_with_the_domain_of_the_renditions(parameters: dict[str, str], url: str) -> None:
    variables = resolve(**parameters).properties("ApiStage")["Variables"]

    assert variables == {"CdnUrl": url}
    assert STAGE_VARIABLE.fullmatch(url.replace("<Distribution.DomainName>", "d1.cloudfront.net"))


def test_without_a_distribution_there_is_no_url_and_no_empty_variable() -> None:
    assert "Variables" not in resolve(EnableCdn="false", CdnUrl="http://localhost:4566").properties("ApiStage")


def test_the_api_is_regional_and_its_url_ends_in_the_stage(stack: Stack) -> None:
    assert stack.properties("Api")["EndpointConfiguration"] == {"Types": ["REGIONAL"]}
    assert stack.outputs["ApiUrl"] == "https://<Api>.execute-api.eu-central-1.amazonaws.com/<ApiStage>"
