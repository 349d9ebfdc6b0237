"""After a change of Variants, backfill.sh has missing renditions rendered and deletes stale ones."""

from collections.abc import Iterator

import pytest

from .local import LocalAws, Stack, eventually, picture

NAME = "backfill"


def deploy(local: LocalAws, variants: str) -> Stack:
    parameters = ("RequireTls=false", "EnableCdn=false", "EnableApi=false", f"Variants={variants}")
    arguments = [word for parameter in parameters for word in ("--parameter", parameter)]
    done = local.script("deploy.sh", "--local", "--stack-name", NAME, *arguments)
    assert done.returncode == 0, done.stderr
    described = local.client("cloudformation").describe_stacks(StackName=NAME)["Stacks"][0]["Outputs"]
    return Stack(local, {output["OutputKey"]: output["OutputValue"] for output in described})


@pytest.fixture(scope="module")
def stack(local: LocalAws) -> Iterator[Stack]:
    yield deploy(local, "small:width=32")
    local.client("cloudformation").delete_stack(StackName=NAME)


def backfill(stack: Stack, *options: str) -> str:
    done = stack.local.script("backfill.sh", "--stack-name", NAME, *options)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_sources_follow_variants_that_changed(stack: Stack) -> None:
    keys = {"cats/a b+c%20ü.jpg", "a", "a-b", "a/b"}
    for key in keys:
        stack.upload(key, picture())
    eventually(lambda: stack.renditions() == {f"{key}/small" for key in keys})
    assert backfill(stack, "--only-missing", "--dry-run").startswith("0 sources")

    deploy(stack.local, "wide:width=64")

    assert backfill(stack, "--only-missing", "--dry-run").startswith("4 sources")
    assert "Sent: 1." in backfill(stack, "--only-missing", "--prefix", "cats/")
    eventually(lambda: "cats/a b+c%20ü.jpg/wide" in stack.renditions())
    assert "Sent: 3." in backfill(stack, "--only-missing")
    eventually(lambda: stack.renditions() == {f"{key}/{name}" for key in keys for name in ("small", "wide")})
    assert backfill(stack, "--only-missing", "--dry-run").startswith("0 sources")

    assert backfill(stack, "--remove-stale", "--dry-run").startswith("small: 4 renditions")
    assert "Deleted: 4." in backfill(stack, "--remove-stale", "--yes")
    assert stack.renditions() == {f"{key}/wide" for key in keys}
    for key in keys:
        eventually(lambda key=key: [record["variant"] for record in stack.records(key)] == ["wide"])


def test_a_source_that_cannot_be_rendered_is_left_out(stack: Stack) -> None:
    key = "bad/broken ü.jpg"
    stack.upload(key, picture()[:400])
    eventually(lambda: [record["status"] for record in stack.records(key)] == ["failed"])
    [record] = stack.records(key)

    shown = backfill(stack, "--only-missing", "--prefix", "bad/", "--dry-run")

    assert shown.startswith("0 sources")
    assert shown.splitlines()[1:] == [
        "1 source cannot be rendered and is left out; --retry-failed sends them too:",
        f"  {key}: {record['error_code']}: {record['error_message']}",
    ]
    assert "Sent: 1." in backfill(stack, "--only-missing", "--prefix", "bad/", "--retry-failed")
