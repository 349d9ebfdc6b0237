"""verify.sh on the local AWS: it shows every claim that can be shown here, finds what is broken, and leaves nothing."""

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from .local import PROJECT, Stack, clean_environment, eventually
from .test_delivery import stopped_queue

NOT_SHOWN = {"edge-caches", "compute-plain", "compute-usual", "compute-twenty", "alarms"}
NOT_IN_STACK = {"https", "tls-only"}  # which local.sh switches off, because the local AWS has no TLS
PREFIX = "verify-"


def command(stack: Stack, *only: str) -> tuple[list[str], dict[str, str]]:
    words = [argument for name in only for argument in ("--only", name)]
    return [str(PROJECT / "deployment" / "verify.sh"), "--local", *words], {
        **clean_environment(),
        "PORT": str(stack.local.port),
    }


def verified(stack: Stack, *only: str) -> tuple[int, dict[str, str], str]:
    """Run verify.sh; returns its exit status, the result of each claim by its name, and what it printed."""
    arguments, environment = command(stack, *only)
    done = subprocess.run(arguments, env=environment, capture_output=True, text=True, timeout=400, check=False)
    rows = [line.split(" | ") for line in done.stdout.splitlines() if line.startswith("| `")]
    results = {row[0].split("`")[1]: row[1].strip(" *") for row in rows}
    return done.returncode, results, done.stdout + done.stderr


def left(stack: Stack) -> list[str]:
    """What the buckets and the table have of runs of verify.sh."""
    s3, dynamodb = stack.local.client("s3"), stack.local.client("dynamodb")
    listed = s3.list_object_versions(Bucket=stack.outputs["UploadBucketName"], Prefix=PREFIX)
    found = [one["Key"] for kind in ("Versions", "DeleteMarkers") for one in listed.get(kind, ())]
    records = dynamodb.scan(TableName=stack.outputs["MetadataTableName"])["Items"]
    found += [record["original_file"]["S"] for record in records if f"/{PREFIX}" in record["original_file"]["S"]]
    return found + [key for key in stack.renditions() if key.startswith(PREFIX)]


@contextmanager
def open_bucket(stack: Stack) -> Iterator[None]:
    """Anyone may read the processed bucket."""
    s3, bucket = stack.local.client("s3"), stack.outputs["ProcessedBucketName"]
    policy = s3.get_bucket_policy(Bucket=bucket)["Policy"]
    blocked = s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
    allowed = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{bucket}/*"}
    document = json.loads(policy)
    s3.delete_public_access_block(Bucket=bucket)
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({**document, "Statement": [*document["Statement"], allowed]}))
    try:
        yield
    finally:
        s3.put_bucket_policy(Bucket=bucket, Policy=policy)
        s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=blocked)


def test_every_claim_holds_that_this_emulator_can_show_and_nothing_is_left(stack: Stack) -> None:
    status, results, printed = verified(stack)

    unusual = {name: result for name, result in results.items() if result != "holds"}
    assert {name for name, result in unusual.items() if result == "not shown by this emulator"} == NOT_SHOWN, printed
    assert {name for name, result in unusual.items() if result == "not in this stack"} == NOT_IN_STACK, printed
    assert unusual.keys() == NOT_SHOWN | NOT_IN_STACK, printed
    assert (status, len(results) > 60) == (0, True), printed
    assert left(stack) == []
    assert "000000000000" not in printed
    assert stack.api_key not in printed


def test_a_bucket_that_strangers_can_read_is_found(stack: Stack) -> None:
    with open_bucket(stack):
        status, results, printed = verified(stack, "processed-bucket")

    assert (status, results) == (1, {"processed-bucket": "FAILED"}), printed
    assert "GET: 200 instead of 403" in printed


def test_a_queue_that_is_not_processed_is_found_and_nothing_is_left_all_the_same(stack: Stack) -> None:
    with stopped_queue(stack):
        status, results, printed = verified(stack, "rendered-by-queue", "thumbnail", "withdrawn", "removed")

        assert status == 1, printed
        assert results == {
            "thumbnail": "holds",  # by its URL
            "rendered-by-queue": "FAILED",
            "withdrawn": "FAILED",
            "removed": "holds",
        }, printed
        assert left(stack) == []
    eventually(lambda: stack.waiting("QueueUrl") == 0)
    assert left(stack) == []


def test_ctrl_c_leaves_nothing(stack: Stack) -> None:
    arguments, environment = command(stack)
    process = subprocess.Popen(
        arguments,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # A test run in the background has Ctrl-C ignored, and so would all that it starts.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 - there is no other thread
    )
    eventually(lambda: len(left(stack)) > 5, within=60)

    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=120)

    assert process.returncode == 130, errors
    assert "Traceback" not in errors
    eventually(lambda: stack.waiting("QueueUrl") == 0)
    assert left(stack) == []
