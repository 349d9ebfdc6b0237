"""What deployment/local/local_aws.py adds to MiniStack, and whether a new MiniStack has it."""

import io
import json
import string
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest

from .local import BIN, PROJECT, Answer, clean_environment, eventually, free_port, request

UNTAUGHT = [str(BIN / "ministack")]
TAUGHT = [sys.executable, "-P", str(PROJECT / "deployment" / "local" / "local_aws.py")]
TRUST = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
CODE = """
def handler(event, context):
    return {"statusCode": 418, "body": "made by the function"}
"""


@dataclass
class Edge:
    """A bucket that holds one object, a function, and distributions that lead to them."""

    port: int
    function_host: str
    only_function: str
    bucket_first: str
    dead_first: str
    only_bucket: str

    def get(self, domain: str, path: str, method: str = "GET") -> Answer:
        return request(method, self.port, path, Host=domain)


@contextmanager
def server(command: list[str], state: Path) -> Iterator[int]:
    port = free_port()
    settings = {"GATEWAY_PORT": str(port), "BIND_HOST": "127.0.0.1", "IOT_MTLS_ENABLED": "0", "SFTP_ENABLED": "0"}
    environment = {**clean_environment(), **settings, "AUTH": "true", "TMPDIR": str(state)}
    with (state / "log").open("w") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    try:
        eventually(lambda: answers(port))
        yield port
    finally:
        process.terminate()
        process.wait(timeout=30)


def answers(port: int) -> bool:
    try:
        return request("GET", port, "/_ministack/health").status == 200
    except OSError:
        return False


def clients(port: int) -> Any:
    keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": "us-east-1"}
    return lambda service: boto3.client(service, endpoint_url=f"http://127.0.0.1:{port}", **keys)


def make_function(port: int) -> str:
    """Return the host of its URL, which requires a signature."""
    client = clients(port)
    role = client("iam").create_role(RoleName="maker", AssumeRolePolicyDocument=json.dumps({"Statement": [TRUST]}))
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("code.py", CODE)
    settings = {"Runtime": "python3.11", "Handler": "code.handler", "Code": {"ZipFile": code.getvalue()}}
    client("lambda").create_function(FunctionName="maker", Role=role["Role"]["Arn"], **settings)
    url = client("lambda").create_function_url_config(FunctionName="maker", AuthType="AWS_IAM")["FunctionUrl"]
    return str(url).split("/")[2]


def make_distribution(port: int, origins: list[dict[str, Any]], target: str) -> dict[str, Any]:
    """Return a distribution with these origins, and a group of the first two, called "both"."""
    members = [{"OriginId": origin["Id"]} for origin in origins[:2]]
    both = {
        "Id": "both",
        "FailoverCriteria": {"StatusCodes": {"Quantity": 2, "Items": [403, 404]}},
        "Members": {"Quantity": 2, "Items": members},
    }
    behavior = {"TargetOriginId": target, "ViewerProtocolPolicy": "allow-all", "ForwardedValues": FORWARDED}
    config = {
        "CallerReference": f"{target} of {members}",
        "Comment": "",
        "Enabled": True,
        "Origins": {"Quantity": len(origins), "Items": origins},
        "OriginGroups": {"Quantity": 1, "Items": [both]},
        "DefaultCacheBehavior": {**behavior, "AllowedMethods": METHODS},
    }
    made: dict[str, Any] = clients(port)("cloudfront").create_distribution(DistributionConfig=config)["Distribution"]
    return made


FORWARDED = {"QueryString": False, "Cookies": {"Forward": "none"}}
METHODS = {"Quantity": 7, "Items": ["GET", "HEAD", "OPTIONS", "PUT", "POST", "PATCH", "DELETE"]}


def make_edge(port: int, *, permitted: tuple[str, ...]) -> Edge:
    client = clients(port)
    client("s3").create_bucket(Bucket="stored")
    client("s3").put_object(Bucket="stored", Key="here", Body=b"stored in the bucket")
    client("s3").put_object(Bucket="stored", Key="/two", Body=b"a key with a slash")
    host = make_function(port)
    control = {"SigningProtocol": "sigv4", "SigningBehavior": "always"}
    made = [
        client("cloudfront").create_origin_access_control(
            OriginAccessControlConfig={"Name": kind, "OriginAccessControlOriginType": kind, **control}
        )["OriginAccessControl"]["Id"]
        for kind in ("s3", "lambda")
    ]
    https = {"HTTPPort": 80, "HTTPSPort": 443, "OriginProtocolPolicy": "https-only"}
    dead_end = {"HTTPPort": free_port(), "HTTPSPort": 443, "OriginProtocolPolicy": "http-only"}
    s3 = {"OriginAccessIdentity": ""}
    bucket = {
        "Id": "bucket",
        "DomainName": "stored.s3.us-east-1.amazonaws.com",
        "S3OriginConfig": s3,
        "OriginAccessControlId": made[0],
    }
    function = {
        "Id": "function",
        "DomainName": host,
        "CustomOriginConfig": https,
        "OriginAccessControlId": made[1],
    }
    dead = {"Id": "dead", "DomainName": "127.0.0.1", "CustomOriginConfig": dead_end}
    distributions = [
        make_distribution(port, [function, bucket], "function"),
        make_distribution(port, [bucket, function], "both"),
        make_distribution(port, [dead, function], "both"),
        make_distribution(port, [bucket, dead], "bucket"),
    ]
    arns = [item["ARN"] for item in distributions]
    read = {"Effect": "Allow", "Principal": {"Service": "cloudfront.amazonaws.com"}, "Action": "s3:GetObject"}
    limit = {"Resource": "arn:aws:s3:::stored/*", "Condition": {"StringEquals": {"AWS:SourceArn": arns}}}
    client("s3").put_bucket_policy(Bucket="stored", Policy=json.dumps({"Statement": [{**read, **limit}]}))
    for number, arn in enumerate(arns):
        for action in permitted:
            way = {"FunctionUrlAuthType": "AWS_IAM"} if action.endswith("Url") else {"InvokedViaFunctionUrl": True}
            client("lambda").add_permission(
                FunctionName="maker",
                StatementId=f"{action.split(':')[1]}-{number}",
                Action=action,
                Principal="cloudfront.amazonaws.com",
                SourceArn=arn,
                **way,
            )
    domains = [item["DomainName"] for item in distributions]
    return Edge(port, host, *domains)


BOTH = ("lambda:InvokeFunctionUrl", "lambda:InvokeFunction")


@pytest.fixture(scope="module")
def taught(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Edge]:
    with server(TAUGHT, tmp_path_factory.mktemp("taught")) as port:
        yield make_edge(port, permitted=BOTH)


def punctuation_of_a_secret(port: int) -> str:
    """Deploy a secret that has to have none, of so many characters that it would have some; returns what it has."""
    generate = {"PasswordLength": 500, "ExcludePunctuation": True, "ExcludeCharacters": "abc"}
    secret = {"Type": "AWS::SecretsManager::Secret", "Properties": {"GenerateSecretString": generate, "Name": "it"}}
    clients(port)("cloudformation").create_stack(StackName="it", TemplateBody=json.dumps({"Resources": {"It": secret}}))
    found = eventually(lambda: clients(port)("secretsmanager").list_secrets()["SecretList"])
    text = clients(port)("secretsmanager").get_secret_value(SecretId=found[0]["Name"])["SecretString"]
    assert len(text) == 500
    assert not set(text) & set("abc")
    return "".join(sorted(set(text) & set(string.punctuation)))


def test_the_launcher_is_still_needed(tmp_path: Path) -> None:
    with server(UNTAUGHT, tmp_path) as port:
        edge = make_edge(port, permitted=BOTH)

        assert punctuation_of_a_secret(port), (
            "MiniStack excludes punctuation from secrets now: remove that part of deployment/local/local_aws.py"
        )

        assert edge.get(edge.bucket_first, "/here").status == 502, (
            "MiniStack knows origin groups by itself now: see whether it fails over, and remove that part of "
            "deployment/local/local_aws.py"
        )
        assert edge.get(edge.only_function, "/here").status == 403, (
            "MiniStack now signs requests to a function by itself: remove that part of deployment/local/local_aws.py"
        )
        assert edge.get(edge.only_bucket, "//here").status == 200, (
            "MiniStack reads slashes as part of a key now: remove that part of deployment/local/local_aws.py"
        )


def test_the_first_origin_answers_what_it_has_and_the_second_the_rest(taught: Edge) -> None:
    assert taught.get(taught.bucket_first, "/here").body == b"stored in the bucket"
    assert taught.get(taught.bucket_first, "/made").body == b"made by the function"
    assert taught.get(taught.bucket_first, "/made", "HEAD").status == 418


def test_a_request_that_changes_something_is_not_repeated(taught: Edge) -> None:
    assert taught.get(taught.bucket_first, "/made", "DELETE").status != 418


def test_the_second_origin_answers_when_the_first_is_out_of_reach(taught: Edge) -> None:
    assert taught.get(taught.dead_first, "/made").body == b"made by the function"


def test_a_key_may_begin_with_a_slash(taught: Edge) -> None:
    assert taught.get(taught.only_bucket, "//two").body == b"a key with a slash"
    assert taught.get(taught.only_bucket, "//here").status == 403


def test_a_secret_has_no_punctuation_if_the_template_excludes_it(taught: Edge) -> None:
    assert punctuation_of_a_secret(taught.port) == ""


def test_a_function_is_not_called_past_cloudfront(taught: Edge) -> None:
    assert request("GET", taught.port, "/made", Host=taught.function_host).status == 403


@pytest.mark.parametrize("permitted", [(), BOTH[:1], BOTH[1:]], ids=["neither", "url alone", "function alone"])
def test_a_function_that_cloudfront_may_not_call_is_not_called(permitted: tuple[str, ...], tmp_path: Path) -> None:
    with server(TAUGHT, tmp_path) as port:
        edge = make_edge(port, permitted=permitted)

        assert edge.get(edge.only_function, "/made").status == 403


def test_another_ministack_is_refused(tmp_path: Path) -> None:
    metadata = tmp_path / "ministack-9.9.9.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: ministack\nVersion: 9.9.9\n")

    command = [sys.executable, "-P", TAUGHT[-1]]
    environment = {**clean_environment(), "PYTHONPATH": str(tmp_path)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=30, check=False)

    assert done.returncode == 1
    assert "needs MiniStack 1.5.33, and this is 9.9.9" in done.stderr
