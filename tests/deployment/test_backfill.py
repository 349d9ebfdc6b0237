"""backfill.sh against an `aws` that answers as told: what it sends and leaves out, how it stops and goes on."""

import json
import os
import random
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import unquote_plus

import pytest

from image_processor.publishing.names import record_id
from image_processor.urls.paths import invalidation_paths

from .project import PROJECT, Aws, Project, error_line, stack_text

sys.path.insert(0, str(PROJECT / "deployment" / "operations"))
import prices
from buckets import Object, lacks, with_renditions

pytestmark = pytest.mark.slow

UP, DONE, URL = "up-1", "done-1", "https://sqs/live"
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


def put(aws: Aws, bucket: str, *keys: str, modified: datetime = NOON, page: int = 1000, size: int = 1000) -> None:
    """Have these keys in a bucket; a listing's pages come once, but the last."""
    contents = [{"Key": key, "Size": size, "LastModified": modified.isoformat()} for key in sorted(keys)]
    pages = [contents[start : start + page] for start in range(0, len(contents), page)] or [[]]
    for number, part in reversed([*enumerate(pages)]):
        more = {"NextToken": "t"} if number < len(pages) - 1 else {}
        aws.answer(f"list-objects-v2 {bucket}", json.dumps({"Contents": part, **more}), again=not more)


@pytest.fixture(autouse=True)
def stack(aws: Aws) -> None:
    """A stack of two variants whose buckets are empty."""
    outputs = {"UploadBucketName": UP, "ProcessedBucketName": DONE, "QueueUrl": URL, "MetadataTableName": "records"}
    parameters = {"Variants": " thumbnail:width=128 ;wide:width=1200;", "MemorySize": "1769"}
    aws.answer("describe-stacks", stack_text("UPDATE_COMPLETE", parameters, outputs))
    aws.answer("get-queue-attributes", '{"Attributes": {"ApproximateNumberOfMessages": "0"}}')
    # The bucket of a listing stands in its request; the fake looks at words alone, so say it in one.
    program = aws.folder / "aws"
    text = program.read_text().replace(
        "answers = json.load",
        'call += [json.loads(f).get("Bucket") for f in files if "Bucket" in f]\nanswers = json.load',
    )
    program.write_text(text)
    put(aws, UP)
    put(aws, DONE)


def requests(aws: Aws, operation: str) -> list[dict[str, Any]]:
    return [json.loads(files[0]) for _, files in aws.calls(operation)]


def sent(aws: Aws) -> list[str]:
    """The keys that the queue was told of, as the function reads them."""
    bodies = [entry["MessageBody"] for request in requests(aws, "send-message-batch") for entry in request["Entries"]]
    records = [record for body in bodies for record in json.loads(body)["Records"]]
    assert {(record["eventSource"], record["s3"]["bucket"]["name"]) for record in records} <= {("aws:s3", UP)}
    return [unquote_plus(record["s3"]["object"]["key"]) for record in records]


def test_every_source_is_told_of_once_whatever_its_key(project: Project, aws: Aws) -> None:
    keys = {f"{number}.jpg" for number in range(43)} | {"a b+c%20ü.jpg", "odd\nkey\t'\".jpg", "a", "a/b"}
    put(aws, UP, *keys, page=10)

    result = project.run("backfill.sh", "--rate", "1000")

    assert result.returncode == 0, result
    assert sorted(sent(aws)) == sorted(keys)
    assert all(len(request["Entries"]) <= 10 for request in requests(aws, "send-message-batch"))
    assert {request["QueueUrl"] for request in requests(aws, "send-message-batch")} == {URL}
    assert "47 of 47" in result.stderr
    assert "Sent: 47." in result.stdout


def test_a_folder_of_the_console_is_no_source(project: Project, aws: Aws) -> None:
    put(aws, UP, "cats/", size=0)

    assert project.run("backfill.sh").stdout.startswith("0 sources")
    assert sent(aws) == []


def test_a_dry_run_says_what_it_would_take_and_sends_nothing(project: Project, aws: Aws) -> None:
    put(aws, UP, *(str(number) for number in range(2000)), size=4_000_000)

    result = project.run("backfill.sh", "--dry-run", "--rate", "10")

    assert result.stdout == (
        "2,000 sources, 8.0 GB, for variants thumbnail, wide: $0.04 to $0.06, and 3 minutes or more at 10 a second\n"
    )
    assert not aws.calls("send-message-batch")


def told(aws: Aws, project: Project, *options: str, invalidates: str = "true") -> str:
    """What a dry run says of CloudFront, of a stack that has one."""
    outputs = {"UploadBucketName": UP, "ProcessedBucketName": DONE, "QueueUrl": URL, "MetadataTableName": "records"}
    parameters = {"Variants": "a:width=1", "MemorySize": "1769", "EnableCdn": "true", "InvalidateCdn": invalidates}
    aws.answer("describe-stacks", stack_text("UPDATE_COMPLETE", parameters, outputs))
    result = project.run("backfill.sh", "--dry-run", *options)
    assert result.returncode == 0, result
    assert not aws.calls("send-message-batch")
    return "".join(result.stdout.splitlines(keepends=True)[1:])


def test_a_dry_run_counts_the_paths_that_cloudfront_may_be_told_of(project: Project, aws: Aws) -> None:
    keys = [f"{number}.jpg" for number in range(1200)]
    put(aws, UP, *keys, "a=b.jpg", "new.jpg")
    put(aws, DONE, *(f"{key}/a" for key in keys), "a=b.jpg/width=3")

    assert told(aws, project) == (
        "CloudFront is told of the sources whose pictures change, at most 2,404 paths:"
        " up to $7.02, as 1,000 a month are free (InvalidateCdn=false saves it)\n"
    )


def test_what_lacks_nothing_and_what_was_never_made_is_no_path(project: Project, aws: Aws) -> None:
    put(aws, UP, "whole", "old", "new")
    made = [("old", -1), ("whole", 0)]
    contents = [
        {"Key": f"{key}/a", "Size": 1, "LastModified": (NOON + timedelta(days=days)).isoformat()} for key, days in made
    ]
    aws.answer(f"list-objects-v2 {DONE}", json.dumps({"Contents": contents}))

    assert "at most 4 paths: 1,000 a month are free" in told(aws, project)
    assert "at most 2 paths" in told(aws, project, "--only-missing")


def test_where_cloudfront_is_not_told_nothing_is_said_of_it(project: Project, aws: Aws) -> None:
    put(aws, UP, "a")
    put(aws, DONE, "a/a")

    assert told(aws, project, invalidates="false") == ""


@pytest.mark.parametrize("key", ["a.jpg", "a/b c.jpg", "ü%41-_.~.jpg", *(f"a{letter}" for letter in "!$&'()*+,;=:@")])
def test_paths_are_counted_as_the_function_spells_them(key: str) -> None:
    assert prices.paths(key) == len(invalidation_paths([key]))


def test_only_what_lacks_a_rendition_or_has_an_old_one_is_sent(project: Project, aws: Aws) -> None:
    put(aws, UP, "whole", "half", "none", "overwritten", modified=NOON)
    made = [
        {"Key": f"{key}/{name}", "Size": 1, "LastModified": (NOON + timedelta(seconds=seconds)).isoformat()}
        for key, name, seconds in [
            ("half", "thumbnail", 9),
            ("overwritten", "thumbnail", 9),
            ("overwritten", "wide", -9),
            ("whole", "thumbnail", 0),
            ("whole", "wide", 9),
            ("whole", "width=300", -9),
        ]
    ]
    aws.answer(f"list-objects-v2 {DONE}", json.dumps({"Contents": made}))

    assert project.run("backfill.sh", "--only-missing").returncode == 0

    assert sent(aws) == ["half", "none", "overwritten"]


def test_a_variant_made_before_its_transformation_changed_is_missing(project: Project, aws: Aws) -> None:
    put(aws, UP, "a", modified=NOON - timedelta(days=1))
    put(aws, DONE, "a/thumbnail", "a/wide", modified=NOON)

    project.run("backfill.sh", "--made-before", "2026-11-24T12:00")
    assert sent(aws) == []
    project.run("backfill.sh", "--made-before", "2026-11-24T12:01Z")
    assert sent(aws) == ["a"]


def test_what_is_missing_is_told_right_in_any_order_of_keys() -> None:
    chance = random.Random(4)  # noqa: S311 - the same each time
    for _ in range(500):
        keys = {"".join(chance.choices("ab/-0", k=chance.randint(1, 4))) for _ in range(12)}
        whole = {key for key in keys if chance.random() < 0.5}
        others = {f"{key}/thumbnail" for key in ("gone", "a/gone")}
        renditions = {f"{key}/thumbnail" for key in whole} | {f"{key}/w=1" for key in keys} | others

        def listed(texts: set[str]) -> Iterator[Object]:
            return iter([Object(text, 1, NOON) for text in sorted(texts)])

        found = dict(with_renditions(listed(keys), listed(renditions)))

        assert {item.key for item in found} == keys
        assert {item.key for item, own in found.items() if lacks(item, own, ["thumbnail"], NOON)} == keys - whole


def test_a_refused_message_is_sent_again(project: Project, aws: Aws) -> None:
    put(aws, UP, "a", "b", "c")
    aws.answer("send-message-batch", '{"Failed": [{"Id": "1"}]}', again=False)

    assert "Sent: 3." in project.run("backfill.sh").stdout
    assert sent(aws) == ["a", "b", "c", "b"]


def test_while_many_messages_wait_no_more_are_sent(project: Project, aws: Aws) -> None:
    put(aws, UP, *(f"{number:02}" for number in range(60)))
    waiting = '{"Attributes": {"ApproximateNumberOfMessages": "%s"}}'
    aws.answer("get-queue-attributes", waiting % 2001, again=False)

    started = time.monotonic()
    assert project.run("backfill.sh", "--rate", "8").returncode == 0

    assert time.monotonic() - started > 60 / 8 - 10 / 8 + 5  # the rate, and one look that found too many
    assert len(sent(aws)) == 60


def test_a_rate_is_kept(project: Project, aws: Aws) -> None:
    put(aws, UP, *(str(number) for number in range(30)))

    started = time.monotonic()
    assert project.run("backfill.sh", "--rate", "10").returncode == 0

    assert time.monotonic() - started > 2  # the third ten begin two seconds after the first


def go_on(shown: str) -> list[str]:
    """The arguments of the command that is shown to go on."""
    [line] = [line for line in shown.splitlines() if "To go on:" in line]
    command = shlex.split(line.partition("To go on: ")[2])
    assert command[0] == "deployment/backfill.sh"
    return command[1:]


def test_stopped_it_says_how_to_go_on_and_then_nothing_is_missed(project: Project, aws: Aws) -> None:
    keys = [f"it's {number:02}" for number in range(50)]
    put(aws, UP, *keys)
    program = aws.folder / "aws"  # slow, so that it is stopped while messages are on their way
    program.write_text(
        program.read_text().replace(
            "answers = ", 'if "send-message-batch" in call: import time; time.sleep(1.5)\nanswers = ', 1
        )
    )
    process = subprocess.Popen(
        [str(project.root / "deployment/backfill.sh"), "--rate", "10", "--prefix", "it's "],
        env=project.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 - there is no other thread
    )
    deadline = time.monotonic() + 30
    while not aws.calls("send-message-batch"):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGINT)
    _, error = process.communicate(timeout=30)

    assert process.returncode == 130, error
    arguments = go_on(error)
    done = len(sent(aws))
    assert 0 < done < 50
    assert arguments == ["--rate", "10", "--prefix", "it's ", "--start-after", keys[done - 1]]
    put(aws, UP, *keys[done:])
    assert project.run("backfill.sh", *arguments).returncode == 0
    assert requests(aws, "list-objects-v2")[-1]["StartAfter"] == keys[done - 1]
    assert sent(aws) == keys


def test_when_aws_fails_it_says_why_and_how_to_go_on(project: Project, aws: Aws) -> None:
    put(aws, UP, *(f"{number:02}" for number in range(100)))
    aws.deny("send-message-batch", "SendMessageBatch", "AccessDenied", "not authorized to perform: sqs:SendMessage")
    aws.answer("send-message-batch", "{}", again=False)

    result = project.run("backfill.sh", "--only-missing", "--rate", "20")

    assert result.returncode == 1
    assert result.stderr.splitlines()[-1].startswith("backfill.sh: no permission for sqs:SendMessage")
    assert go_on(result.stderr) == ["--only-missing", "--rate", "20", "--start-after", "09"]


def test_renditions_and_records_of_variants_no_longer_made_are_removed(project: Project, aws: Aws) -> None:
    gone = [f"cats/{number}.jpg/small" for number in range(30)]
    put(aws, DONE, *gone, "a/thumbnail", "a/wide", "a/width=300,format=webp")

    result = project.run("backfill.sh", "--remove-stale", "--yes")

    assert result.returncode == 0, result
    assert result.stdout.splitlines()[0] == "small: 30 renditions, 30.0 kB"
    [deleted] = requests(aws, "delete-objects")
    assert deleted["Bucket"] == DONE
    assert sorted(item["Key"] for item in deleted["Delete"]["Objects"]) == sorted(gone)
    ids = [
        item["DeleteRequest"]["Key"]["id"]["S"]
        for request in requests(aws, "batch-write-item")
        for item in request["RequestItems"]["records"]
    ]
    assert sorted(ids) == sorted(record_id(UP, *key.rsplit("/", 1)) for key in gone)
    assert not aws.calls("send-message-batch")


def test_nothing_is_removed_without_being_told_to(project: Project, aws: Aws) -> None:
    put(aws, DONE, "a/small")

    assert "small: 1 renditions" in project.run("backfill.sh", "--remove-stale", "--dry-run").stdout
    result = project.run("backfill.sh", "--remove-stale")

    assert result.returncode == 1
    assert "give --yes" in result.stderr
    assert not aws.calls("delete-objects")
    assert not aws.calls("batch-write-item")


def test_where_nothing_is_stale_that_is_said(project: Project, aws: Aws) -> None:
    put(aws, DONE, "a/thumbnail", "a/width=300")

    assert project.run("backfill.sh", "--remove-stale", "--yes").stdout.startswith("Nothing is stale")
    assert not aws.calls("delete-objects")


def test_an_object_that_can_not_be_deleted_ends_it(project: Project, aws: Aws) -> None:
    put(aws, DONE, "a/small")
    aws.answer("delete-objects", '{"Errors": [{"Key": "a/small", "Code": "AccessDenied"}]}')

    result = project.run("backfill.sh", "--remove-stale", "--yes")

    assert result.returncode == 1
    assert result.stderr.splitlines()[-1] == "backfill.sh: aws s3api delete-objects: a/small: AccessDenied"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--rate", "0"], "--rate is a whole number from 1, not '0'"),
        (["--rate", "many"], "--rate is a whole number"),
        (["--made-before", "yesterday"], "--made-before is a time such as 2026-11-24T06:00, not 'yesterday'"),
        (["--remove-stale", "--only-missing"], "--remove-stale goes with --prefix, --dry-run and --yes only"),
        (["--prefix"], "--prefix needs a value"),
    ],
)
def test_a_wrong_command_line_is_one_line(project: Project, aws: Aws, arguments: list[str], words: str) -> None:
    assert words in error_line(project.run("backfill.sh", *arguments))
    assert not aws.calls()
