"""The API with AWS_IAM and with COGNITO: authorized callers are served, all others are refused in the one shape.

The local AWS differs from AWS in two answers, which the tests leave out: it accepts an access token of Cognito, and
refuses a principal without a permission in its own words rather than by the gateway response ACCESS_DENIED.
"""

import json
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from ..docs.pages import commands, manual
from .local import Answer, LocalAws, Stack, clean_environment, picture, request

PASSWORD = "Correct-horse-7"  # noqa: S105 - of the emulator's user
KEY = "cats/rio.jpg"
API_ONLY = {"EnableCdn": "false", "EnableMetadata": "false"}


def path_of(stack: Stack, route: str = "images") -> str:
    url = urlsplit(stack.outputs["ApiUrl"])
    return f"/_aws/execute-api/{api_of(stack)}{url.path}/{route}"


def api_of(stack: Stack) -> str:
    return (urlsplit(stack.outputs["ApiUrl"]).hostname or "").split(".")[0]


def post(stack: Stack, route: str = "images", **headers: str) -> Answer:
    return request("POST", stack.local.port, path_of(stack, route), json.dumps({"key": KEY}), **headers)


def rendered(answer: Answer) -> list[str]:
    assert answer.status == 200, answer.body
    return [one["variant"] for one in answer.json["renditions"]]


def refused(answer: Answer) -> tuple[int, str]:
    """The status and the code of an error, which has the one shape and which any page can read."""
    assert answer.headers["access-control-allow-origin"] == "*"
    error = answer.json["error"]
    assert error.keys() == {"code", "message", "request_id"}
    assert all(error.values())
    return answer.status, error["code"]


def as_the_manual_says(stack: Stack, section: str, folder: Path, **environment: str) -> list[str]:
    """Run the commands of a section, which call the API by curl, and return the variants that the response names."""
    shell = {
        **clean_environment(),
        "AWS_ENDPOINT_URL": stack.local.outputs["Endpoint"],
        "AWS_DEFAULT_REGION": "us-east-1",
        "region": "us-east-1",
        "ApiUrl": f"http://127.0.0.1:{stack.local.port}{path_of(stack).removesuffix('/images')}",
        **environment,
    }
    lines = "\n".join(commands("".join(manual("api").blocks("sh", section))))
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", lines], cwd=folder, env=shell, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return [one["variant"] for one in json.loads(done.stdout)["renditions"]]


def assert_a_preflight_is_open(stack: Stack) -> None:
    asks = {"Origin": "https://www.example.com", "Access-Control-Request-Method": "POST"}
    answer = request("OPTIONS", stack.local.port, path_of(stack), **asks)

    assert answer.status == 204
    assert "Authorization" in answer.headers["access-control-allow-headers"].split(",")


@pytest.fixture(scope="module")
def by_iam(local: LocalAws) -> Stack:
    stack = local.deploy("by-iam", ApiAuthorization="AWS_IAM", **API_ONLY)
    stack.upload(KEY, picture())
    return stack


def caller(stack: Stack, name: str, **policy: Any) -> Credentials:
    """The credentials of a new IAM user with this policy."""
    iam = stack.local.client("iam")
    iam.create_user(UserName=name)
    if policy:
        iam.put_user_policy(UserName=name, PolicyName="call", PolicyDocument=json.dumps(policy))
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return Credentials(key["AccessKeyId"], key["SecretAccessKey"])


def policy_of_the_manual(stack: Stack) -> Mapping[str, Any]:
    text = manual("api").blocks("json", "Request signed for IAM")[0]
    own = {"abcde12345": api_of(stack), "eu-central-1": "us-east-1", "111122223333": "000000000000"}
    return dict(json.loads(re.sub("|".join(own), lambda name: own[name[0]], text)))


def signed(stack: Stack, credentials: Credentials) -> Answer:
    url = f"http://127.0.0.1:{stack.local.port}{path_of(stack)}"
    unsigned = AWSRequest("POST", url, data=json.dumps({"key": KEY}))
    SigV4Auth(credentials, "execute-api", "us-east-1").add_auth(unsigned)
    return post(stack, **dict(unsigned.headers.items()))


def test_a_principal_with_the_permission_may_call_the_api(by_iam: Stack, tmp_path: Path) -> None:
    credentials = caller(by_iam, "allowed", **policy_of_the_manual(by_iam))
    variables = {"AWS_ACCESS_KEY_ID": credentials.access_key, "AWS_SECRET_ACCESS_KEY": credentials.secret_key}

    assert rendered(signed(by_iam, credentials)) == ["thumbnail"]
    assert as_the_manual_says(by_iam, "Request signed for IAM", tmp_path, **variables) == ["thumbnail"]


def test_a_principal_without_the_permission_is_refused(by_iam: Stack) -> None:
    allowed = policy_of_the_manual(by_iam)
    [statement] = allowed["Statement"]
    other = {**statement, "Resource": statement["Resource"].replace("/v1/POST/", "/v1/GET/")}

    assert signed(by_iam, caller(by_iam, "nobody")).status == 403
    assert signed(by_iam, caller(by_iam, "other-route", **{**allowed, "Statement": [other]})).status == 403


def test_a_request_without_a_right_signature_is_refused(by_iam: Stack) -> None:
    credentials = caller(by_iam, "wrong-secret", **policy_of_the_manual(by_iam))

    assert refused(signed(by_iam, Credentials(credentials.access_key, "wrong"))) == (403, "invalid-signature")
    assert refused(signed(by_iam, Credentials("AKIAIOSFODNN7EXAMPLE", "unknown"))) == (403, "invalid-request")
    assert refused(post(by_iam, Authorization="Bearer token")) == (403, "invalid-request")
    assert refused(post(by_iam)) == (403, "forbidden")
    assert refused(post(by_iam, **{"x-api-key": "a" * 40})) == (403, "forbidden")
    assert refused(post(by_iam, "nowhere")) == (403, "forbidden")
    assert_a_preflight_is_open(by_iam)


def user_pool(local: LocalAws, name: str) -> tuple[str, dict[str, Any], dict[str, str]]:
    """The ARN of a new user pool, a request that signs its user in, and the user's tokens."""
    cognito = local.client("cognito-idp")
    pool = cognito.create_user_pool(PoolName=name)["UserPool"]
    client = cognito.create_user_pool_client(
        UserPoolId=pool["Id"], ClientName="app", ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH"]
    )["UserPoolClient"]
    user = {"UserPoolId": pool["Id"], "Username": "ada"}
    cognito.admin_create_user(**user, MessageAction="SUPPRESS")
    cognito.admin_set_user_password(**user, Password=PASSWORD, Permanent=True)
    sign_in = json.loads(manual("api").blocks("json", "Request with a token of Cognito")[0])
    sign_in |= {"ClientId": client["ClientId"], "AuthParameters": {"USERNAME": "ada", "PASSWORD": PASSWORD}}
    return pool["Arn"], sign_in, cognito.initiate_auth(**sign_in)["AuthenticationResult"]


def test_a_user_of_the_pool_may_call_the_api_and_nobody_else(local: LocalAws, tmp_path: Path) -> None:
    pool, sign_in, tokens = user_pool(local, "editors")
    _, _, of_others = user_pool(local, "others")
    stack = local.deploy("by-cognito", ApiAuthorization="COGNITO", ApiUserPoolArn=pool, **API_ONLY)
    stack.upload(KEY, picture())
    (tmp_path / "sign-in.json").write_text(json.dumps(sign_in))
    token = tokens["IdToken"]

    assert rendered(post(stack, Authorization=token)) == ["thumbnail"]
    assert as_the_manual_says(stack, "Request with a token of Cognito", tmp_path) == ["thumbnail"]
    assert refused(post(stack)) == (401, "unauthorized")
    assert refused(post(stack, Authorization=token[:-9] + "AAAAAAAAA")) == (401, "unauthorized")
    assert refused(post(stack, Authorization=of_others["IdToken"])) == (401, "unauthorized")
    assert refused(post(stack, "nowhere")) == (404, "not-found")
    assert_a_preflight_is_open(stack)

    # Another authorization takes effect for the same API, and the token loses its own.
    changed = local.deploy("by-cognito", ApiAuthorization="AWS_IAM", ApiUserPoolArn="", **API_ONLY)

    assert changed.outputs["ApiUrl"] == stack.outputs["ApiUrl"]
    assert refused(post(stack, Authorization=token)) == (403, "invalid-request")
    assert refused(post(stack)) == (403, "forbidden")
    back = local.deploy("by-cognito", ApiAuthorization="API_KEY", **API_ONLY)
    assert refused(post(stack)) == (403, "forbidden")
    assert rendered(back.post({"key": KEY})) == ["thumbnail"]
