"""The grammar: one canonical text for one picture."""

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from image_processor.errors import InvalidTransformation
from image_processor.transformation import (
    COLOURS,
    DEFAULT_QUALITY,
    EXACT_FITS,
    FITS,
    FORMATS,
    MAX_SIDE,
    OPTIONS,
    POSITIONS,
    Transformation,
)

hexadecimal = st.sampled_from("0123456789abcdefABCDEF")
values = {
    "width": st.integers(1, MAX_SIDE).map(str),
    "height": st.integers(1, MAX_SIDE).map(str),
    "fit": st.sampled_from(FITS),
    "position": st.sampled_from(list(POSITIONS)),
    "format": st.sampled_from([*FORMATS, "jpg", "auto"]),
    "quality": st.integers(1, 100).map(str),
    "background": st.one_of(
        st.sampled_from(list(COLOURS)),
        st.builds("{}{}".format, st.sampled_from(["", "#"]), st.sampled_from([3, 4, 6, 8]).flatmap(
            lambda length: st.text(hexadecimal, min_size=length, max_size=length)
        )),
    ),
    "enlarge": st.sampled_from(["true", "false"]),
}  # fmt: skip
options = st.fixed_dictionaries({}, optional=values)


def parsed(given_options: dict[str, str]) -> Transformation:
    try:
        return Transformation.parse(",".join(f"{name}={value}" for name, value in given_options.items()))
    except InvalidTransformation as error:
        assume("changes nothing" not in str(error) and given_options)
        raise


@settings(max_examples=200)
@given(options)
def test_the_canonical_text_reads_back_as_the_same_transformation(given_options):
    transformation = parsed(given_options)

    text = str(transformation)

    assert Transformation.parse(text) == transformation
    assert str(Transformation.parse(text)) == text


@settings(max_examples=150)
@given(options, st.data())
def test_order_case_and_spacing_make_no_difference(given_options, data):
    transformation = parsed(given_options)
    space = st.text(" \t\n", max_size=2)
    case = st.sampled_from([str.upper, str.lower, str.title, str.swapcase])
    shuffled = data.draw(st.permutations(list(given_options.items())))

    text = ",".join(
        f"{data.draw(space)}{data.draw(case)(name)}{data.draw(space)}={data.draw(space)}{data.draw(case)(value)}{data.draw(space)}"
        for name, value in shuffled
    )

    assert str(Transformation.parse(text)) == str(transformation)


@settings(max_examples=150)
@given(options)
def test_what_has_no_effect_is_left_out(given_options):
    transformation = parsed(given_options)

    text = str(transformation)

    names = [part.partition("=")[0] for part in text.split(",")]
    both = {"width", "height"} <= set(names)
    exact = both and transformation.fit in EXACT_FITS
    assert names == [option.name for option in OPTIONS if option.name in names]  # in table order, each once
    assert "fit=cover" not in text
    assert "position=center" not in text
    assert "enlarge=false" not in text
    assert "format=auto" not in text
    assert both or not {"fit", "position"} & set(names)
    assert transformation.fit in ("cover", "contain") or "position" not in names
    assert "enlarge" not in names or (not exact and {"width", "height"} & set(names))
    assert "quality" not in names or transformation.format in (None, *DEFAULT_QUALITY)
    assert "background" not in names or transformation.format in (None, "jpeg") or transformation.fit == "contain"


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("fit=cover,width=128,height=128", "width=128,height=128"),
        ("width=0128", "width=128"),
        ("height=5,width=5,fit=fill,position=top", "width=5,height=5,fit=fill"),
        ("width=5,height=5,fit=inside,position=top,enlarge=true", "width=5,height=5,fit=inside,enlarge=true"),
        ("width=5,fit=contain,position=left", "width=5"),
        ("width=5,height=5,position=Right Top", "width=5,height=5,position=right top"),
        ("width=5,height=5,fit=contain,enlarge=true", "width=5,height=5,fit=contain"),
        ("width=5,enlarge=true", "width=5,enlarge=true"),
        ("format=webp,enlarge=true", "format=webp"),
        ("format=jpg", "format=jpeg"),
        ("format=auto,width=1", "width=1"),
        ("format=jpeg,quality=80", "format=jpeg"),
        ("format=webp,quality=80", "format=webp"),
        ("format=avif,quality=60", "format=avif"),
        ("format=avif,quality=80", "format=avif,quality=80"),
        ("format=png,quality=7", "format=png"),
        ("format=gif,quality=100", "format=gif"),
        ("quality=80", "quality=80"),  # a source of AVIF would have 60
        ("format=jpeg,background=#F00", "format=jpeg,background=ff0000"),
        ("format=jpeg,background=red", "format=jpeg,background=ff0000"),
        ("format=jpeg,background=f00f", "format=jpeg,background=ff0000"),
        ("format=jpeg,background=f008", "format=jpeg,background=ff000088"),
        ("format=png,background=red", "format=png"),
        ("width=9,height=9,fit=contain,background=RED", "width=9,height=9,fit=contain,background=ff0000"),
        ("width=9,background=white", "width=9"),
    ],
)  # fmt: skip
def test_the_canonical_text_of(text, canonical):
    assert str(Transformation.parse(text)) == canonical


@pytest.mark.parametrize(
    ("one", "same"),
    [
        ("format=jpeg", "format=jpeg,background=white"),
        ("format=jpeg", "format=jpeg,background=transparent"),  # white lies beneath
        ("width=9,height=9,fit=contain,format=jpeg", "width=9,height=9,fit=contain,format=jpeg,background=fff"),
        ("width=9,height=9,fit=contain,format=png", "width=9,height=9,fit=contain,format=png,background=transparent"),
        ("width=9,height=9,fit=contain", "width=9,height=9,fit=contain,background=transparent"),
    ],
)
def test_the_default_background_is_left_out_where_the_format_tells_which_it_is(one, same):
    assert str(Transformation.parse(one)) == str(Transformation.parse(same))


@pytest.mark.parametrize("name", COLOURS)
def test_a_colour_by_name_is_the_same_as_by_digits(name):
    by_name = Transformation.parse(f"width=9,height=9,fit=contain,background={name}")
    by_digits = Transformation.parse(f"width=9,height=9,fit=contain,background=#{COLOURS[name]}")

    assert by_name == by_digits


def test_the_default_of_every_option_changes_nothing():
    assert str(Transformation()) == ""


@pytest.mark.parametrize(
    "text", ["fit=contain", "enlarge=true", "format=auto", "position=left top", "fit=fill,enlarge=true"]
)
def test_a_text_that_changes_nothing_is_refused(text):
    with pytest.raises(InvalidTransformation, match="changes nothing"):
        Transformation.parse(text)


@pytest.mark.parametrize(
    ("option", "value", "allowed"),
    [
        *((side, value, "1 to 8192") for side in ("width", "height") for value in (
            "0", "8193", "-1", "1.5", "1e3", "+5", "0x10", "", "ten", "٣", "5px", "9" * 30, "1_000",
        )),
        *(("quality", value, "1 to 100") for value in ("0", "101", "-5", "", "high", "80%")),
        *(("fit", value, "cover, contain, inside, outside, fill") for value in ("crop", "", "cover cover")),
        *(("position", value, "center, top, right top") for value in ("top right", "north", "", "right  top")),
        *(("format", value, "jpeg, png, webp, avif, gif, auto") for value in ("tiff", "heic", "", "image/png")),
        *(("background", value, "3, 4, 6 or 8 hexadecimal digits, or aqua, black") for value in (
            "", "#", "12", "12345", "1234567", "123456789", "ggg", "##fff", "rebeccapurple", "rgb(0", "0xfff",
        )),
        *(("enlarge", value, "true, false") for value in ("", "yes", "1", "on")),
    ],
)  # fmt: skip
def test_a_value_that_is_not_allowed_is_named_with_what_is(option, value, allowed):
    with pytest.raises(InvalidTransformation) as caught:
        Transformation.parse(f"{option}={value}")

    assert f"option {option}: got {value!r}" in str(caught.value)
    assert allowed in str(caught.value)


def test_every_option_says_what_is_allowed():
    assert {option.name for option in OPTIONS} == set(values)
    assert all(option.allowed and option.default and option.meaning for option in OPTIONS)


@pytest.mark.parametrize("text", ["widht=5", "width=5,dpr=2", "=5", "rotate=90,width=5"])
def test_an_unknown_option_is_named_with_those_there_are(text):
    unknown = next(part.partition("=")[0] for part in text.split(",") if not part.startswith("width="))

    with pytest.raises(InvalidTransformation) as caught:
        Transformation.parse(text)

    assert f"there is no option {unknown!r}" in str(caught.value)
    assert "width, height, fit, position, format, quality, background, enlarge" in str(caught.value)


@pytest.mark.parametrize("text", ["width=5,width=5", "width=5,WIDTH=6", "height=1, width=1 ,height=2"])
def test_an_option_given_twice_is_refused(text):
    with pytest.raises(InvalidTransformation, match=r"option (width|height) is given twice"):
        Transformation.parse(text)


@pytest.mark.parametrize("text", ["", ",", "width", "width=5,", "width=5,,height=5", "width:5", "thumbnail"])
def test_what_is_not_an_option_is_refused(text):
    with pytest.raises(InvalidTransformation, match="is not an option; write name=value"):
        Transformation.parse(text)


@pytest.mark.parametrize("text", ["{}", "{}=5", "width={}", "position={}", "background={}", "width=5,{}"])
def test_a_huge_value_is_cut_in_the_message(text):
    with pytest.raises(InvalidTransformation) as caught:
        Transformation.parse(text.format("9x" * 1_000_000))

    assert len(str(caught.value)) < 300


@settings(max_examples=150)
@given(st.text(max_size=40))
def test_any_text_is_read_or_refused_as_a_transformation(text):
    try:
        transformation = Transformation.parse(text)
    except InvalidTransformation as error:
        assert str(error)  # noqa: PT017 - either outcome is right
    else:
        assert Transformation.parse(str(transformation)) == transformation


@settings(max_examples=150)
@given(options, st.text(st.characters(codec="utf-8"), min_size=1, max_size=3), st.data())
def test_a_damaged_text_is_read_or_refused_as_a_transformation(given_options, junk, data):
    text = ",".join(f"{name}={value}" for name, value in given_options.items())
    place = data.draw(st.integers(0, len(text)))

    try:
        transformation = Transformation.parse(text[:place] + junk + text[place:])
    except InvalidTransformation as error:
        assert str(error)  # noqa: PT017 - either outcome is right
    else:
        assert Transformation.parse(str(transformation)) == transformation


@pytest.mark.parametrize(
    "options",
    [
        {"width": 0},
        {"width": "5"},
        {"width": 5.0},
        {"width": True},
        {"format": "jpg"},
        {"background": "#fff"},
        {"fit": "COVER"},
    ],
)
def test_a_transformation_can_not_be_built_with_a_value_of_another_form(options):
    with pytest.raises(InvalidTransformation):
        Transformation(**options)


def test_a_transformation_built_from_values_equals_the_parsed_one():
    built = Transformation(width=300, height=200, fit="inside", position="top", format="webp", quality=80)

    assert built == Transformation.parse("width=300,height=200,fit=inside,format=webp")
