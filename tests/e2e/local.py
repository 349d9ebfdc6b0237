"""A local AWS and the stacks on it, which the end-to-end tests use from outside, as a user does."""

import http.client
import io
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote, urlsplit

import boto3
from botocore.config import Config
from PIL import Image

from image_processor.urls.paths import split_path

PROJECT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
READY = "All names and URLs are in"
STARTED_WITHIN = 240.0  # seconds, on a slow machine that packages the function first; about 15 otherwise
DONE_WITHIN = 20.0  # seconds from an upload to its rendition; far more than it takes, so that only a loss is a failure
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1"}
T = TypeVar("T")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def eventually(call: Callable[[], T | None], within: float = DONE_WITHIN) -> T:
    """Call until the result is neither None nor empty."""
    deadline = time.monotonic() + within
    while not (result := call()):
        assert time.monotonic() < deadline, f"not within {within:.0f} s"
        time.sleep(0.05)
    return result


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def image(self) -> Image.Image:
        return Image.open(io.BytesIO(self.body))


def request(method: str, port: int, path: str, body: str | None = None, **headers: str) -> Answer:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request(method, path, body.encode() if body is not None else None, headers)
        answer = connection.getresponse()
        return Answer(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())
    finally:
        connection.close()


@dataclass
class LocalAws:
    """A local AWS that `deployment/local.sh` started, and the stack it deployed."""

    process: "subprocess.Popen[str]"
    printed: str
    outputs_file: Path

    @cached_property
    def outputs(self) -> dict[str, str]:
        read: dict[str, str] = json.loads(self.outputs_file.read_text())
        return read

    @property
    def port(self) -> int:
        return urlsplit(self.outputs["Endpoint"]).port or 0

    def client(self, service: str, config: Config | None = None) -> Any:
        return boto3.client(
            service,
            config=config,
            endpoint_url=self.outputs["Endpoint"],
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",  # noqa: S106 - the emulator's
        )

    def script(self, name: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
        environment = {**clean_environment(), **CREDENTIALS, "AWS_ENDPOINT_URL": self.outputs["Endpoint"]}
        command = [str(PROJECT / "deployment" / name), *arguments]
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=240, check=False)

    def deploy(self, name: str, **parameters: str) -> "Stack":
        """Deploy another stack, or the same with other parameters, with its URLs on this machine."""
        given = {"RequireTls": "false", "ViewerProtocolPolicy": "allow-all", **parameters}
        arguments = [argument for pair in given.items() for argument in ("--parameter", "=".join(pair))]
        done = self.script("deploy.sh", "--local", "--stack-name", name, *arguments)
        assert done.returncode == 0, done.stderr
        described = self.client("cloudformation").describe_stacks(StackName=name)["Stacks"][0]["Outputs"]
        return Stack(self, {output["OutputKey"]: output["OutputValue"] for output in described})

    def aws(self, *arguments: str) -> str:
        """The plain AWS CLI, as a user has it."""
        command = [str(BIN / "aws"), "--endpoint-url", self.outputs["Endpoint"], *arguments]
        done = subprocess.run(
            command, env={**clean_environment(), **CREDENTIALS}, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


@dataclass
class Stack:
    """One deployed stack: its outputs, and a user's calls to it."""

    local: LocalAws
    outputs: dict[str, str]

    def upload(self, key: str, body: bytes) -> None:
        self.local.client("s3").put_object(Bucket=self.outputs["UploadBucketName"], Key=key, Body=body)

    def from_cdn(self, key: str, method: str = "GET") -> Answer:
        return request(
            method, self.local.port, f"/{quote(key, safe='/=,')}", Host=self.outputs["DistributionDomainName"]
        )

    def ask(self, url: str, method: str = "GET", **headers: str) -> Answer:
        """Request a URL from CloudFront, written from its first slash on."""
        return request(method, self.local.port, url, Host=self.outputs["DistributionDomainName"], **headers)

    def served(self, key: str) -> Answer:
        """What CloudFront serves, as soon as it does."""
        return eventually(lambda: answer if (answer := self.from_cdn(key)).status == 200 else None)

    def post(self, body: object, **headers: str) -> Answer:
        url = urlsplit(self.outputs["ApiUrl"])
        host, stage = (url.hostname or "").split(".")[0], url.path
        path = f"/_aws/execute-api/{host}{stage}/images" if ".amazonaws." in url.netloc else f"{url.path}/images"
        headers = {"x-api-key": self.api_key, **headers}
        return request("POST", self.local.port, path, body if isinstance(body, str) else json.dumps(body), **headers)

    @property
    def api_key(self) -> str:
        key: str = self.local.client("apigateway").get_api_key(apiKey=self.outputs["ApiKeyId"], includeValue=True)[
            "value"
        ]
        return key

    def renditions(self) -> set[str]:
        """The stored renditions, each as its source's key and its name."""
        listed = self.local.client("s3").list_objects_v2(Bucket=self.outputs["ProcessedBucketName"])
        return {"/".join(split_path(item["Key"]) or ("not a path", item["Key"])) for item in listed.get("Contents", [])}

    def records(self, key: str) -> list[dict[str, str]]:
        found = self.local.client("dynamodb").query(
            TableName=self.outputs["MetadataTableName"],
            IndexName="by-original-file",
            KeyConditionExpression="original_file = :file",
            ExpressionAttributeValues={":file": {"S": f"s3://{self.outputs['UploadBucketName']}/{key}"}},
        )["Items"]
        return [{name: next(iter(value.values())) for name, value in item.items()} for item in found]

    def invalidated(self) -> set[str]:
        """The paths that were invalidated in CloudFront."""
        cloudfront = self.local.client("cloudfront")
        found = cloudfront.list_distributions()["DistributionList"]["Items"]
        [own] = [item["Id"] for item in found if item["DomainName"] == self.outputs["DistributionDomainName"]]
        listed = cloudfront.list_invalidations(DistributionId=own)["InvalidationList"].get("Items", [])
        invalidations = [
            cloudfront.get_invalidation(DistributionId=own, Id=item["Id"])["Invalidation"] for item in listed
        ]
        return {path for one in invalidations for path in one["InvalidationBatch"]["Paths"]["Items"]}

    def waiting(self, queue: str) -> int:
        """How many messages a queue has, including those that are being processed."""
        names = [
            "ApproximateNumberOfMessages",
            "ApproximateNumberOfMessagesNotVisible",
            "ApproximateNumberOfMessagesDelayed",
        ]
        attributes = self.local.client("sqs").get_queue_attributes(QueueUrl=self.outputs[queue], AttributeNames=names)
        return sum(int(attributes["Attributes"][name]) for name in names)


def clean_environment() -> dict[str, str]:
    """The environment of a shell on a new machine, with the venv's programs first."""
    return {"HOME": os.environ["HOME"], "PATH": f"{BIN}:{os.environ['PATH']}", "LC_ALL": "C.UTF-8"}


@contextmanager
def local_aws(state: Path, *arguments: str, **environment: str) -> Iterator[LocalAws]:
    """Run `deployment/local.sh` until it is ready, and end it as Ctrl-C does."""
    log = state.parent / f"{state.name}.printed"
    with log.open("w") as output:
        process = subprocess.Popen(
            [str(PROJECT / "deployment" / "local.sh"), *arguments],
            env={**clean_environment(), "PORT": str(free_port()), "STATE": str(state), **environment},
            stdout=output,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            # A test run in the background has Ctrl-C ignored, and so would all that it starts.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 - there is no other thread
        )
    try:
        eventually(lambda: READY in log.read_text() or process.poll() is not None, within=STARTED_WITHIN)
        printed = log.read_text()
        assert process.poll() is None, printed
        yield LocalAws(process, printed, state / "outputs.json")
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGINT)
            process.wait(timeout=60)


def picture(width: int = 400, height: int = 300, colour: str = "teal", kind: str = "JPEG", **options: Any) -> bytes:
    body = io.BytesIO()
    Image.new("RGB", (width, height), colour).save(body, kind, **options)
    return body.getvalue()
