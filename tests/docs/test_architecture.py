"""The pages for those who change or operate the project name what is there, and leave out nothing of it."""

import re

import pytest

from ..template.cloudformation import document
from .pages import PROJECT, manual

CODE = PROJECT / "src" / "image_processor"
SHARED = {"errors.py", "telemetry.py"}  # described below the table of packages


def rows(section: str) -> list[list[str]]:
    """The cells of a section's tables, without the heads."""
    lines = manual("architecture").sections()[section].splitlines()
    table = [line.strip("|") for line in lines if line.startswith("|") and not line.startswith("| ---")]
    return [[cell.strip() for cell in line.split("|")] for line in table[1:]]


def paths(text: str) -> list[str]:
    """What looks like a path in the code spans of a text."""
    return [span for span in re.findall(r"`([^`\s]+)`", text) if re.search(r"/$|\.(py|yaml|md|js)$", span)]


def is_there(path: str) -> bool:
    return (PROJECT / path).exists() or (CODE / path).exists()


def test_every_package_has_a_row() -> None:
    described = {paths(cells[0])[0].rstrip("/") for cells in rows("The packages")}
    found = {path.name for path in CODE.iterdir() if path.suffix == ".py" or any(path.glob("*.py"))}

    assert found - described - SHARED == {"__init__.py"}


@pytest.mark.parametrize("section", ["The packages", "Where does it go?"])
def test_every_path_in_the_table_is_there(section: str) -> None:
    named = [path for cells in rows(section) for cell in cells for path in paths(cell)]

    assert len(named) > 8
    assert [path for path in named if not is_there(path)] == []


def test_every_module_that_an_upload_passes_is_there() -> None:
    [way] = re.findall(r"^In code: (.*?)\.\s", manual("architecture").text, re.DOTALL | re.MULTILINE)
    text = "".join(path.read_text() for path in CODE.rglob("*.py"))

    names = [name for dotted in re.findall(r"`([^`]+)`", way) for name in dotted.split(".")[-1:]]
    assert len(names) == 6
    assert [name for name in names if not re.search(rf"\bdef {name}\b", text)] == []


def test_every_alarm_has_a_heading_in_the_runbook() -> None:
    resources = document()["Resources"]
    alarms = [name for name, resource in resources.items() if resource["Type"] == "AWS::CloudWatch::Alarm"]

    assert len(alarms) > 5
    assert alarms == [text for level, text in manual("operations").headings() if level == 3]
