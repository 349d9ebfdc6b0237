"""The REST API: who may call it, how often, and API Gateway's own errors."""

import json
import re
from typing import Any

import pytest

from .cloudformation import Stack, document, resolve

CODES = {
    "INVALID_API_KEY": "forbidden",
    "UNAUTHORIZED": "unauthorized",
    "ACCESS_DENIED": "forbidden",
    "INVALID_SIGNATURE": "invalid-signature",
    "EXPIRED_TOKEN": "expired-token",
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
POOL = "arn:aws:cognito-idp:eu-central-1:111122223333:userpool/eu-central-1_Ab1Cd2Ef3"
AUTHORIZATIONS = {
    "API_KEY": {"ApiAuthorization": "API_KEY"},
    "AWS_IAM": {"ApiAuthorization": "AWS_IAM"},
    "COGNITO": {"ApiAuthorization": "COGNITO", "ApiUserPoolArn": POOL},
}
COPIED = (  # by a deployment: https://docs.aws.amazon.com/apigateway/latest/developerguide/updating-api.html
    "AWS::ApiGateway::Authorizer",
    "AWS::ApiGateway::GatewayResponse",
    "AWS::ApiGateway::Method",
    "AWS::ApiGateway::Resource",
)
ALIAS = {"CdnAlias": "i.example.com", "CdnCertificateArn": "arn:aws:acm:us-east-1:111122223333:certificate/1"}


@pytest.fixture(scope="module")
def stack() -> Stack:
    return resolve()


every_authorization = pytest.mark.parametrize("authorization", AUTHORIZATIONS)


def _copied(stack: Stack) -> dict[str, dict[str, Any]]:
    return {name: properties for kind in COPIED for name, properties in stack.of_type(kind).items()}


def _responses(stack: Stack) -> dict[str, dict[str, Any]]:
    return {r["ResponseType"]: r for r in stack.of_type("AWS::ApiGateway::GatewayResponse").values()}


@pytest.mark.parametrize(
    ("authorization", "expected"),
    [
        ("API_KEY", {"AuthorizationType": "NONE", "ApiKeyRequired": True}),
        ("AWS_IAM", {"AuthorizationType": "AWS_IAM", "ApiKeyRequired": False}),
        (
            "COGNITO",
            {"AuthorizationType": "COGNITO_USER_POOLS", "AuthorizerId": "<ApiAuthorizer>", "ApiKeyRequired": False},
        ),
    ],
)
def test_post_is_authorized_as_chosen_and_a_preflight_is_open(authorization: str, expected: dict[str, Any]) -> None:
    methods = resolve(**AUTHORIZATIONS[authorization]).of_type("AWS::ApiGateway::Method").values()
    names = ("AuthorizationType", "AuthorizerId", "ApiKeyRequired")

    assert {m["HttpMethod"]: {name: m[name] for name in names if name in m} for m in methods} == {
        "POST": expected,
        "OPTIONS": {"AuthorizationType": "NONE", "ApiKeyRequired": False},
    }


def test_a_user_s_token_is_checked_against_the_pool() -> None:
    authorizers = {
        name: resolve(**chosen).of_type("AWS::ApiGateway::Authorizer") for name, chosen in AUTHORIZATIONS.items()
    }

    assert authorizers == {
        "API_KEY": {},
        "AWS_IAM": {},
        "COGNITO": {
            "ApiAuthorizer": {
                "RestApiId": "<Api>",
                "Name": "UserPool",
                "Type": "COGNITO_USER_POOLS",
                "ProviderARNs": [POOL],
                "IdentitySource": "method.request.header.Authorization",
            }
        },
    }


@pytest.mark.parametrize("authorization", ["AWS_IAM", "COGNITO"])
def test_without_api_keys_there_is_no_key_no_usage_plan_and_the_rate_stays_limited(authorization: str) -> None:
    stack = resolve(**AUTHORIZATIONS[authorization])

    assert not [r for r in stack.resources.values() if re.search("ApiKey|UsagePlan", r["Type"])]
    assert "ApiKeyId" not in stack.outputs
    assert stack.properties("ApiStage")["MethodSettings"] == resolve().properties("ApiStage")["MethodSettings"]


@pytest.mark.parametrize(
    ("authorization", "pool", "accepted"),
    [
        ("API_KEY", "", True),
        ("AWS_IAM", "", True),
        ("COGNITO", POOL, True),
        ("COGNITO", "", False),
        ("API_KEY", POOL, False),
        ("AWS_IAM", POOL, False),
    ],
)
def test_cognito_and_its_user_pool_go_together(authorization: str, pool: str, accepted: bool) -> None:  # noqa: FBT001
    broken = resolve(ApiAuthorization=authorization, ApiUserPoolArn=pool).broken_rules

    assert (not broken) == accepted


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


@every_authorization
def test_the_deployment_depends_on_everything_that_it_copies(authorization: str) -> None:
    stack = resolve(**AUTHORIZATIONS[authorization])
    [deployment] = stack.of_type("AWS::ApiGateway::Deployment")
    depends = set(stack.references[deployment])
    depends |= {name for method in depends for name in stack.references[method]}  # the resource, the authorizer

    assert set(_copied(stack)) <= depends
    assert stack.properties("ApiStage")["DeploymentId"] == f"<{deployment}>"


def test_a_change_of_the_authorization_makes_another_deployment() -> None:
    deployments = [
        name for chosen in AUTHORIZATIONS.values() for name in resolve(**chosen).of_type("AWS::ApiGateway::Deployment")
    ]

    assert len(set(deployments)) == len(AUTHORIZATIONS)
    assert len({re.sub(r"\D", "", name) for name in deployments}) == 1  # all released together


def test_nothing_that_a_deployment_copies_follows_another_parameter() -> None:
    # CloudFormation makes no new deployment for an update, so a changed parameter would have no effect.
    template = document()
    text = repr([r["Properties"] for r in template["Resources"].values() if r["Type"] in COPIED])
    conditions = set(re.findall(r"'Fn::If': \['(\w+)'", text))

    followed = [name for name in template["Parameters"] if f"'{name}'" in text or f"${{{name}}}" in text]
    assert followed == ["ApiUserPoolArn"]  # its description says what to do
    assert conditions == {"HasApiKey", "HasApiIam", "HasApiCognito"}
    for condition in conditions:
        assert set(re.findall(r"'Ref': '(\w+)'", repr(template["Conditions"][condition]))) == {"ApiAuthorization"}


def test_the_gateways_own_errors_are_all_covered(stack: Stack) -> None:
    assert _responses(stack).keys() == CODES.keys()


@every_authorization
@pytest.mark.parametrize(("response_type", "code"), CODES.items())
def test_an_error_of_the_gateway_has_the_shape_of_the_function_s_errors(
    authorization: str, response_type: str, code: str
) -> None:
    responses = _responses(resolve(**AUTHORIZATIONS[authorization]))
    [(content_type, body)] = responses[response_type]["ResponseTemplates"].items()
    if (authorization, response_type) == ("AWS_IAM", "MISSING_AUTHENTICATION_TOKEN"):
        code = "forbidden"
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


@every_authorization
def test_the_gateway_s_messages_are_worded_as_the_function_s(authorization: str) -> None:
    bodies = [
        body
        for response in _responses(resolve(**AUTHORIZATIONS[authorization])).values()
        for body in response["ResponseTemplates"].values()
    ]
    ours = [json.loads(body)["error"]["message"] for body in bodies if "messageString" not in body]

    assert len(ours) == 9
    for message in ours:  # no sentence: lower case at the start, and no full stop at its end
        assert re.fullmatch(r"[a-z](?!.*\. ).*[^.]", message), message


@pytest.mark.parametrize("response_type", CODES)
def test_a_browser_can_read_an_error_of_the_gateway(stack: Stack, response_type: str) -> None:
    headers = _responses(stack)[response_type]["ResponseParameters"]

    assert headers == {"gatewayresponse.header.Access-Control-Allow-Origin": "'*'"}  # quoted: a constant


# With AWS_IAM, the same response is for a request without a signature.
@pytest.mark.parametrize(("authorization", "status"), [("API_KEY", "404"), ("AWS_IAM", "403"), ("COGNITO", "404")])
def test_an_unknown_route_is_not_found_and_other_errors_keep_their_status(authorization: str, status: str) -> None:
    responses = _responses(resolve(**AUTHORIZATIONS[authorization]))
    statuses = {name: r["StatusCode"] for name, r in responses.items() if "StatusCode" in r}

    assert statuses == {"MISSING_AUTHENTICATION_TOKEN": status}


def test_an_unsigned_request_learns_both_of_its_possible_faults() -> None:
    response = _responses(resolve(**AUTHORIZATIONS["AWS_IAM"]))["MISSING_AUTHENTICATION_TOKEN"]
    message = json.loads(response["ResponseTemplates"]["application/json"])["error"]["message"]

    assert "not signed" in message
    assert "POST /images" in message


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
