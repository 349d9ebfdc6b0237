"""The manual's tables say what the template and the table of options say."""

import re
import sys
from pathlib import Path

import pytest

from .cloudformation import document

PROJECT = Path(__file__).parents[2]
sys.path.insert(0, str(PROJECT / "deployment" / "build"))

import manual_tables  # noqa: E402 - by the path above

PAGES = {path.name: path.read_text("utf-8") for path in (PROJECT / "README.md", *(PROJECT / "docs").glob("*.md"))}


@pytest.mark.parametrize("page", PAGES.values(), ids=PAGES)
def test_the_tables_are_fresh(page: str) -> None:
    assert manual_tables.renewed(page) == page, "renew them by: make tables"


@pytest.mark.parametrize("name", manual_tables.TABLES)
def test_each_table_is_in_one_page(name: str) -> None:
    assert "".join(PAGES.values()).count(f"<!-- {name} -->\n|") == 1
    assert "".join(PAGES.values()).count(f"<!-- /{name} -->\n") == 1


def test_the_table_of_parameters_has_every_parameter_once_with_its_default() -> None:
    rows = [re.split(r" (?<!\\)\| ", row.strip("| ")) for row in manual_tables.parameter_table()[2:]]
    listed = {cells[0].strip("`"): cells[1:] for cells in rows if cells[0].startswith("`")}
    parameters = document()["Parameters"]

    assert set(listed) == set(parameters)
    assert listed["MemorySize"] == ["`1769`", parameters["MemorySize"]["Description"]]
    assert sum(cells[0].startswith("`") for cells in rows) == len(parameters)


def test_a_stale_table_is_renewed_and_nothing_else() -> None:
    page = "before\n<!-- options -->\n| old |\n<!-- /options -->\nafter | <!-- other -->\n"

    renewed = manual_tables.renewed(page)

    assert renewed.startswith("before\n<!-- options -->\n| option | values | default | |\n")
    assert renewed.endswith(" |\n<!-- /options -->\nafter | <!-- other -->\n")
    assert manual_tables.renewed(renewed) == renewed


def test_the_program_writes_the_pages_that_are_stale(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(manual_tables, "PROJECT", tmp_path)
    monkeypatch.setattr(manual_tables, "TABLES", {"options": lambda: ["| new |"]})
    (tmp_path / "docs").mkdir()
    (tmp_path / "README.md").write_text("a ä <!-- options -->\n")
    (tmp_path / "docs" / "options.md").write_text("<!-- options -->\n| old |\n<!-- /options -->\n")

    manual_tables.main()

    assert (tmp_path / "README.md").read_text() == "a ä <!-- options -->\n"
    assert (tmp_path / "docs" / "options.md").read_text() == "<!-- options -->\n| new |\n<!-- /options -->\n"
