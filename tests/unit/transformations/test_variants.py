"""The text of the stack's variants."""

import pytest

from image_processor.errors import InvalidTransformation
from image_processor.transformations.transformation import Transformation
from image_processor.transformations.variants import parse_variants


def test_variants_keep_their_names_and_order():
    variants = parse_variants("thumbnail:width=128,height=128; Wide_2-x : width=1200,format=webp;")

    assert [variant.name for variant in variants] == ["thumbnail", "Wide_2-x"]
    assert [str(variant.transformation) for variant in variants] == ["width=128,height=128", "width=1200,format=webp"]


def test_the_template_s_default_is_an_exact_square():
    [variant] = parse_variants("thumbnail:width=128,height=128,fit=cover")

    assert variant.transformation == Transformation(width=128, height=128)


@pytest.mark.parametrize("text", ["", " ", ";", " ; ;"])
def test_there_must_be_a_variant(text):
    with pytest.raises(InvalidTransformation, match="at least one variant"):
        parse_variants(text)


@pytest.mark.parametrize(
    "text",
    [
        "thumbnail",
        "width=128",
        ":width=1",
        "a b:width=1",
        "a/b:width=1",
        "-a:width=1",
        "é:width=1",
        f"{'a' * 65}:width=1",
        "a\n:width=1;b",
    ],
)
def test_a_variant_without_a_proper_name_is_refused(text):
    with pytest.raises(InvalidTransformation, match="is not name:transformation"):
        parse_variants(text)


def test_a_name_of_64_letters_is_taken():
    [variant] = parse_variants(f"{'a' * 64}:width=1")

    assert variant.name == "a" * 64


def test_a_variant_given_twice_is_refused():
    with pytest.raises(InvalidTransformation, match="variant a is given twice"):
        parse_variants("a:width=1;a:width=2")


@pytest.mark.parametrize("text", ["a:width=1,b:width=2", "a:width=1&b:width=2"])
def test_variants_that_are_not_joined_by_semicolons_get_a_hint(text):
    with pytest.raises(
        InvalidTransformation, match=r"^variant a: got '.*'; semicolons join the variants: small:width=300;"
    ):
        parse_variants(text)


@pytest.mark.parametrize("text", ["a:width:1", "a:width=1,height:2", "a:width:1,height:2"])
def test_an_option_with_a_colon_gets_no_hint_about_semicolons(text):
    with pytest.raises(
        InvalidTransformation, match=r"^variant a: '(width:1|height:2)' is not an option; write name=value"
    ):
        parse_variants(text)


def test_the_fault_of_a_variant_names_the_variant_the_option_and_what_is_allowed():
    with pytest.raises(InvalidTransformation, match=r"variant b: option width: got '0', allowed: 1 to 8192"):
        parse_variants("a:width=1;b:width=0")


def test_a_huge_variant_is_cut_in_the_message():
    with pytest.raises(InvalidTransformation) as caught:
        parse_variants("x" * 1_000_000)

    assert len(str(caught.value)) < 300


def test_a_variant_that_no_source_could_be_rendered_by_is_refused():
    with pytest.raises(InvalidTransformation, match="8192×8192"):
        parse_variants("huge:width=8192,height=8192")
