"""The stack that is verified: its outputs and parameters, and the calls of its owner and of its viewers.

Everything that a check uploads has a key below one random prefix, which `removal.py` empties afterwards.
"""

from __future__ import annotations

import secrets
import threading
import time
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote, urlencode

from aws_cli import AwsFailed
from bucket_listings import list_objects, variant_names
from claims import NotChecked, Stopped, expect
from removal import Removal

from image_processor.urls.links import signed_url

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from aws_cli import AwsCli
    from web import Response, Web

T = TypeVar("T")
THROTTLED, TRIES = 429, 5
ENOUGH = 6_000_000  # bytes, for the large picture
DENIED = ("AccessDenied", "UnauthorizedOperation", "not authorized", "(403)")


@dataclass
class Target:
    """A stack; `within` is the longest time in seconds that a check waits for something."""

    aws: AwsCli
    web: Web
    work: Path
    region: str
    stack_id: str
    outputs: Mapping[str, str]
    parameters: Mapping[str, str]
    local: bool
    within: float
    prefix: str = field(default_factory=lambda: f"verify-{secrets.token_hex(4)}/")
    started: float = field(default_factory=time.time)
    keys: list[str] = field(default_factory=list)
    stopping: threading.Event = field(default_factory=threading.Event)
    dead_letters: int = 0  # before the run
    removal: Removal = field(default_factory=Removal)
    ready: str = ""  # the key of a blue source of 300 × 200 pixels, for checks that need no source of their own

    def lacks(self, part: str) -> bool:
        """Whether the stack lacks a part of `claims.PARTS`."""
        given = self.parameters.get
        has = {
            "api": "ApiUrl" in self.outputs,
            "api-key": given("ApiAuthorization", "API_KEY") == "API_KEY",
            "cdn": "DistributionDomainName" in self.outputs,
            "delivery": "SigningSecretArn" in self.outputs,
            "https": given("ViewerProtocolPolicy") != "allow-all",
            "invalidation": "DistributionDomainName" in self.outputs and given("InvalidateCdn") == "true",
            "large": int(given("MaxSourceBytes", "0")) >= ENOUGH,
            "metadata": "MetadataTableName" in self.outputs,
            "public": not given("CdnKeyGroup"),
            "tls": given("RequireTls") == "true",
        }
        return not has[part]

    # -------- The owner's calls, by the AWS CLI --------

    @property
    def upload_bucket(self) -> str:
        """The name of the bucket of the sources."""
        return self.outputs["UploadBucketName"]

    @property
    def processed_bucket(self) -> str:
        """The name of the bucket of the renditions."""
        return self.outputs["ProcessedBucketName"]

    def key(self, name: str) -> str:
        """The key of a source of this run."""
        return self.prefix + name

    def upload(self, name: str, body: bytes) -> str:
        """Upload a source; returns its key."""
        self.go_on()
        key = self.key(name)
        file = self.work / f"source-{secrets.token_hex(8)}"
        file.write_bytes(body)
        self.keys.append(key)  # before the call, which may fail although S3 has stored the source
        try:
            self.aws.call("s3api", "put-object", "--body", str(file), Bucket=self.upload_bucket, Key=key)
        except AwsFailed as error:
            if _is_denied(error):
                self.keys.remove(key)
            raise
        finally:
            file.unlink()
        return key

    def stored(self, key: str) -> dict[str, str]:
        """The names of the renditions of a source in the processed bucket, each with its ETag.

        The key has no character that a rendition's path escapes.
        """
        prefix = f"{key}/"
        return {item.key[len(prefix) :]: item.etag for item in list_objects(self.aws, self.processed_bucket, prefix)}

    def records(self, key: str) -> list[dict[str, str]]:
        """The records of a source's renditions."""
        source = f"s3://{self.upload_bucket}/{key}"
        found = self.ask_aws(
            "dynamodb",
            "query",
            TableName=self.outputs["MetadataTableName"],
            IndexName="by-original-file",
            KeyConditionExpression="original_file = :file",
            ExpressionAttributeValues={":file": {"S": source}},
        )["Items"]
        return [{name: str(next(iter(value.values()))) for name, value in item.items()} for item in found]

    def ask_aws(self, service: str, operation: str, *options: str, **request: Any) -> dict[str, Any]:
        """Return the response to a call that the caller may lack the permission for; raises `NotChecked` then."""
        self.go_on()
        try:
            return self.aws.call(service, operation, *options, **request)
        except AwsFailed as error:
            if _is_denied(error):
                raise NotChecked(f"these credentials may not call {service} {operation}") from error
            raise

    @cached_property
    def resources(self) -> dict[str, str]:
        """The physical ids of the stack's resources, by their names in the template."""
        found = self.ask_aws("cloudformation", "list-stack-resources", StackName=self.stack_id)
        return {one["LogicalResourceId"]: one["PhysicalResourceId"] for one in found["StackResourceSummaries"]}

    def arn(self, service: str, resource: str) -> str:
        """The ARN of a resource of the account, without a region for CloudFront, IAM and S3, or an account for S3."""
        _, partition, _, _, account, _ = self.stack_id.split(":", 5)
        region = "" if service in ("cloudfront", "iam", "s3") else self.region
        return f"arn:{partition}:{service}:{region}:{'' if service == 's3' else account}:{resource}"

    @cached_property
    def signing_key(self) -> str:
        """The key that signs URLs."""
        secret = self.outputs["SigningSecretArn"]
        return str(self.ask_aws("secretsmanager", "get-secret-value", SecretId=secret)["SecretString"])

    @cached_property
    def api_key(self) -> str:
        """The key of the API."""
        found = self.ask_aws("apigateway", "get-api-key", "--include-value", apiKey=self.outputs["ApiKeyId"])
        return str(found["value"])

    def known_secrets(self) -> list[str]:
        """The keys that have been read so far."""
        return [self.__dict__[name] for name in ("signing_key", "api_key") if name in self.__dict__]

    # -------- A viewer's requests --------

    @cached_property
    def enforces_iam(self) -> bool:
        """Whether requests without credentials are refused; a local AWS accepts them by default."""
        host = f"{self.upload_bucket}.s3.{self.region}.amazonaws.com"
        return self.web.request(host, "/?list-type=2&max-keys=0").status == 403

    @property
    def variants(self) -> list[str]:
        """The names of the stack's variants."""
        return variant_names(self.parameters["Variants"])

    @property
    def domain(self) -> str:
        """The host name of CloudFront."""
        return self.outputs["DistributionDomainName"]

    def get(self, url: str, method: str = "GET", headers: Mapping[str, str] | None = None) -> Response:
        """Return CloudFront's response to a URL, which is written from its first slash on.

        Lambda refuses a request while the account's concurrent executions are used up, of which a new account has few;
        such a request is repeated.
        """
        for _ in range(TRIES):
            self.go_on()
            response = self.web.request(self.domain, url, method, headers)
            if response.status != THROTTLED:
                break
            self.stopping.wait(2)
        return response

    def variant_url(self, key: str) -> str:
        """The URL of a source's first variant."""
        return f"/{quote(key)}/{self.variants[0]}"

    def options_url(self, key: str, **options: object) -> str:
        """The unsigned URL of a picture."""
        return f"/{quote(key)}?{urlencode(options)}"

    def signed_url(self, key: str, **options: object) -> str:
        """The signed URL of a picture."""
        return signed_url("", key, {name: str(value) for name, value in options.items()}, self.signing_key)

    def rounded(self, width: int, source: int) -> int:
        """The width of a picture whose width alone is requested: rounded up to the ladder, and never enlarged."""
        ladder = [int(size) for size in self.parameters.get("SizeLadder", "").split(",") if size]
        if ladder:
            width = min((size for size in ladder if size >= width), default=max(ladder))
        return min(width, source)

    # -------- Time --------

    def go_on(self) -> None:
        """Raise `Stopped` if the user has stopped the run."""
        if self.stopping.is_set():
            raise Stopped

    def until(self, look: Callable[[], T | None], what: Callable[[], str]) -> tuple[T, float]:
        """Repeat until the result is true; returns it with the seconds it took.

        Raises `Broken` after `within` seconds; `what` then says what was waited for, and what was there instead.
        """
        started = time.monotonic()
        while True:
            self.go_on()
            found = look()
            seconds = time.monotonic() - started
            if found:
                return found, seconds
            expect(seconds < self.within, f"after {self.within:.0f} s, {what()}")
            self.stopping.wait(0.05 if self.local else 0.5)

    def until_served(self, url: str) -> tuple[Response, float]:
        """Repeat a request until the response is a picture; returns it with the seconds it took."""
        seen: list[Response] = []

        def look() -> Response | None:
            seen[:] = [self.get(url)]
            return seen[0] if seen[0].is_picture else None

        return self.until(look, lambda: f"no picture: {seen[0]}")


def _is_denied(error: AwsFailed) -> bool:
    return any(word in error.error for word in DENIED)
