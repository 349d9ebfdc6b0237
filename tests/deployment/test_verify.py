"""verify.sh: its claims, its pictures and its table, and with a fake `aws` how it ends and what it removes."""

import io
import json
import random
import subprocess
import sys
from collections.abc import Iterator
from threading import Event
from types import SimpleNamespace
from typing import Any

import pytest
from PIL import Image, ImageOps

from .project import PROJECT, Aws, Project, stack_text

sys.path[:0] = [str(PROJECT / "deployment" / "verify"), str(PROJECT / "deployment" / "operations")]

import verify  # noqa: E402 - by the path above, as all that follow
from aws_cli import AwsFailed  # noqa: E402
from claims import PARTS, Broken, Claim, Group, NotChecked, Stopped  # noqa: E402
from delivery_claims import LARGE, NOISE  # noqa: E402
from operation_claims import removed, withdrawn  # noqa: E402
from pictures import CAMERA, PHOTO, PHOTO_SIZE, RED, noise, plain, read_png  # noqa: E402
from report import Report  # noqa: E402
from runner import FAILED, HOLDS, NOT_CHECKED, NOT_IN_STACK, NOT_SHOWN, Outcome, judge, run_groups  # noqa: E402
from target import Target  # noqa: E402

GROUPS = (*verify.GROUPS, *verify.AT_THE_END)
CLAIMS = [claim for group in GROUPS for claim in group.claims]
OUTPUTS = {
    "UploadBucketName": "up",
    "ProcessedBucketName": "processed",
    "QueueUrl": "https://sqs/live",
    "DeadLetterQueueUrl": "https://sqs/dead",
    "FunctionName": "f",
}


# -------- The claims --------


def test_each_claim_has_a_name_of_its_own_and_needs_what_stacks_may_lack() -> None:
    names = [claim.name for claim in CLAIMS]

    assert len(names) == len(set(names)) > 60
    assert {part for claim in CLAIMS for part in claim.needs} <= PARTS.keys()
    assert not [claim for claim in CLAIMS if "|" in claim.says or not claim.check]


def test_a_stack_without_any_part_lacks_each() -> None:
    parameters = {"CdnKeyGroup": "K", "ViewerProtocolPolicy": "allow-all", "ApiAuthorization": "AWS_IAM"}

    assert [part for part in PARTS if not target(parameters=parameters).lacks(part)] == []


# -------- Its pictures --------


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA", "P"])
@pytest.mark.parametrize("smooth", [True, False])
def test_a_png_is_read_as_pillow_reads_it(mode: str, smooth: bool) -> None:  # noqa: FBT001 - a parameter
    picture = Image.effect_mandelbrot((37, 23), (-3, -2.5, 2, 2.5), 100).convert("RGB")
    if not smooth:
        picture = Image.frombytes("RGB", (37, 23), random.Random(1).randbytes(37 * 23 * 3))  # noqa: S311 - no secret
    picture = picture.convert(mode, palette=Image.Palette.ADAPTIVE) if mode == "P" else picture.convert(mode)
    body = io.BytesIO()
    picture.save(body, "PNG")

    seen = read_png(body.getvalue())

    wanted = picture.convert("RGB")
    assert (seen.width, seen.height) == wanted.size
    assert all(seen.pixel(x, y) == wanted.getpixel((x, y)) for x in range(37) for y in range(23))


def test_a_png_that_is_written_is_a_picture() -> None:
    picture = Image.open(io.BytesIO(plain(30, 20, RED)))

    assert (picture.size, picture.getpixel((29, 19))) == ((30, 20), RED)
    assert Image.open(io.BytesIO(noise(40, 30))).convert("RGB").getcolors(40 * 30)
    assert len(noise(*NOISE)) > LARGE


@pytest.mark.parametrize("body", [b"", b"GIF89a", PHOTO])
def test_what_is_no_png_is_reported(body: bytes) -> None:
    with pytest.raises(Broken):
        read_png(body)


def test_the_photo_is_on_its_side_with_its_colours_in_the_corners() -> None:
    photo = Image.open(io.BytesIO(PHOTO))
    upright = ImageOps.exif_transpose(photo)
    body = io.BytesIO()
    upright.save(body, "PNG")
    seen = read_png(body.getvalue())

    assert (photo.size, photo.getexif()[0x0112], upright.size) == ((48, 32), 6, PHOTO_SIZE)
    assert CAMERA in PHOTO
    assert seen.is_at(RED, 0.2, 0.2)
    assert not seen.is_at(RED, 0.8, 0.2)


# -------- How a claim is judged --------


def target(**given: Any) -> Target:
    """A target without AWS."""
    defaults: dict[str, Any] = {
        "aws": None, "web": None, "work": None, "region": "eu-central-1", "outputs": OUTPUTS, "parameters": {},
        "stack_id": "arn:aws:cloudformation:eu-central-1:123456789012:stack/it/1", "local": False, "within": 0.1,
    }  # fmt: skip
    return Target(**{**defaults, **given})


def raising(error: Exception) -> Any:
    def check(_: Target) -> str:
        raise error

    return check


@pytest.mark.parametrize(
    ("error", "result"),
    [
        (Broken("status 200 instead of 403"), FAILED),
        (AwsFailed("s3api", "put-object", "An error occurred"), FAILED),
        (KeyError("etag"), FAILED),
        (NotChecked("no permission"), NOT_CHECKED),
    ],
)
def test_a_check_that_raises_is_judged_by_its_error(error: Exception, result: str) -> None:
    outcome = judge(target(), Claim("a", "A", raising(error)))

    assert (outcome.result, bool(outcome.seen)) == (result, True)


@pytest.mark.parametrize(
    ("claim", "local", "result"),
    [
        (Claim("a", "A", lambda _: "seen"), True, HOLDS),
        (Claim("a", "A", lambda _: "seen", ("api",)), True, NOT_IN_STACK),
        (Claim("a", "A", lambda _: "seen", not_local="why"), True, NOT_SHOWN),
        (Claim("a", "A", lambda _: "seen", not_local="why"), False, HOLDS),
        (Claim("a", "A", raising(Broken("no")), not_local="why"), False, FAILED),
    ],
)
def test_only_a_local_aws_and_a_missing_part_excuse_a_claim(claim: Claim, *, local: bool, result: str) -> None:
    assert judge(target(local=local), claim).result == result


@pytest.mark.parametrize(("status", "result"), [(200, NOT_SHOWN), (403, FAILED)])
def test_a_local_aws_that_does_not_enforce_iam_shows_no_refusal(status: int, result: str) -> None:
    web = SimpleNamespace(request=lambda *_: SimpleNamespace(status=status))
    claim = Claim("a", "A", raising(Broken("no")), enforced=True)

    assert judge(target(local=True, web=web), claim).result == result
    assert judge(target(web=web), claim).result == FAILED


def test_claims_are_shown_in_order_and_an_interruption_stops_those_that_wait() -> None:
    stuck = Event()

    def wait(of: Target) -> str:
        stuck.set()
        of.until(lambda: None, lambda: "")
        return ""

    def interrupted(*_: object) -> None:
        stuck.wait(10)
        raise KeyboardInterrupt

    group = Group("G", (Claim("a", "A", lambda _: ""), Claim("b", "B", wait), Claim("c", "C", lambda _: "")))
    stopped = target(within=600.0)

    with pytest.raises(KeyboardInterrupt):
        run_groups(stopped, [group], interrupted)

    assert [outcome.claim.name for outcome in run_groups(target(within=0.0), [group], lambda *_: None)] == [
        "a",
        "b",
        "c",
    ]
    stopped.stopping.set()
    with pytest.raises(Stopped):
        stopped.go_on()


# -------- The table --------


def test_the_table_has_no_account_signature_or_key(capsys: pytest.CaptureFixture[str]) -> None:
    claim = Claim("a-claim", "It holds", lambda _: "")
    group = Group("Group", (claim,))
    report = Report("123456789012", lambda: ["Secret0Key"], [group])

    report.heading("Stack")
    report.show(group, Outcome(claim, FAILED, "arn:aws:s3:123456789012 ?width=3&sig=abc-_9 a|b\nSecret0Key"))
    report.summary([Outcome(claim, FAILED, ""), Outcome(claim, HOLDS, "")], 3.2)

    lines = capsys.readouterr().out.splitlines()
    assert lines[2].startswith("| claim")
    assert lines[3].startswith("| ---")
    assert [cell == "-" * len(cell) for cell in lines[3].strip("| ").split(" | ")] == [True] * 3
    assert {line.index(" | ", 3) for line in lines[2:6]} == {lines[2].index(" | ", 3)}, "the columns are aligned"
    assert lines[4].startswith("| **Group** ")
    assert lines[5].split(" | ")[1:] == [
        f"{'**FAILED**':<26}",
        "arn:aws:s3:[account] ?width=3&sig=[signature] a\\|b [key] |",
    ]
    assert lines[-2:] == ["2 claims in 3 s: 1 hold, 1 failed.", "Failed: a-claim."]


# -------- The command --------


@pytest.fixture
def stack(aws: Aws) -> Iterator[Aws]:
    """A stack without CloudFront, API and table, whose queues are empty."""
    aws.answer("describe-stacks", stack_text("UPDATE_COMPLETE", {"Variants": "thumbnail:width=9"}, OUTPUTS))
    empty = dict.fromkeys(
        ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible", "ApproximateNumberOfMessagesDelayed"),
        "0",
    )
    aws.answer("get-queue-attributes", json.dumps({"Attributes": empty}))
    versions = [{"Key": f"verify-x/ready-{number}.png", "VersionId": f"v{number}"} for number in range(1001)]
    markers = [{"Key": "verify-x/deleted.png", "VersionId": "m"}]
    aws.answer("list-object-versions", json.dumps({"Versions": versions, "DeleteMarkers": markers}))
    return aws


@pytest.mark.slow
def test_every_version_of_its_sources_is_removed_and_the_claims_about_it_hold(
    shared_project: Project, stack: Aws
) -> None:
    done = shared_project.run("verify.sh", "--only", "removed", "--only", "withdrawn", "--only", "queue-empty")

    assert done.returncode == 0, done
    assert "3 claims in" in done.stdout
    [put] = stack.requests("put-object")
    [listed] = stack.requests("list-object-versions")
    assert (put["Bucket"], listed["Bucket"], put["Key"].startswith(listed["Prefix"])) == ("up", "up", True)
    batches = [request["Delete"]["Objects"] for request in stack.requests("delete-objects")]
    assert [len(batch) for batch in batches] == [1000, 2]
    assert batches[1][-1] == {"Key": "verify-x/deleted.png", "VersionId": "m"}


def run_mixed(project: Project, *arguments: str) -> list[str]:
    """Run verify.sh; return the lines of both outputs as a terminal shows them."""
    command = [str(project.root / "deployment/verify.sh"), *arguments]
    return subprocess.run(
        command, env=project.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    ).stdout.splitlines()


@pytest.mark.slow
@pytest.mark.parametrize("denied", [False, True])
def test_the_table_is_whole_where_both_outputs_are_shown(shared_project: Project, stack: Aws, *, denied: bool) -> None:
    if denied:
        stack.deny("delete-objects", "DeleteObjects", "AccessDenied", "no")

    lines = run_mixed(shared_project, "--only", "removed", "--only", "no-dead-letters", "--only", "stored")

    rows = [number for number, line in enumerate(lines) if line.startswith("|")]
    assert rows == list(range(rows[0], rows[-1] + 1)), lines
    assert len(rows) > 5
    assert any("could not delete" in line for line in lines[rows[-1] + 1 :]) == denied


def test_a_source_that_is_written_twice_is_counted_once() -> None:
    once = target()
    once.keys[:] = ["a.png", "a.png", "b.png"]

    assert withdrawn(once) == "2 sources, after 0.0 s"
    assert removed(once) == "0 versions of 2 sources"


@pytest.mark.slow
def test_what_could_not_be_removed_is_said_and_fails(shared_project: Project, stack: Aws) -> None:
    stack.answer(
        "list-objects-v2",
        json.dumps({"Contents": [{"Key": "verify-x/a/b", "Size": 1, "LastModified": "2026-11-24T06:00:00Z"}]}),
    )
    stack.deny("delete-objects", "DeleteObjects", "AccessDenied", "no")

    done = shared_project.run("verify.sh", "--only", "removed")

    assert done.returncode == 1, done
    assert "**FAILED**" in done.stdout
    assert "could not delete s3://up/verify-" in done.stderr
    assert "aws s3 rm --recursive s3://processed/verify-" in done.stderr


@pytest.mark.slow
def test_without_a_permission_to_upload_it_can_not_run_and_removes_nothing(shared_project: Project, stack: Aws) -> None:
    stack.deny("put-object", "PutObject", "AccessDenied", "not authorized to perform: s3:PutObject")

    done = shared_project.run("verify.sh")

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines()[-1].startswith("verify.sh: no permission for s3:PutObject")
    assert not stack.requests("list-object-versions")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--no"], "unknown option '--no'"),
        (["--only"], "--only needs a value"),
        (["--only", "nothing-of-this"], "no claim's name has nothing-of-this"),
        (["--stack-name", "1"], "--stack-name must start with a letter"),
    ],
)
@pytest.mark.usefixtures("stack")
def test_what_can_not_run_says_so_in_one_line(shared_project: Project, arguments: list[str], words: str) -> None:
    done = shared_project.run("verify.sh", *arguments)

    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert words in done.stderr


@pytest.mark.slow
def test_a_stack_that_is_not_there_can_not_be_verified(shared_project: Project, aws: Aws) -> None:
    aws.deny("describe-stacks", "DescribeStacks", "ValidationError", "Stack with id x does not exist")

    done = shared_project.run("verify.sh")

    assert (done.returncode, done.stdout) == (2, "")
    assert "there is no stack" in done.stderr
