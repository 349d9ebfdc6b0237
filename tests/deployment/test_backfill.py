"""backfill.sh with a fake `aws`: what it sends and leaves out, how it stops and continues."""

import argparse
import itertools
import json
import os
import random
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import unquote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from image_processor.publishing.names import record_id
from image_processor.transformations.variants import VARIANT_NAME, parse_variants
from image_processor.urls.paths import escape_key, rendition_path

from .project import PROJECT, Aws, Project, error_line, stack_text

sys.path.insert(0, str(PROJECT / "deployment" / "operations"))
import backfill
from bucket_listings import Object, missing_variants, prefixes_of_paths, variant_names, with_renditions

pytestmark = pytest.mark.slow

UP, DONE, URL, TABLE, ETAG = "up-1", "done-1", "https://sqs/live", "records", "5d41402abc4b2a76b9719d911017c592"
OUTPUTS = {"UploadBucketName": UP, "ProcessedBucketName": DONE, "QueueUrl": URL, "MetadataTableName": TABLE}
VARIANTS = {"Variants": " thumbnail:width=128 ;wide:width=1200;", "MemorySize": "1769"}
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


def put(aws: Aws, bucket: str, *keys: str, modified: datetime = NOON, page: int = 1000, size: int = 1000) -> None:
    """Let a bucket have these keys; each page of the listing is returned once, the last one always."""
    contents = [
        {"Key": key, "Size": size, "LastModified": modified.isoformat(), "ETag": f'"{ETAG}"'} for key in sorted(keys)
    ]
    pages = [contents[start : start + page] for start in range(0, len(contents), page)] or [[]]
    for number, part in reversed([*enumerate(pages)]):
        more = {"NextToken": "t"} if number < len(pages) - 1 else {}
        aws.answer(f"list-objects-v2 {bucket}", json.dumps({"Contents": part, **more}), again=not more)


@pytest.fixture(autouse=True)
def stack(aws: Aws) -> None:
    """A stack of two variants, whose buckets are empty and whose table has no record."""
    aws.answer("describe-stacks", stack_text("UPDATE_COMPLETE", VARIANTS, OUTPUTS))
    aws.answer("get-queue-attributes", '{"Attributes": {"ApproximateNumberOfMessages": "0"}}')
    aws.answer("batch-get-item", json.dumps({"Responses": {TABLE: []}, "UnprocessedKeys": {}}))
    put(aws, UP)
    put(aws, DONE)


@pytest.fixture
def project(shared_project: Project) -> Project:
    return shared_project


def sent(aws: Aws) -> list[str]:
    """The keys in the messages that were sent, as the function reads them."""
    bodies = [entry["MessageBody"] for request in aws.requests("send-message-batch") for entry in request["Entries"]]
    records = [record for body in bodies for record in json.loads(body)["Records"]]
    assert {(record["eventSource"], record["s3"]["bucket"]["name"]) for record in records} <= {("aws:s3", UP)}
    return [unquote_plus(record["s3"]["object"]["key"]) for record in records]


def test_every_source_is_sent_once_with_any_key(project: Project, aws: Aws) -> None:
    keys = {f"{number}.jpg" for number in range(43)} | {"a b+c%20ü.jpg", "odd\nkey\t'\".jpg", "a", "a/b"}
    put(aws, UP, *keys, page=10)

    result = project.run("backfill.sh", "--rate", "1000")

    assert result.returncode == 0, result
    assert sorted(sent(aws)) == sorted(keys)
    assert all(len(request["Entries"]) <= 10 for request in aws.requests("send-message-batch"))
    assert {request["QueueUrl"] for request in aws.requests("send-message-batch")} == {URL}
    assert result.stderr == "", "a progress bar is for a terminal"
    assert "Sent: 47." in result.stdout


def test_a_folder_of_the_s3_console_is_not_a_source(project: Project, aws: Aws) -> None:
    put(aws, UP, "cats/", size=0)

    assert project.run("backfill.sh").stdout.startswith("0 sources")
    assert sent(aws) == []


def test_a_dry_run_prints_cost_and_time_and_sends_nothing(project: Project, aws: Aws) -> None:
    put(aws, UP, *(str(number) for number in range(2000)), size=4_000_000)

    result = project.run("backfill.sh", "--dry-run", "--rate", "10")

    assert result.stdout == (
        "2,000 sources, 8.0 GB, for variants thumbnail, wide: $0.04 to $0.06, and 3 minutes or more at 10 a second\n"
    )
    assert not aws.calls("send-message-batch")


def test_a_single_source_takes_a_second(project: Project, aws: Aws) -> None:
    put(aws, UP, "a.jpg")

    assert project.run("backfill.sh", "--dry-run").stdout == (
        "1 source, 1.0 kB, for variants thumbnail, wide: less than a cent, and 1 second or more at 50 a second\n"
    )


def test_what_is_sent_is_said_before_it_is_sent(project: Project, aws: Aws) -> None:
    put(aws, UP, "a.jpg")
    aws.deny("send-message-batch", "SendMessageBatch", "AccessDenied", "no")
    command = [str(project.root / "deployment/backfill.sh")]

    both = subprocess.run(
        command, env=project.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    ).stdout

    assert both.startswith("1 source, 1.0 kB")
    assert "Stopped after 0." in both


def test_a_percent_encoded_prefix_is_noted(project: Project) -> None:
    result = project.run("backfill.sh", "--prefix", "my%20cats/")

    assert result.stdout == "0 sources: there is nothing to send\n"
    assert result.stderr == (
        "backfill.sh: note: --prefix 'my%20cats/' has a % in it, and keys are not percent-encoded: a space is a space\n"
    )
    assert project.run("backfill.sh", "--prefix", "50% off/").stderr == ""


def invalidated(aws: Aws, project: Project, *options: str, invalidates: str = "true") -> str:
    """What a dry run prints about CloudFront, for a stack with a distribution."""
    parameters = {"Variants": "a:width=1", "MemorySize": "1769", "EnableCdn": "true", "InvalidateCdn": invalidates}
    aws.answer("describe-stacks", stack_text("UPDATE_COMPLETE", parameters, OUTPUTS))
    result = project.run("backfill.sh", "--dry-run", *options)
    assert result.returncode == 0, result
    assert not aws.calls("send-message-batch")
    return "".join(result.stdout.splitlines(keepends=True)[1:])


def test_a_dry_run_counts_the_paths_that_may_be_invalidated(project: Project, aws: Aws) -> None:
    keys = [f"{number}.jpg" for number in range(1200)]
    put(aws, UP, *keys, "a=b.jpg", "new.jpg")
    put(aws, DONE, *(f"{key}/a" for key in keys), "a=3Db.jpg/width=3")

    assert invalidated(aws, project) == (
        "CloudFront invalidates the renditions that change, at most 1,201 paths:"
        " up to $1.01, as 1,000 a month are free (InvalidateCdn=false saves it)\n"
    )


def test_sources_without_renditions_cost_no_path(project: Project, aws: Aws) -> None:
    put(aws, UP, "whole", "old", "new")
    made = [("old", -1), ("whole", 0)]
    contents = [
        {"Key": f"{key}/a", "Size": 1, "LastModified": (NOON + timedelta(days=days)).isoformat()} for key, days in made
    ]
    aws.answer(f"list-objects-v2 {DONE}", json.dumps({"Contents": contents}))

    assert "at most 2 paths: 1,000 a month are free" in invalidated(aws, project)
    assert "at most 1 path: " in invalidated(aws, project, "--only-missing")


def test_nothing_is_said_of_cloudfront_when_the_function_does_not_invalidate(project: Project, aws: Aws) -> None:
    put(aws, UP, "a")
    put(aws, DONE, "a/a")

    assert invalidated(aws, project, invalidates="false") == ""


def test_only_missing_sends_sources_that_lack_a_rendition_or_have_an_old_one(project: Project, aws: Aws) -> None:
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


def test_a_rendition_from_before_a_change_of_variants_counts_as_missing(project: Project, aws: Aws) -> None:
    put(aws, UP, "a", modified=NOON - timedelta(days=1))
    put(aws, DONE, "a/thumbnail", "a/wide", modified=NOON)

    project.run("backfill.sh", "--made-before", "2026-11-24T12:00")
    assert sent(aws) == []
    project.run("backfill.sh", "--made-before", "2026-11-24T12:01Z")
    assert sent(aws) == ["a"]


def test_sources_and_renditions_are_matched_in_any_order_of_keys() -> None:
    chance = random.Random(4)  # noqa: S311 - the same each time
    for _ in range(500):
        keys = {"".join(chance.choices("aB/-0. ü=~", k=chance.randint(1, 4))) for _ in range(12)}
        whole = {key for key in keys if chance.random() < 0.5}
        others = {f"{key}/thumbnail" for key in ("gone", "a/gone")}
        renditions = {rendition_path(key, "thumbnail") for key in whole} | {rendition_path(key, "w=1") for key in keys}
        renditions |= others

        def listed(texts: set[str]) -> Iterator[Object]:
            return iter([Object(text, 1, NOON) for text in sorted(texts)])

        found = dict(with_renditions(listed(keys), listed(renditions)))

        assert {item.key for item in found} == keys
        assert {
            item.key for item, own in found.items() if missing_variants(item, own, ["thumbnail"], NOON)
        } == keys - whole


@given(st.text("ca/. =ü", max_size=6), st.text("ca/. =ü", max_size=4))
def test_the_prefixes_of_paths_cover_every_source_with_a_prefix_in_the_order_of_a_listing(
    prefix: str, rest: str
) -> None:
    prefixes = prefixes_of_paths(prefix)

    assert sum(f"{escape_key(prefix + rest)}/thumbnail".startswith(one) for one in prefixes) == 1
    assert prefixes == sorted(prefixes)
    assert len(prefixes) <= 2


def test_renditions_are_found_by_the_paths_of_a_prefix(project: Project, aws: Aws) -> None:
    put(aws, UP, "cats/", "cats/ü b.jpg", "cats/new.jpg")
    put(aws, DONE, *(f"cats{key}/{name}" for key in ("=2F", "/=C3=BC=20b.jpg") for name in ("thumbnail", "wide")))

    project.run("backfill.sh", "--only-missing", "--prefix", "cats/")

    assert sent(aws) == ["cats/new.jpg"]
    assert [one["Prefix"] for one in aws.requests("list-objects-v2") if one["Bucket"] == DONE] == ["cats/", "cats=2F"]


def test_what_a_former_release_stored_under_another_path_is_stale_and_its_record_stays(
    project: Project, aws: Aws
) -> None:
    former = ["my cat.jpg/thumbnail", "ü.jpg/width=300", "a=b/width=4"]
    renamed = "a/width=4,height=4,position=right top"
    put(aws, DONE, *former, renamed, "a/thumbnail", "my=20cat.jpg/thumbnail", "a/width=300")

    result = project.run("backfill.sh", "--remove-stale", "--yes")

    assert result.stdout.splitlines()[0].startswith("under the path of a former release: 4 renditions")
    [deleted] = aws.requests("delete-objects")
    assert {item["Key"] for item in deleted["Delete"]["Objects"]} == {*former, renamed}
    [request] = aws.requests("batch-write-item")
    ids = [item["DeleteRequest"]["Key"]["id"]["S"] for item in request["RequestItems"]["records"]]
    assert ids == [record_id(UP, "a", "width=4,height=4,position=right top")]


def test_a_message_that_sqs_rejects_is_sent_again(project: Project, aws: Aws) -> None:
    put(aws, UP, "a", "b", "c")
    aws.answer("send-message-batch", '{"Failed": [{"Id": "1"}]}', again=False)

    assert "Sent: 3." in project.run("backfill.sh").stdout
    assert sent(aws) == ["a", "b", "c", "b"]


def continuation(shown: str) -> list[str]:
    """The arguments of the command that is printed to continue."""
    [line] = [line for line in shown.splitlines() if "To continue:" in line]
    command = shlex.split(line.partition("To continue: ")[2])
    assert command[0] == "deployment/backfill.sh"
    return command[1:]


def test_ctrl_c_prints_the_command_that_continues_without_a_gap(project: Project, aws: Aws) -> None:
    keys = [f"it's {number:02}" for number in range(50)]
    put(aws, UP, *keys)
    program = aws.folder / "aws"  # slow, so that it is stopped during a call
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
    arguments = continuation(error)
    done = len(sent(aws))
    assert 0 < done < 50
    assert arguments == ["--rate", "10", "--prefix", "it's ", "--start-after", keys[done - 1]]
    put(aws, UP, *keys[done:])
    assert project.run("backfill.sh", *arguments).returncode == 0
    assert aws.requests("list-objects-v2")[-1]["StartAfter"] == keys[done - 1]
    assert sent(aws) == keys


def test_a_failed_call_prints_why_and_the_command_that_continues(project: Project, aws: Aws) -> None:
    put(aws, UP, *(f"{number:02}" for number in range(100)))
    aws.deny("send-message-batch", "SendMessageBatch", "AccessDenied", "not authorized to perform: sqs:SendMessage")
    aws.answer("send-message-batch", "{}", again=False)

    result = project.run("backfill.sh", "--only-missing", "--rate", "20")

    assert result.returncode == 1
    assert result.stderr.splitlines()[-1].startswith("backfill.sh: no permission for sqs:SendMessage")
    assert continuation(result.stderr) == ["--only-missing", "--rate", "20", "--start-after", "09"]


def test_remove_stale_deletes_renditions_and_records_of_former_variants(project: Project, aws: Aws) -> None:
    gone = [f"cats/{number}.jpg/small" for number in range(30)]
    put(aws, DONE, *gone, "a/thumbnail", "a/wide", "a/width=300,format=webp")

    result = project.run("backfill.sh", "--remove-stale", "--yes")

    assert result.returncode == 0, result
    assert result.stdout.splitlines()[0] == "small: 30 renditions, 30.0 kB"
    [deleted] = aws.requests("delete-objects")
    assert deleted["Bucket"] == DONE
    assert sorted(item["Key"] for item in deleted["Delete"]["Objects"]) == sorted(gone)
    ids = [
        item["DeleteRequest"]["Key"]["id"]["S"]
        for request in aws.requests("batch-write-item")
        for item in request["RequestItems"]["records"]
    ]
    assert sorted(ids) == sorted(record_id(UP, *key.rsplit("/", 1)) for key in gone)
    assert not aws.calls("send-message-batch")


def test_nothing_is_removed_without_a_confirmation(project: Project, aws: Aws) -> None:
    put(aws, DONE, "a/small")

    assert "small: 1 rendition, " in project.run("backfill.sh", "--remove-stale", "--dry-run").stdout
    result = project.run("backfill.sh", "--remove-stale")

    assert result.returncode == 1
    assert "give --yes" in result.stderr
    assert not aws.calls("delete-objects")
    assert not aws.calls("batch-write-item")


def test_remove_stale_says_when_nothing_is_stale(project: Project, aws: Aws) -> None:
    put(aws, DONE, "a/thumbnail", "a/width=300")

    assert project.run("backfill.sh", "--remove-stale", "--yes").stdout.startswith("Nothing is stale")
    assert not aws.calls("delete-objects")


def test_an_object_that_can_not_be_deleted_is_an_error(project: Project, aws: Aws) -> None:
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
        (["--remove-stale", "--only-missing"], "--remove-stale allows --prefix, --dry-run and --yes only"),
        (["--prefix"], "--prefix needs a value"),
        (["--retry-failed"], "--retry-failed needs --only-missing or --made-before"),
        (["--remove-stale", "--made-before", "2026-11-24T06:00"], "--remove-stale allows --prefix"),
    ],
)
def test_a_wrong_command_line_is_an_error_of_one_line(
    project: Project, aws: Aws, arguments: list[str], words: str
) -> None:
    assert words in error_line(project.run("backfill.sh", *arguments))
    assert not aws.calls()


def record(key: str, variant: str, status: str = "failed", etag: str = ETAG, at: datetime = NOON) -> dict[str, Any]:
    """A record as the table has it."""
    item = {"id": record_id(UP, key, variant), "status": status, "source_etag": etag}
    item["processed_at"] = at.isoformat(timespec="microseconds").replace("+00:00", "Z")
    if status == "failed":
        item |= {"error_code": "corrupt-image", "error_message": "the image can't be decoded"}
    return {name: {"S": value} for name, value in item.items()}


def have_records(aws: Aws, *records: dict[str, Any]) -> None:
    aws.answer("batch-get-item", json.dumps({"Responses": {TABLE: records}, "UnprocessedKeys": {}}))


def test_a_source_that_cannot_be_rendered_is_not_missing(project: Project, aws: Aws) -> None:
    put(aws, UP, "bad", "good", "half")
    put(aws, DONE, "half/thumbnail", modified=NOON + timedelta(seconds=1))
    have_records(aws, record("bad", "thumbnail"), record("bad", "wide"), record("half", "wide"))

    result = project.run("backfill.sh", "--only-missing")

    assert result.returncode == 0, result
    assert result.stdout.startswith("1 source, 1.0 kB")
    assert "2 sources cannot be rendered and are left out; --dry-run names them\n" in result.stdout
    assert sent(aws) == ["good"]


def test_a_dry_run_names_the_sources_that_cannot_be_rendered(project: Project, aws: Aws) -> None:
    keys = [f"{number:02}" for number in range(23)]
    put(aws, UP, *keys)
    have_records(aws, *(record(key, variant) for key in keys for variant in ("thumbnail", "wide")))

    result = project.run("backfill.sh", "--only-missing", "--dry-run")

    assert result.stdout.splitlines()[1:] == [
        "23 sources cannot be rendered and are left out; --retry-failed sends them too:",
        *(f"  {key}: corrupt-image: the image can't be decoded" for key in keys[:20]),
        "  … and 3 more, whose records have the status 'failed'",
    ]


@pytest.mark.parametrize(
    "records",
    [
        [record("a", "thumbnail", etag="of another version"), record("a", "wide", etag="of another version")],
        [record("a", "thumbnail", status="processed"), record("a", "wide", status="processed")],
        [record("a", "thumbnail")],  # the other variant may succeed
        [record("b", "thumbnail"), record("b", "wide")],
        [],
    ],
)
def test_a_source_is_missing_unless_each_variant_it_lacks_has_failed(
    project: Project, aws: Aws, records: list[dict[str, Any]]
) -> None:
    put(aws, UP, "a")
    have_records(aws, *records)

    result = project.run("backfill.sh", "--only-missing")

    assert sent(aws) == ["a"]
    assert "left out" not in result.stdout


def test_a_failure_from_before_a_change_of_variants_does_not_count(project: Project, aws: Aws) -> None:
    put(aws, UP, "a", modified=NOON - timedelta(days=1))
    have_records(aws, record("a", "thumbnail"), record("a", "wide"))

    project.run("backfill.sh", "--made-before", "2026-11-24T12:00")
    assert sent(aws) == []
    project.run("backfill.sh", "--made-before", "2026-11-24T12:01")
    assert sent(aws) == ["a"]


def test_retry_failed_sends_all_that_is_missing_and_reads_no_record(project: Project, aws: Aws) -> None:
    put(aws, UP, "a")
    have_records(aws, record("a", "thumbnail"), record("a", "wide"))

    assert "Sent: 1." in project.run("backfill.sh", "--only-missing", "--retry-failed").stdout
    assert not aws.calls("batch-get-item")


def test_without_a_table_every_source_that_lacks_a_rendition_is_missing(project: Project, aws: Aws) -> None:
    outputs = {name: value for name, value in OUTPUTS.items() if name != "MetadataTableName"}
    aws.answer("describe-stacks", stack_text("UPDATE_COMPLETE", VARIANTS, outputs))
    put(aws, UP, "a")

    result = project.run("backfill.sh", "--only-missing")

    assert sent(aws) == ["a"]
    assert "counts as missing each time: the stack has no table (EnableMetadata)" in result.stdout
    assert not aws.calls("batch-get-item")


def test_only_records_of_missing_variants_are_read_a_hundred_at_a_time(project: Project, aws: Aws) -> None:
    keys = {f"{number:03}" for number in range(120)}
    put(aws, UP, *keys, "half", "whole")
    put(aws, DONE, "half/thumbnail", "whole/thumbnail", "whole/wide", modified=NOON + timedelta(seconds=1))

    assert project.run("backfill.sh", "--only-missing", "--dry-run").returncode == 0

    reads = [request["RequestItems"][TABLE]["Keys"] for request in aws.requests("batch-get-item")]
    expected = [record_id(UP, key, name) for key in keys for name in ("thumbnail", "wide")]
    assert sorted(key["id"]["S"] for keys in reads for key in keys) == sorted(
        [*expected, record_id(UP, "half", "wide")]
    )
    assert sorted(map(len, reads)) == [41, 100, 100]


def test_records_that_dynamodb_has_not_read_are_requested_again(project: Project, aws: Aws) -> None:
    put(aws, UP, "a")
    have_records(aws, record("a", "wide"))
    left = {TABLE: {"Keys": [{"id": {"S": record_id(UP, "a", "wide")}}], "ProjectionExpression": "id"}}
    first = {"Responses": {TABLE: [record("a", "thumbnail")]}, "UnprocessedKeys": left}
    aws.answer("batch-get-item", json.dumps(first), again=False)

    result = project.run("backfill.sh", "--only-missing")

    assert "1 source cannot be rendered and is left out" in result.stdout
    assert aws.requests("batch-get-item")[1] == {"RequestItems": left}


def test_a_table_that_may_not_be_read_is_an_error_of_one_line(project: Project, aws: Aws) -> None:
    put(aws, UP, "a")
    aws.deny("batch-get-item", "BatchGetItem", "AccessDenied", "not authorized to perform: dynamodb:BatchGetItem")

    assert "no permission for dynamodb:BatchGetItem" in error_line(project.run("backfill.sh", "--only-missing"))


@pytest.mark.parametrize(("option", "field"), [("--prefix", "Prefix"), ("--start-after", "StartAfter")])
def test_a_slash_at_the_beginning_of_a_key_is_pointed_out(project: Project, aws: Aws, option: str, field: str) -> None:
    result = project.run("backfill.sh", option, "/cats/", "--dry-run")

    assert result.returncode == 0
    assert f"note: {option} '/cats/' begins with a slash" in result.stderr
    assert result.stderr.endswith("'cats/'\n")
    assert aws.requests("list-objects-v2")[0][field] == "/cats/"


@given(st.lists(st.from_regex(VARIANT_NAME, fullmatch=True), min_size=1, max_size=5, unique=True), st.data())
def test_the_names_of_variants_are_those_that_the_function_reads(names: list[str], data: st.DataObject) -> None:
    def gap() -> str:
        return data.draw(st.sampled_from(["", " ", "  "]))

    text = ";".join(f"{gap()}{name}{gap()}:{gap()}width=8 , height=9{gap()}" for name in names) + gap() + ";"

    assert variant_names(text) == [variant.name for variant in parse_variants(text)]


class Clock:
    """Time that passes only in `sleep`."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


class InlineExecutor(Executor):
    """Runs each task at once, in the caller's thread."""

    def __init__(self, workers: int) -> None: ...

    def submit(self, task: Callable[..., Any], *arguments: Any) -> Future[Any]:  # type: ignore[override]
        future: Future[Any] = Future()
        future.set_result(task(*arguments))
        return future


class Queue:
    """An SQS queue instead of the AWS CLI: its lengths, one after the other, and when messages arrive."""

    def __init__(self, clock: Clock, lengths: Iterator[int]) -> None:
        self.clock, self.lengths = clock, lengths
        self.arrivals: list[float] = []

    def call(self, _: str, operation: str, **__: Any) -> dict[str, Any]:
        if operation == "get-queue-attributes":
            return {"Attributes": {"ApproximateNumberOfMessages": str(next(self.lengths))}}
        self.arrivals.append(self.clock.now)
        return {}


def arrivals(monkeypatch: pytest.MonkeyPatch, count: int, rate: float, lengths: Iterator[int]) -> list[float]:
    """The times at which the batches of this number of messages arrive, in seconds."""
    clock = Clock()
    monkeypatch.setattr(backfill, "time", clock)
    monkeypatch.setattr(backfill, "ThreadPoolExecutor", InlineExecutor)
    queue = Queue(clock, lengths)
    options = argparse.Namespace(rate=rate, start_after="", queue_url=URL, upload_bucket=UP)
    sender = backfill.Sender(queue, options, count)
    sender.send_all(str(number) for number in range(count))
    assert (sender.sent, sender.last) == (count, str(count - 1))
    return queue.arrivals


def test_messages_are_sent_at_the_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    assert arrivals(monkeypatch, 45, 10, itertools.repeat(0)) == [0, 1, 2, 3, 4]
    assert arrivals(monkeypatch, 25, 40, itertools.repeat(0)) == [0, 0.25, 0.5]


def test_while_more_than_two_thousand_messages_wait_no_more_are_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    # The queue is checked after five seconds, and every five seconds as long as it is too long; no time is caught up.
    assert arrivals(monkeypatch, 100, 10, iter([2001, 2001, 2000])) == [0, 1, 2, 3, 4, 15, 16, 17, 18, 19]
