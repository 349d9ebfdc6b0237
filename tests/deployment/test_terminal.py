"""No text from outside controls the terminal of who runs the commands: a key of a source may have any characters."""

import json
import re
import subprocess
import sys
import unicodedata
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from image_processor.publishing.names import record_id

from .project import PROJECT, Aws, Project, error_line, stack_text

sys.path.insert(0, str(PROJECT / "deployment" / "operations"))
from terminal import printable, shell_word

CLEAR = "\x1b[2J\x1b]0;title\a"  # clears the screen, and renames the window
EVIL = f"cats/{CLEAR}\nDead letters: 0\r\x9b31m\u202egpj.\u2066\u2028'\\.jpg"
SHOWN = (
    r"cats/\x1b[2J\x1b]0;title\x07\x0aDead letters: 0\x0d\xc2\x9b31m\xe2\x80\xaegpj.\xe2\x81\xa6\xe2\x80\xa8'"
    + "\\.jpg"
)
ORDINARY = "my photo ü.jpg … 漢字 👨‍👩‍👧 100% \\n $HOME `'\""  # a joiner in it is not a control character
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))


def is_safe(text: str) -> bool:
    turning = {"RLE", "LRE", "RLO", "LRO", "PDF", "RLI", "LRI", "FSI", "PDI"}
    return not any(
        unicodedata.category(one) in ("Cc", "Cs", "Zl", "Zp") or unicodedata.bidirectional(one) in turning
        for one in text
    )


def run_lib(script: str, *arguments: str) -> str:
    """Run bash lines after lib.sh; returns both outputs."""
    command = [
        "bash",
        "-euo",
        "pipefail",
        "-c",
        f'. "$0"; {script}',
        str(PROJECT / "deployment" / "lib.sh"),
        *arguments,
    ]
    done = subprocess.run(
        command, check=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8", errors="surrogatepass"
    )
    return done.stdout


def test_control_characters_are_shown_by_their_bytes() -> None:
    assert printable(EVIL) == SHOWN
    assert printable("\ud800") == r"\xed\xa0\x80"
    assert printable(ORDINARY) == ORDINARY


@given(st.text())
def test_a_printable_text_controls_no_terminal(text: str) -> None:
    assert is_safe(printable(text))
    if is_safe(text) and not re.search("[\u061c\u200e\u200f]", text):
        assert printable(text) == text


@pytest.mark.parametrize(
    "text", [EVIL, ORDINARY, "", "plain", "%s\\x41\\", "a\x7f\x80é\xa0", "\u061c\u200e\u200f\u200d", "-n"]
)
def test_the_scripts_say_a_text_as_the_programs_do(text: str) -> None:
    assert run_lib('say "$1"', text) == printable(text) + "\n"
    assert run_lib('printf "%s\\n" "$1" | say_lines', text) == "".join(
        f"{printable(line)}\n" for line in f"{text}\n".split("\n")[:-1]
    )


def test_the_reasons_of_a_failed_deployment_are_shown_line_by_line() -> None:
    events = f"CREATE_FAILED\tA\tAWS::S3::Bucket\tfor {CLEAR}\nCREATE_FAILED\tB\tAWS::SQS::Queue\tü\n"
    script = 'stack=s work=$(mktemp -d); call_aws() { printf %s "$events"; }; events=$1; show_failures id'

    assert run_lib(script, events).splitlines() == [
        "  B (AWS::SQS::Queue): ü",
        r"  A (AWS::S3::Bucket): for \x1b[2J\x1b]0;title\x07",
    ]


@given(st.lists(texts, min_size=20, max_size=20))
@settings(deadline=None, max_examples=20)
@pytest.mark.slow
def test_the_scripts_say_any_text_as_the_programs_do(many: list[str]) -> None:
    assert run_lib('for text; do printable "$text"; done', *many) == "".join(f"{printable(text)}\n" for text in many)


@pytest.mark.parametrize("text", [EVIL, ORDINARY, "it's", "'\x1b\\'"])
def test_a_word_for_the_shell_can_be_pasted(text: str) -> None:
    word = shell_word(text)

    assert is_safe(word)
    assert subprocess.run(["bash", "-c", f"printf %s {word}"], check=True, capture_output=True).stdout.decode() == text


def test_the_programs_print_by_say_alone() -> None:
    """A program that prints otherwise needs a reason here."""
    allowed = {
        "print(json.dumps(one.source.key), file=file)",  # into a file of this run
        "print(state.bucket, state.template)",  # for deploy.sh, which reads it
        "print(found)",  # a word for deploy.sh
    }
    lines = [
        line.strip()
        for folder in ("operations", "verify")
        for path in sorted((PROJECT / "deployment" / folder).glob("*.py"))
        if path.name != "terminal.py"
        for line in path.read_text().splitlines()
    ]

    assert [
        line
        for line in lines
        if re.search(r"\bprint\(|std(out|err)\.write", line) and not line.startswith(tuple(allowed))
    ] == []


@pytest.fixture
def project(shared_project: Project, aws: Aws) -> Project:
    """A stack with one source, whose key controls terminals."""
    outputs = {
        "UploadBucketName": "up", "ProcessedBucketName": "done", "QueueUrl": "live", "MetadataTableName": "records",
        "DeadLetterQueueUrl": "dead", "FunctionName": "f",
    }  # fmt: skip
    aws.answer("describe-stacks", stack_text("UPDATE_COMPLETE", {"Variants": "a:width=1", "MemorySize": "1"}, outputs))
    listed = {"Size": 1, "LastModified": datetime(2026, 11, 24, tzinfo=UTC).isoformat(), "ETag": '"e"'}
    aws.answer("list-objects-v2 up", json.dumps({"Contents": [{**listed, "Key": EVIL}]}))
    aws.answer("list-objects-v2 done", json.dumps({"Contents": [{**listed, "Key": f"a/{CLEAR}"}]}))
    aws.answer("get-queue-attributes", '{"Attributes": {"ApproximateNumberOfMessages": "0"}}')
    aws.answer("get-function-configuration", "/log\n")
    return shared_project


def dead_letter(aws: Aws) -> None:
    detail = {"bucket": {"name": "up"}, "object": {"key": EVIL}}
    body = json.dumps({"source": "aws.s3", "detail-type": "Object Created", "detail": detail})
    attributes = {"ApproximateReceiveCount": "6", "SentTimestamp": "1795498776231"}
    message = {"MessageId": "1", "ReceiptHandle": "r", "Body": body, "Attributes": attributes}
    aws.answer("receive-message", "")
    aws.answer("receive-message", json.dumps({"Messages": [message]}), again=False)
    aws.answer("start-query", '{"queryId": "q"}')
    line = json.dumps({"key": EVIL, "code": "unavailable", "reason": f"S3 {CLEAR}"})
    row = [{"field": "@message", "value": line}]
    aws.answer("get-query-results", json.dumps({"status": "Complete", "results": [row]}))


def output(result: "subprocess.CompletedProcess[str]") -> list[str]:
    """The lines of both outputs, none of which controls a terminal."""
    lines = (result.stdout + result.stderr).split("\n")
    assert [line for line in lines if not is_safe(line)] == []
    return lines


@pytest.mark.slow
def test_redrive_shows_a_key_and_a_reason(project: Project, aws: Aws) -> None:
    dead_letter(aws)

    lines = output(project.run("redrive.sh"))

    assert lines[0] == SHOWN
    assert lines[2] == r"  unavailable: S3 \x1b[2J\x1b]0;title\x07"


@pytest.mark.slow
def test_redrive_shows_a_key_that_was_not_found(project: Project, aws: Aws) -> None:
    aws.answer("receive-message", "")

    assert f"redrive.sh: there is no dead letter '{SHOWN}'" in output(project.run("redrive.sh", "--drop", EVIL))


@pytest.mark.slow
def test_backfill_names_a_source_that_cannot_be_rendered(project: Project, aws: Aws) -> None:
    failed = {"id": record_id("up", EVIL, "a"), "status": "failed", "source_etag": "e", "error_code": "corrupt-image"}
    failed |= {"processed_at": "2026-11-24T12:00:00.123456Z", "error_message": CLEAR}
    records = [{name: {"S": value} for name, value in failed.items()}]
    aws.answer("batch-get-item", json.dumps({"Responses": {"records": records}}))

    lines = output(project.run("backfill.sh", "--only-missing", "--dry-run"))

    assert rf"  {SHOWN}: corrupt-image: \x1b[2J\x1b]0;title\x07" in lines


@pytest.mark.slow
def test_backfill_prints_a_command_that_can_be_pasted(project: Project, aws: Aws) -> None:
    aws.deny("send-message-batch", "SendMessageBatch", "AccessDenied", f"not for {EVIL}")

    lines = output(project.run("backfill.sh", "--prefix", EVIL))

    [command] = [line.partition("To continue: ")[2] for line in lines if "To continue: " in line]
    words = subprocess.run(
        ["bash", "-c", f"printf '%s\\0' {command}"], check=True, capture_output=True
    ).stdout.decode().split("\0")  # fmt: skip
    assert words[:3] == ["deployment/backfill.sh", "--prefix", EVIL]


@pytest.mark.slow
def test_a_stale_object_of_any_name_is_counted(project: Project) -> None:
    lines = output(project.run("backfill.sh", "--remove-stale", "--dry-run"))

    assert lines[0].startswith("under the path of a former release: 1 rendition")


@pytest.mark.slow
def test_an_error_of_aws_is_shown_in_one_line(project: Project, aws: Aws) -> None:
    aws.deny("describe-stacks", "DescribeStacks", "Throttling", f"Rate exceeded {CLEAR}\x9b\u202e")

    line = error_line(project.run("redrive.sh"))

    said = r"Rate exceeded \x1b[2J\x1b]0;title\x07\xc2\x9b\xe2\x80\xae"
    assert line == f"redrive.sh: aws cloudformation describe-stacks: {said} (Throttling)"


@pytest.mark.slow
def test_sign_refuses_a_path_without_showing_it_raw(installation: Project) -> None:
    lines = output(installation.run("sign.py", f"{CLEAR}a.jpg"))

    assert r"not '\x1b[2J\x1b]0;title\x07a.jpg'" in lines[0]
