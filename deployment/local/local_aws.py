"""Runs MiniStack with what its CloudFront lacks: origin groups that fail over, and origin access control for functions.

`local.sh` starts it in the place of `ministack`. It wraps functions of MiniStack 1.5.33 by their names, and refuses any
other version; `tests/e2e/test_local_cloudfront.py` tells what of this a new one still lacks.

    parse_distribution_dataplane_config   an origin group is one of the origins: its primary, which knows the secondary
    _fetch_from_origin                    signs what goes to a function; asks the secondary when the primary has failed
    _s3_object_key                        takes one slash off a path, not all that it begins with
"""

import sys
from importlib.metadata import version
from typing import Any
from urllib.parse import unquote

KNOWN = "1.5.33"
if version("ministack") != KNOWN:
    sys.exit(f"{sys.argv[0]} knows MiniStack {KNOWN}, and this is {version('ministack')}: run 'make setup'")

# ruff: noqa: E402 - another version may lack what is taken here
from ministack import app  # type: ignore[import-untyped]
from ministack.core.iam_evaluator import EvalContext, evaluate_resource_policy  # type: ignore[import-untyped]
from ministack.services import cloudfront, lambda_svc  # type: ignore[import-untyped]

# What CloudFront repeats at the secondary:
# https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/high_availability_origin_failover.html
REPEATED = ("GET", "HEAD", "OPTIONS")
# That of the account's root, which MiniStack does not verify on the inside.
SIGNATURE = "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/lambda/aws4_request, SignedHeaders=host, Signature=0"
# A function is called by its URL if CloudFront may do both of these:
# https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/private-content-restricting-access-to-lambda.html
ACTIONS = {
    "lambda:InvokeFunctionUrl": {"lambda:functionurlauthtype": "AWS_IAM"},
    "lambda:InvokeFunction": {"lambda:invokedviafunctionurl": "true"},
}

parse_distribution = cloudfront.parse_distribution_dataplane_config
fetch_from_one = cloudfront._fetch_from_origin


def parse_with_origin_groups(distribution: dict[str, Any]) -> dict[str, Any]:
    """Return what MiniStack makes of a distribution's configuration, and its origin groups among the origins."""
    parsed: dict[str, Any] = parse_distribution(distribution)
    for group in cloudfront._dist_config_el(distribution).iterfind("{*}OriginGroups/{*}Items/{*}OriginGroup"):
        codes = {int(code.text) for code in group.iterfind("{*}FailoverCriteria/{*}StatusCodes/{*}Items/{*}StatusCode")}
        members = group.iterfind("{*}Members/{*}Items/{*}OriginGroupMember/{*}OriginId")
        primary, secondary = (parsed["origins"][member.text] for member in members)
        parsed["origins"][group.findtext("{*}Id")] = {**primary, "failover": (codes, secondary)}
    return parsed


async def fetch(origin: dict[str, Any], method: str, *request: Any) -> Any:
    """Return an origin's status, reason, headers and body; a group's secondary's, where the primary has failed."""
    codes, secondary = origin.get("failover", ((), None))
    if method not in REPEATED or secondary is None:
        return await fetch_signed(origin, method, *request)
    try:
        answer = await fetch_signed(origin, method, *request)
    except (cloudfront.OriginTimeout, cloudfront.OriginUnreachable):
        return await fetch_signed(secondary, method, *request)
    return await fetch_signed(secondary, method, *request) if answer[0] in codes else answer


async def fetch_signed(
    origin: dict[str, Any], method: str, uri: str, query: str, headers: dict[str, Any], *rest: Any
) -> Any:
    """Return an origin's answer; a function with an origin access control is asked if its policy lets CloudFront."""
    control = (cloudfront._oacs.get(origin["oac_id"]) or {}).get("OriginAccessControlOriginType")
    if control == "lambda" and may_call(origin, distribution_arn=rest[-1]):
        headers = {**headers, "authorization": SIGNATURE}
    return await fetch_from_one(origin, method, uri, query, headers, *rest)


def may_call(origin: dict[str, Any], distribution_arn: str) -> bool:
    """Whether the policy of the origin's function allows this distribution all that a call by its URL takes."""
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
    """Return the key of the object that a path asks for."""
    return unquote(f"{origin['origin_path']}{uri}").removeprefix("/")


def main() -> None:
    """Run MiniStack as its own command does."""
    cloudfront._s3_object_key = object_key
    cloudfront.parse_distribution_dataplane_config = parse_with_origin_groups
    cloudfront._fetch_from_origin = fetch
    app.main()


if __name__ == "__main__":
    main()
