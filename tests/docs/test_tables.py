"""The tables of the manual follow from the template and from the options of a transformation."""

import sys

import pytest

from ..template.cloudformation import document
from .pages import PROJECT, manual

sys.path.insert(0, str(PROJECT / "deployment" / "build"))

from manual_tables import TABLES


@pytest.mark.parametrize(("page", "name"), [("transformations", "options"), ("parameters", "parameters")])
def test_a_table_of_the_manual_is_up_to_date(page: str, name: str) -> None:
    assert manual(page).table(name) == TABLES[name](), "renew it: make tables"


def test_the_manual_lists_every_parameter() -> None:
    listed = {row.split("`")[1] for row in manual("parameters").table("parameters") if row.startswith("| `")}

    assert listed == set(document()["Parameters"])


def test_the_page_of_parameters_refers_to_parameters_that_exist() -> None:
    words = set(manual("parameters").sections()["Which page explains what"].split("`")[1::2])

    assert words
    assert words <= set(document()["Parameters"])
