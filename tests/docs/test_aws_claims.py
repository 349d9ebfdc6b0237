"""The page about AWS names a source for each claim, and tests and claims of verify.sh that exist."""

import re
import sys

import pytest

from .pages import PROJECT, manual

sys.path[:0] = [str(PROJECT / "deployment" / "verify"), str(PROJECT / "deployment" / "operations")]

import verify  # noqa: E402 - by the path above

VERIFIED = {claim.name for group in (*verify.GROUPS, *verify.AT_THE_END) for claim in group.claims}
ROWS = [
    [cell.strip() for cell in line.strip("|").split(" | ")]
    for line in manual("aws-claims").text.splitlines()
    if line.startswith("| ") and not line.startswith(("| ---", "| claim |"))
]


def fault(check: str) -> str | None:
    """What is wrong with what a row names as its check; None if it exists."""
    if check.startswith("verify.sh: "):
        return None if check.removeprefix("verify.sh: ") in VERIFIED else "verify.sh has no such claim"
    path, _, test = check.partition("::")
    if not (PROJECT / path).is_file():
        return "there is no such file"
    found = not test or re.search(rf"^def {test}\(", (PROJECT / path).read_text(), re.MULTILINE)
    return None if found else "the file has no such test"


def test_the_page_has_a_row_for_each_service() -> None:
    assert len(ROWS) > 90
    assert {len(row) for row in ROWS} == {3}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0][:60])
def test_a_claim_has_a_source_and_an_existing_check(row: list[str]) -> None:
    _, source, checks = row
    named = re.findall(r"`([^`]+)`", checks)

    assert re.fullmatch(r"\[[^]]+\]\(https://[^)]+\)(, \[[^]]+\]\(https://[^)]+\))*", source)
    assert bool(named) != (checks == "nothing yet")
    assert {check: wrong for check in named if (wrong := fault(check))} == {}


@pytest.mark.parametrize(
    "check", ["verify.sh: nothing", "tests/none.py", "tests/docs/test_aws_claims.py::test_none", "test_aws_claims.py"]
)
def test_a_check_that_does_not_exist_is_found(check: str) -> None:
    assert fault(check)
