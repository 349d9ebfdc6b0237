"""Runs MiniStack and adds to it, most of all to its CloudFront: failover in origin groups, and access to functions.

`local.sh` starts this program instead of `ministack`. It wraps functions of MiniStack 1.5.33 by their names and refuses
any other version; `tests/e2e/test_local_cloudfront.py` shows what a new version does not have.

    parse_distribution_dataplane_config   adds origin groups to the origins: the primary, with its secondary
    _fetch_from_origin                    signs requests to a function; calls the secondary after the primary has failed
    _s3_object_key                        omits one slash at the beginning of a path, not all of them
    _sm_secret_string                     generates a secret without punctuation, where the template excludes it
"""

import string
import sys
from importlib.metadata import version
from typing import Any
from urllib.parse import unquote

KNOWN = "1.5.33"
if version("ministack") != KNOWN:
    sys.exit(f"{sys.argv[0]} needs MiniStack {KNOWN}, and this is {version('ministack')}: run 'make setup'")

# ruff: noqa: E402 - another version may lack the names that are imported here
from ministack import app  # type: ignore[import-untyped]
from ministack.core.iam_evaluator import EvalContext, evaluate_resource_policy  # type: ignore[import-untyped]
from ministack.services import cloudfront, lambda_svc  # type: ignore[import-untyped]
from ministack.services.cloudformation import provisioners  # type: ignore[import-untyped]

# The methods that CloudFront repeats at the secondary origin:
# https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/high_availability_origin_failover.html
FAILOVER_METHODS = ("GET", "HEAD", "OPTIONS")
# A signature of the account's root, which MiniStack does not verify for calls from its own CloudFront.
SIGNATURE = "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/lambda/aws4_request, SignedHeaders=host, Signature=0"
# CloudFront needs both permissions to call a function by its URL:
# https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/private-content-restricting-access-to-lambda.html
ACTIONS = {
    "lambda:InvokeFunctionUrl": {"lambda:functionurlauthtype": "AWS_IAM"},
    "lambda:InvokeFunction": {"lambda:invokedviafunctionurl": "true"},
}

parse_distribution = cloudfront.parse_distribution_dataplane_config
fetch_from_one = cloudfront._fetch_from_origin
secret_string = provisioners._sm_secret_string


def parse_with_origin_groups(distribution: dict[str, Any]) -> dict[str, Any]:
    """Return MiniStack's form of a distribution's configuration, with the origin groups among the origins."""
    parsed: dict[str, Any] = parse_distribution(distribution)
    for group in cloudfront._dist_config_el(distribution).iterfind("{*}OriginGroups/{*}Items/{*}OriginGroup"):
        codes = {int(code.text) for code in group.iterfind("{*}FailoverCriteria/{*}StatusCodes/{*}Items/{*}StatusCode")}
        members = group.iterfind("{*}Members/{*}Items/{*}OriginGroupMember/{*}OriginId")
        primary, secondary = (parsed["origins"][member.text] for member in members)
        parsed["origins"][group.findtext("{*}Id")] = {**primary, "failover": (codes, secondary)}
    return parsed


async def fetch(origin: dict[str, Any], method: str, *request: Any) -> Any:
    """Return an origin's status, reason, headers and body; those of the secondary when a group's primary has failed."""
    codes, secondary = origin.get("failover", ((), None))
    if method not in FAILOVER_METHODS or secondary is None:
        return await fetch_signed(origin, method, *request)
    try:
        response = await fetch_signed(origin, method, *request)
    except (cloudfront.OriginTimeout, cloudfront.OriginUnreachable):
        return await fetch_signed(secondary, method, *request)
    return await fetch_signed(secondary, method, *request) if response[0] in codes else response


async def fetch_signed(
    origin: dict[str, Any], method: str, uri: str, query: str, headers: dict[str, Any], *rest: Any
) -> Any:
    """Return an origin's response; signs the request to a function that has an origin access control and allows it."""
    control = (cloudfront._oacs.get(origin["oac_id"]) or {}).get("OriginAccessControlOriginType")
    if control == "lambda" and may_call(origin, distribution_arn=rest[-1]):
        headers = {**headers, "authorization": SIGNATURE}
    return await fetch_from_one(origin, method, uri, query, headers, *rest)


def may_call(origin: dict[str, Any], distribution_arn: str) -> bool:
    """Whether the policy of the origin's function allows this distribution to call the function by its URL."""
    found = app._parse_lambda_url(origin["domain_name"], "/")
    arn, _, resolved = app._function_url_auth_target(found[0]) if found else ("", {}, None)
    if resolved is None:
        return False
    policy, account = lambda_svc.function_policy_for_arn(arn) or ({}, "")
    return all(
        evaluate_resource_policy(
            policy,
            EvalContext(
                principal_arn="*",
                principal_type="Service",
                principal_account="",
                action=action,
                resource_arn=arn,
                region=resolved[1],
                service_context={"aws:sourcearn": distribution_arn, "aws:sourceaccount": account, **context},
            ),
            service="cloudfront.amazonaws.com",
        ).decision
        == "Allow"
        for action, context in ACTIONS.items()
    )


def object_key(origin: dict[str, Any], uri: str) -> str:
    """Return the key of the object at a path."""
    return unquote(f"{origin['origin_path']}{uri}").removeprefix("/")


def secret_without_punctuation(properties: dict[str, Any]) -> str:
    """Return the text of a secret; with ExcludePunctuation, it can be pasted into a shell, as on AWS."""
    generate = properties.get("GenerateSecretString") or {}
    if str(generate.get("ExcludePunctuation")).lower() == "true":
        excluded = generate.get("ExcludeCharacters", "") + string.punctuation
        properties = {**properties, "GenerateSecretString": {**generate, "ExcludeCharacters": excluded}}
    text: str = secret_string(properties)
    return text


def main() -> None:
    """Run MiniStack as its own command does."""
    cloudfront._s3_object_key = object_key
    cloudfront.parse_distribution_dataplane_config = parse_with_origin_groups
    cloudfront._fetch_from_origin = fetch
    provisioners._sm_secret_string = secret_without_punctuation
    app.main()


if __name__ == "__main__":
    main()
