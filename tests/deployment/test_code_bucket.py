"""The code bucket, and the zip and the template in it: deploy.sh with a fake `aws`."""

import base64
import hashlib
import json
import re
import subprocess
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from tests.serving import serving

from .deployments import ACCOUNT, CODE_BUCKET, STACK, deploy, deploys
from .project import PROJECT, Aws, Project, error_line, json_of

pytestmark = pytest.mark.slow

ZIP_KEY = f"{hashlib.sha256(b'a zip' + bytes([10])).hexdigest()}.zip"
OLD_ZIP = b"the deployed zip"
OLD_KEY = f"{hashlib.sha256(OLD_ZIP).hexdigest()}.zip"
NOTHING = "FAILED\tNo updates are to be performed."
Serve = Callable[[bytes], str]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Serve bytes at a URL, as Lambda does with a function's code."""
    bodies: list[bytes] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(bodies[0])

        def log_message(self, *_: object) -> None:
            pass

    with serving(HTTPServer(("127.0.0.1", 0), Handler)) as server:

        def at(body: bytes) -> str:
            bodies.append(body)
            return f"http://127.0.0.1:{server.server_port}/code"

        yield at


def stored(content: bytes | None, age: int = 1) -> str:
    """Return S3's response about an object of some days; without a checksum for None."""
    digest = {"ChecksumSHA256": base64.b64encode(hashlib.sha256(content).digest()).decode()} if content else {}
    return json.dumps({**digest, "LastModified": f"{datetime.now(UTC) - timedelta(days=age):%Y-%m-%dT%H:%M:%SZ}"})


def uploads(aws: Aws) -> list[str]:
    """Return the kinds of the files that were stored, in order."""
    return [Path(request["Key"]).suffix for request in aws.requests("put-object") if "/" not in request["Key"]]


def missing_bucket(aws: Aws) -> None:
    aws.deny("head-bucket", "HeadBucket", "404", "Not Found")


def test_the_code_bucket_is_created_private_and_encrypted_with_a_lifecycle(project: Project, aws: Aws) -> None:
    deploys(aws)
    missing_bucket(aws)
    deploy(project)

    [made] = aws.requests("create-bucket")
    assert made == {"Bucket": CODE_BUCKET, "CreateBucketConfiguration": {"LocationConstraint": "eu-central-1"}}
    [blocked] = aws.requests("put-public-access-block")
    assert list(blocked["PublicAccessBlockConfiguration"].values()) == [True] * 4
    assert aws.requests("put-bucket-encryption")
    [lifecycle] = aws.requests("put-bucket-lifecycle-configuration")
    assert lifecycle["LifecycleConfiguration"]["Rules"][0]["Expiration"] == {"Days": 365}
    assert uploads(aws) == [".zip", ".yaml"]
    for call, files in aws.calls("s3api"):
        assert "create-bucket" in call or json_of(files)["ExpectedBucketOwner"] == ACCOUNT


def test_the_lifecycle_spares_the_history_and_takes_templates_and_zips(project: Project, aws: Aws) -> None:
    deploys(aws)
    missing_bucket(aws)
    deploy(project)

    [lifecycle] = aws.requests("put-bucket-lifecycle-configuration")
    [rule] = lifecycle["LifecycleConfiguration"]["Rules"]
    template = (PROJECT / "templates/main.yaml").stat().st_size
    # Five states and the latest values, with the longest Variants, FallbackImage and CacheControl.
    longest = 6 * (2048 + 256 + 255 + 40 * 100)
    assert longest < rule["Filter"]["ObjectSizeGreaterThan"] < template


def test_a_default_bucket_without_a_lifecycle_gets_it_at_the_next_deployment(project: Project, aws: Aws) -> None:
    deploys(aws, "CREATE_COMPLETE")
    aws.deny("get-bucket-lifecycle-configuration", "G", "NoSuchLifecycleConfiguration", "…")
    assert "Setting the lifecycle" in deploy(project)
    assert aws.requests("put-bucket-lifecycle-configuration")
    assert not aws.calls("create-bucket")


def test_a_lifecycle_of_the_user_s_own_stays(project: Project, aws: Aws) -> None:
    deploys(aws, "CREATE_COMPLETE")
    aws.answer("get-bucket-lifecycle-configuration", '{"Rules": [{"ID": "mine", "Status": "Disabled"}]}')
    deploy(project)
    assert not aws.calls("put-bucket-lifecycle-configuration")


@pytest.mark.parametrize("refused", ["get-bucket-lifecycle-configuration", "put-bucket-lifecycle-configuration"])
def test_a_lifecycle_that_may_not_be_set_is_a_note(project: Project, aws: Aws, refused: str) -> None:
    deploys(aws, "CREATE_COMPLETE")
    aws.deny(refused, "L", "AccessDenied", "not authorized")
    assert "so that old files do not expire" in deploy(project)


def test_a_bucket_of_the_user_s_own_keeps_its_settings(project: Project, aws: Aws) -> None:
    deploys(aws)
    deploy(project, "--code-bucket", "mine", "--tag", "team=pictures")
    assert not aws.calls("get-bucket-lifecycle-configuration")
    assert not aws.calls("put-bucket-lifecycle-configuration")
    assert not aws.calls("put-bucket-tagging")
    assert {request["Tagging"] for request in aws.requests("put-object")} == {"team=pictures"}


def test_us_east_1_takes_no_location_constraint(project: Project, aws: Aws) -> None:
    deploys(aws)
    missing_bucket(aws)
    deploy(project, "--region", "us-east-1")
    [made] = aws.requests("create-bucket")
    assert "CreateBucketConfiguration" not in made


def test_code_is_not_uploaded_to_another_account_s_bucket(project: Project, aws: Aws) -> None:
    deploys(aws)
    aws.deny("head-bucket", "HeadBucket", "403", "Forbidden")
    assert "belongs to another account, or you have no access" in error_line(project.run("deploy.sh"))
    assert not aws.calls("put-object")
    assert not aws.calls("create-bucket")


def test_a_code_bucket_of_another_name_is_never_created(project: Project, aws: Aws) -> None:
    deploys(aws)
    missing_bucket(aws)
    assert "there is no bucket my-bucket" in error_line(project.run("deploy.sh", "--code-bucket", "my-bucket"))
    assert not aws.calls("create-bucket")


def test_the_code_bucket_s_name_is_valid_in_s3_and_differs_between_stacks() -> None:
    stacks = [STACK, "Short", "a" * 60 + "-one", "a" * 60 + "-two"]
    code = '. "$1"; account=123456789012 region=ap-southeast-1; for stack in "${@:2}"; do default_code_bucket; done'
    words = ["bash", "-euc", code, "test", str(PROJECT / "deployment/lib.sh"), *stacks]
    buckets = subprocess.run(words, capture_output=True, text=True, check=True).stdout.split()
    assert len(set(buckets)) == len(stacks)
    for bucket in buckets:
        assert re.fullmatch(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]", bucket)
        assert bucket.endswith("-code-123456789012-ap-southeast-1")


@pytest.mark.parametrize(
    ("region", "endpoint", "base"),
    [
        ("eu-central-1", "http://127.0.0.1:9", "http://127.0.0.1:9"),
        ("eu-central-1", "", "https://s3.eu-central-1.amazonaws.com"),
    ],
)
def test_the_template_is_deployed_unchanged_and_by_its_url_since_a_request_takes_51_200_bytes(
    project: Project, aws: Aws, region: str, endpoint: str, base: str
) -> None:
    deploys(aws, "CREATE_COMPLETE", NOTHING)
    words = ("--code-bucket", "my.bucket", "--region", region)
    result = project.run("deploy.sh", *words, AWS_ENDPOINT_URL=endpoint)
    assert result.returncode == 0, result
    template = (PROJECT / "templates/main.yaml").read_bytes()
    [(change_set, _)] = aws.calls("create-change-set")
    url = change_set[change_set.index("--template-url") + 1]
    assert url == f"{base}/my.bucket/{hashlib.sha256(template).hexdigest()}.yaml"
    assert aws.stored("my.bucket", url.removeprefix(f"{base}/my.bucket/")) == template
    assert "--template-body" not in change_set
    assert 51_200 < len(template) < 1_000_000  # what CloudFormation accepts from S3


def test_a_file_that_is_in_the_bucket_with_its_checksum_is_not_uploaded_again(project: Project, aws: Aws) -> None:
    deploys(aws, "CREATE_COMPLETE", NOTHING)
    deploy(project)
    assert uploads(aws) == [".zip", ".yaml"]
    assert "already" in deploy(project)
    assert uploads(aws) == [".zip", ".yaml"]


@pytest.mark.parametrize(
    ("content", "age", "warned"),
    [(b"other code", 1, True), (None, 1, False), (b"a zip\n", 31, False)],
    ids=["other content", "no checksum", "a month old"],
)
def test_an_uploaded_zip_counts_only_with_the_checksum_of_its_name(
    project: Project,
    aws: Aws,
    content: bytes | None,
    age: int,
    warned: bool,  # noqa: FBT001
) -> None:
    deploys(aws, "CREATE_COMPLETE", NOTHING)
    aws.answer(f"head-object {ZIP_KEY}", stored(content, age))
    said = deploy(project)
    [zip_upload] = [request for request in aws.requests("put-object") if request["Key"] == ZIP_KEY]
    assert zip_upload["ChecksumAlgorithm"] == "SHA256"
    assert ("Warning: " in said and "had another content than its name says" in said) == warned


def test_the_checksum_is_asked_for(project: Project, aws: Aws) -> None:
    deploys(aws, "CREATE_COMPLETE", NOTHING)
    deploy(project)
    assert {request["ChecksumMode"] for request in aws.requests("head-object")} == {"ENABLED"}


@pytest.mark.parametrize("date", ["Sat, 28 Nov 2020 01:13:02 GMT", "2020-11-28T01:13:02+00:00"], ids=["CLI 1", "CLI 2"])
def test_the_deployed_zip_gets_a_new_date_before_it_expires(project: Project, aws: Aws, date: str) -> None:
    deploys(aws, "CREATE_COMPLETE", parameters={"LambdaS3CodeBucket": CODE_BUCKET, "LambdaS3CodeKey": OLD_KEY})
    aws.answer(f"head-object {OLD_KEY}", json.dumps({**json.loads(stored(OLD_ZIP)), "LastModified": date}))
    deploy(project)
    [copied] = aws.requests("copy-object")
    assert (copied["Key"], copied["CopySource"]) == (OLD_KEY, f"{CODE_BUCKET}/{OLD_KEY}")
    assert (copied["MetadataDirective"], copied["ChecksumAlgorithm"]) == ("REPLACE", "SHA256")


def test_a_deployed_zip_that_is_young_stays_as_it_is(project: Project, aws: Aws) -> None:
    deploys(aws, "CREATE_COMPLETE", parameters={"LambdaS3CodeBucket": CODE_BUCKET, "LambdaS3CodeKey": OLD_KEY})
    aws.answer(f"head-object {OLD_KEY}", stored(OLD_ZIP, 29))
    deploy(project)
    assert not aws.calls("copy-object")


@pytest.mark.parametrize(("at_lambda", "restored"), [(OLD_ZIP, True), (b"other code", False)])
def test_an_expired_zip_of_the_deployed_function_is_restored_so_that_cloudformation_can_go_back(
    project: Project,
    aws: Aws,
    serve: Serve,
    at_lambda: bytes,
    restored: bool,  # noqa: FBT001
) -> None:
    deploys(
        aws,
        "CREATE_COMPLETE",
        parameters={"LambdaS3CodeBucket": CODE_BUCKET, "LambdaS3CodeKey": OLD_KEY},
        outputs={"FunctionName": "f-1"},
    )
    aws.answer("get-function f-1", json.dumps({"Code": {"Location": serve(at_lambda)}}))
    said = deploy(project)
    if restored:
        assert aws.stored(CODE_BUCKET, OLD_KEY) == OLD_ZIP
        assert "is stored again" in said
    else:
        assert "CloudFormation can't go back. Lambda has other code than that" in said
