"""A load for a stack on the local AWS: uploads at full speed, while storage fails and functions are killed.

In the end every good source has its right rendition and record, every bad one the record of its failure, and no message
is left in a queue; anything else raises `AssertionError`.
"""

import io
import os
import random
import signal
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from statistics import quantiles
from typing import Any

from botocore.config import Config
from PIL import Image

from image_processor.urls.paths import rendition_path

from .faulty_proxy import FaultyProxy, faulty_proxy
from .local import LocalAws, Stack, eventually, picture

NAME = "load"
SHARE = 1 / 20  # of the function's calls to S3 and DynamoDB fail
POISON = 100  # every hundredth
CLIENTS = 8
CALLS_TO_DEATH = 300  # of all functions together, between one that is killed and the next; some fifty uploads
KINDS = ("JPEG", "PNG", "WEBP", "GIF", "AVIF", "TIFF", "BMP")
SIZES = ((32, 32), (400, 300), (640, 480), (300, 900), (1200, 800), (1920, 1080))
SHOWN_AS = {"TIFF": "jpeg", "BMP": "jpeg"}  # which browsers do not show; the others have their source's format
COLOURS = ("red", "green", "blue", "teal", "orange", "purple", "white")
TOLERANCE = 6  # of 255, in solid colour: what JPEG and AVIF may lose


@dataclass(frozen=True)
class Upload:
    """A source, and its required outcome: a picture of this colour and format, or this error."""

    key: str
    body: bytes = field(repr=False)
    colour: str = ""
    content_type: str = ""
    error: str = ""


@dataclass(frozen=True)
class Outcome:
    """The result of a load: seconds in all, and for each rendition; and the faults meanwhile."""

    seconds: float
    latencies: list[float]
    faults: Counter[str]
    calls: int
    killed: int
    poisoned: int

    def __str__(self) -> str:
        percent = quantiles(self.latencies, n=100)
        faults = ", ".join(f"{count} {fault}" for fault, count in sorted(self.faults.items()))
        return (
            f"{len(self.latencies) + self.poisoned} uploads, {self.poisoned} of them bad, in {self.seconds:.1f} s; "
            f"from upload to rendition p50 {percent[49]:.2f} s, p99 {percent[98]:.2f} s, "
            f"at most {max(self.latencies):.2f} s\n"
            f"on the way: {self.faults.total()} of {self.calls} calls failed ({faults}), {self.killed} functions killed"
        )


def uploads(count: int) -> Iterator[Upload]:
    """Sources of mixed sizes and formats, one in a hundred of them bad; the same each time."""
    for number in range(count):
        kind, key = KINDS[number % len(KINDS)], f"load/{number:04} +ü.bin"
        width, height = SIZES[number // len(KINDS) % len(SIZES)]
        colour = COLOURS[number // 3 % len(COLOURS)]
        body = picture(width, height, colour, kind)
        if number % POISON == POISON // 2:
            bad = number // POISON % 2
            yield Upload(
                key,
                b"no picture at all" if bad else picture()[:500],
                error=("corrupt-image", "unsupported-format")[bad],
            )
        else:
            yield Upload(key, body, colour, f"image/{SHOWN_AS.get(kind, kind.lower())}")


@contextmanager
def load_stack(local: LocalAws, visible_again: int) -> Iterator[tuple[Stack, FaultyProxy]]:
    """A stack whose function calls AWS through a faulty proxy.

    SQS redelivers the messages of a killed function after `visible_again` seconds, 360 as deployed. If a batch takes
    longer, its messages are processed twice at a time, and move to the dead-letter queue after five tries.
    """
    parameters = ("RequireTls=false", "EnableApi=false", "MaximumConcurrency=4")
    arguments = [word for parameter in parameters for word in ("--parameter", parameter)]
    done = local.script("deploy.sh", "--local", "--stack-name", NAME, *arguments)
    assert done.returncode == 0, done.stderr
    described = local.client("cloudformation").describe_stacks(StackName=NAME)["Stacks"][0]["Outputs"]
    stack = Stack(local, {output["OutputKey"]: output["OutputValue"] for output in described})
    eventually(
        lambda: stack.waiting("QueueUrl") == 0
    )  # S3's test events, before the function changes, which would delay them
    function = stack.outputs["FunctionName"]
    variables = local.client("lambda").get_function_configuration(FunctionName=function)["Environment"]["Variables"]
    with faulty_proxy(local.port, SHARE) as proxy:
        local.client("lambda").update_function_configuration(
            FunctionName=function, Environment={"Variables": {**variables, "AWS_ENDPOINT_URL": proxy.url}}
        )
        local.client("sqs").set_queue_attributes(
            QueueUrl=stack.outputs["QueueUrl"], Attributes={"VisibilityTimeout": str(visible_again)}
        )
        yield stack, proxy
        local.client("cloudformation").delete_stack(StackName=NAME)


def run(stack: Stack, proxy: FaultyProxy, count: int, within: float) -> Outcome:
    """Upload `count` sources, and wait at most `within` seconds until they are processed."""
    sources = list(uploads(count))
    s3 = stack.local.client("s3", config=Config(max_pool_connections=CLIENTS))
    bucket = stack.outputs["UploadBucketName"]
    sent: dict[str, float] = {}
    etags: dict[str, str] = {}

    def upload(source: Upload) -> None:
        sent[source.key] = time.monotonic()
        etags[source.key] = s3.put_object(Bucket=bucket, Key=source.key, Body=source.body)["ETag"].strip('"')

    started = time.monotonic()
    with killing(stack.local, proxy) as killed:
        with ThreadPoolExecutor(CLIENTS) as clients:
            list(clients.map(upload, sources))
        eventually(lambda: stack.waiting("QueueUrl") == 0, within - (time.monotonic() - started))
    seconds = time.monotonic() - started
    assert stack.waiting("DeadLetterQueueUrl") == 0
    check(stack, sources, etags)
    processed = stack.outputs["ProcessedBucketName"]
    good = [source for source in sources if not source.error]
    latencies = [
        proxy.stored_at[f"/{processed}/{rendition_path(source.key, 'thumbnail')}"] - sent[source.key] for source in good
    ]
    return Outcome(seconds, latencies, proxy.faults, proxy.calls.total(), len(killed), len(sources) - len(good))


def check(stack: Stack, sources: list[Upload], etags: dict[str, str]) -> None:
    """Check that each source has its rendition and record, and that there are no others."""
    s3, dynamodb = stack.local.client("s3"), stack.local.client("dynamodb")
    processed = stack.outputs["ProcessedBucketName"]
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=processed)
    listed = {item["Key"] for page in pages for item in page.get("Contents", [])}
    assert listed == {rendition_path(source.key, "thumbnail") for source in sources if not source.error}
    scan = dynamodb.get_paginator("scan").paginate(TableName=stack.outputs["MetadataTableName"])
    items = [
        {name: next(iter(value.values())) for name, value in item.items()} for page in scan for item in page["Items"]
    ]
    records = {item["original_file"].partition("/load/")[2]: item for item in items}
    assert len(items) == len(records) == len(sources)
    for source in sources:
        record = records[source.key.removeprefix("load/")]
        outcome = (record["status"], record.get("error_code", ""), record["source_etag"], record.get("processed_file"))
        if source.error:
            assert outcome == ("failed", source.error, etags[source.key], None), source
            continue
        rendition = rendition_path(source.key, "thumbnail")
        assert outcome == ("processed", "", etags[source.key], f"s3://{processed}/{rendition}"), source
        answer = s3.get_object(Bucket=processed, Key=rendition)
        assert answer["Metadata"]["source-etag"] == etags[source.key], source
        assert answer["ContentType"] == record["content_type"] == source.content_type, source
        assert_is(answer["Body"].read(), source)


def assert_is(body: bytes, source: Upload) -> None:
    """Check that this is a thumbnail of the source's colour."""
    with Image.open(io.BytesIO(body)) as image:
        assert image.size == (128, 128), source
        extrema: Any = image.convert("RGB").getextrema()
    wanted: Any = Image.new("RGB", (1, 1), source.colour).getpixel((0, 0))
    for (low, high), level in zip(extrema, wanted, strict=True):
        assert level - TOLERANCE <= low <= high <= level + TOLERANCE, (source, extrema)


@contextmanager
def killing(local: LocalAws, proxy: FaultyProxy) -> Iterator[list[int]]:
    """Kill a working function of the local AWS now and then, by its process id; the list has the ids of the killed."""
    over, killed, dice = threading.Event(), list[int](), random.Random(1)  # noqa: S311 - chance, not secrecy

    def kill() -> None:
        while not over.wait(0.02):
            if proxy.calls.total() >= CALLS_TO_DEATH * (len(killed) + 0.5) and (alive := functions(local.process.pid)):
                victim = dice.choice(alive)
                os.kill(victim, signal.SIGKILL)
                killed.append(victim)

    thread = threading.Thread(target=kill)
    thread.start()
    try:
        yield killed
    finally:
        over.set()
        thread.join()


def functions(ancestor: int) -> list[int]:
    """The processes that the local AWS below this one runs functions in: its server's children."""
    listed = subprocess.run(
        ["ps", "-ww", "-A", "-o", "pid=,ppid=,command="], capture_output=True, text=True, check=True
    ).stdout
    rows = [line.split(None, 2) for line in listed.splitlines()]
    server = [int(pid) for pid, parent, command in rows if int(parent) == ancestor and "local_aws.py" in command]
    return [int(pid) for pid, parent, command in rows if int(parent) in server and "worker" in command]
