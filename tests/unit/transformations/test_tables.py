"""The table of options as JSON, for the manual, and for the edge function."""

import json
import re

import pytest

from image_processor.errors import InvalidTransformation
from image_processor.transformations.kinds import KINDS
from image_processor.transformations.options import (
    ALPHA_FORMATS,
    AUTO_FORMATS,
    BY_NAME,
    DEFAULT_QUALITY,
    FITS,
    FORMATS,
    LENGTHS,
    MAX_SIDE,
    OPTIONS,
    SAME_ORIENTATIONS,
)
from image_processor.transformations.tables import as_data, manual_table
from image_processor.transformations.transformation import Transformation


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option.name)
def test_a_row_is_complete(option):
    assert option.kind in KINDS
    assert option.allowed
    assert option.meaning
    assert bool(option.default_text) == (option.default is None), "either a default, or what the manual says instead"


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option.name)
def test_a_default_is_a_value_of_its_option(option):
    if option.default is not None:
        assert option.read(option.write(option.default)) == option.default


@pytest.mark.parametrize("option", [option for option in OPTIONS if option.maximum], ids=lambda option: option.name)
def test_a_number_s_bounds_are_allowed_and_the_next_values_are_not(option):
    step = 1 if option.kind == "whole number" else 0.01

    for bound in (option.minimum, option.maximum):
        assert option.read(option.write(bound)) == bound
    for beyond in (option.minimum - step, option.maximum + step):
        with pytest.raises(InvalidTransformation, match=f"option {option.name}: got .*, allowed: {option.allowed}"):
            option.read(option.write(beyond) if option.kind == "decimal" else str(beyond))


@pytest.mark.parametrize("option", [option for option in OPTIONS if option.choices], ids=lambda option: option.name)
def test_every_choice_and_alias_is_read(option):
    assert [option.write(option.read(choice)) for choice in option.choices] == list(option.choices)
    assert all(option.read(alias) == choice for alias, choice in option.aliases)


def test_options_that_other_tables_name_exist():
    assert set(LENGTHS) <= set(BY_NAME)
    assert BY_NAME["fit"].choices == FITS
    assert BY_NAME["format"].choices == (*FORMATS, "auto")
    assert set(AUTO_FORMATS) <= set(DEFAULT_QUALITY) & set(ALPHA_FORMATS)
    for rotate, flip in SAME_ORIENTATIONS.values():
        assert Transformation(rotate=rotate, flip=flip)


def test_the_tables_are_data_that_json_keeps():
    data = as_data()

    assert json.loads(json.dumps(data)) == data
    assert [row["name"] for row in data["options"]] == [option.name for option in OPTIONS]
    assert data["options"][0] == {
        "name": "width",
        "kind": "whole number",
        "allowed": "1 to 8192",
        "default": "the source's",
        "meaning": "the picture's width in pixels",
        "minimum": 1,
        "maximum": MAX_SIDE,
    }
    assert data["fits"]["contain"] == {"exact": True, "positioned": True, "smart": False, "letterboxed": True}
    assert data["formats"]["avif"] == {"quality": 60, "alpha": True, "animated": True, "lossless": False}


def test_the_manual_s_table_is_markdown_with_a_row_for_each_option():
    header, rule, *rows = manual_table()

    assert header.count("|") == rule.count("|") == 5
    assert [re.split(r"(?<!\\)\|", row)[1].strip(" `") for row in rows] == [option.name for option in OPTIONS]
    assert all(len(re.split(r"(?<!\\)\|", row)) == 6 for row in rows), "no cell has a | of its own"
    assert "| `fit` | cover, contain, inside, outside, fill | cover | with both sides given: " in "\n".join(rows)
    assert "| `quality` | 1 to 100 | jpeg 80, webp 80, avif 60 | " in "\n".join(rows)
