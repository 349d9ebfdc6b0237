"""The grammar: one canonical text for one picture."""

import re
from dataclasses import fields

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from image_processor.errors import InvalidTransformation, shown
from image_processor.transformations.kinds import COLOURS
from image_processor.transformations.ladder import parse_ladder
from image_processor.transformations.options import (
    ANIMATED_FORMATS,
    DEFAULT_QUALITY,
    EXACT_FITS,
    FITS,
    FLIPS,
    FORMATS,
    LOSSLESS_FORMATS,
    MAX_SIDE,
    OPTIONS,
    POSITIONS,
    SMART_POSITIONS,
)
from image_processor.transformations.transformation import Transformation
from image_processor.transformations.url_options import resolutions


def decimals(low: float, high: float) -> st.SearchStrategy[str]:
    return st.integers(round(low * 100), round(high * 100)).map(lambda hundredths: f"{hundredths / 100:.2f}")


hexadecimal = st.sampled_from("0123456789abcdefABCDEF")
values = {
    "width": st.integers(1, MAX_SIDE // 2).map(str),
    "height": st.integers(1, MAX_SIDE // 2).map(str),
    "fit": st.sampled_from(FITS),
    "position": st.sampled_from([*POSITIONS, *SMART_POSITIONS]),
    "format": st.sampled_from([*FORMATS, "jpg", "auto"]),
    "quality": st.integers(1, 100).map(str),
    "background": st.one_of(
        st.sampled_from(list(COLOURS)),
        st.builds("{}{}".format, st.sampled_from(["", "#"]), st.sampled_from([3, 4, 6, 8]).flatmap(
            lambda length: st.text(hexadecimal, min_size=length, max_size=length)
        )),
    ),
    "dpr": st.sampled_from(["1", "1.5", "2", "1.25", "1.0"]),
    "rotate": st.sampled_from(["90", "180", "270"]),
    "flip": st.sampled_from(FLIPS),
    "crop": st.tuples(st.integers(0, 9), st.integers(0, 65_535), st.integers(1, 9), st.integers(1, 65_535)).map(
        lambda numbers: "_".join(map(str, numbers))
    ),
    "trim": st.integers(1, 254).map(str),
    "blur": decimals(0.3, 250),
    "sharpen": decimals(0.3, 10),
    "grayscale": st.sampled_from(["true", "false"]),
    "brightness": decimals(0, 4),
    "contrast": decimals(0, 4),
    "saturation": decimals(0, 4),
    "radius": st.integers(1, MAX_SIDE // 2).map(str),
    "lossless": st.sampled_from(["true", "false"]),
    "max_bytes": st.integers(1000, 100_000_000).map(str),
    "frames": st.integers(1, 10_000).map(str),
    "watermark": st.text(st.sampled_from("abcXYZ0189._~-"), min_size=1, max_size=20),
    "watermark_position": st.sampled_from(list(POSITIONS)),
    "watermark_opacity": st.integers(1, 100).map(str),
    "watermark_scale": st.integers(1, 100).map(str),
    "enlarge": st.sampled_from(["true", "false"]),
}  # fmt: skip
options = st.fixed_dictionaries({}, optional=values)


def parsed(given_options: dict[str, str]) -> Transformation:
    assume(given_options)
    return Transformation.parse(",".join(f"{name}={value}" for name, value in given_options.items()))


@settings(max_examples=200)
@given(options)
def test_the_canonical_text_reads_back_as_the_same_transformation(given_options):
    transformation = parsed(given_options)

    text = str(transformation)

    assert Transformation.parse(text) == transformation
    assert str(Transformation.parse(text)) == text
    assert re.fullmatch("[A-Za-z0-9._~=,-]+", text)  # needs no percent-encoding


@settings(max_examples=150)
@given(options, st.data())
def test_order_case_and_spacing_make_no_difference(given_options, data):
    transformation = parsed(given_options)
    space = st.text(" \t\n", max_size=2)
    case = st.sampled_from([str.upper, str.lower, str.title, str.swapcase])
    shuffled = data.draw(st.permutations(list(given_options.items())))

    def spaced(word: str) -> str:
        return data.draw(space) + word + data.draw(space)

    def cased(name: str, value: str) -> str:
        return value if name == "watermark" else data.draw(case)(value)  # S3's keys know case

    text = ",".join(
        "".join((spaced(data.draw(case)(name)), "=", spaced(cased(name, value)))) for name, value in shuffled
    )

    assert str(Transformation.parse(text)) == str(transformation)


@settings(max_examples=150)
@given(options)
def test_an_option_without_effect_is_left_out(given_options):
    transformation = parsed(given_options)

    text = str(transformation)

    names = [part.partition("=")[0] for part in text.split(",")]
    both = {"width", "height"} <= set(names)
    exact = both and transformation.fit in EXACT_FITS
    assert names == [option.name for option in OPTIONS if option.name in names]  # in table order, each once
    assert "fit=cover" not in text
    assert ",position=center" not in f",{text}"
    assert "enlarge=false" not in text
    assert "format=auto" not in text or text == "format=auto"
    assert both or not {"fit", "position"} & set(names)
    assert transformation.fit in ("cover", "contain") or "position" not in names
    assert "enlarge" not in names or (not exact and {"width", "height"} & set(names))
    assert "quality" not in names or transformation.format in (None, *DEFAULT_QUALITY)
    assert not {"dpr", "flip=both"} & {*names, *text.split(",")}
    assert "frames" not in names or transformation.format in (None, *ANIMATED_FORMATS)
    assert "lossless" not in names or transformation.format in (None, *LOSSLESS_FORMATS)
    assert "max_bytes" not in names or transformation.format in (None, *DEFAULT_QUALITY)
    assert "watermark" in names or not any(name.startswith("watermark_") for name in names)
    assert "saturation" not in names or "grayscale" not in names
    assert "background" not in names or transformation.format in (None, "jpeg") or transformation.fit == "contain"


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("fit=cover,width=128,height=128", "width=128,height=128"),
        ("width=0128", "width=128"),
        ("height=5,width=5,fit=fill,position=top", "width=5,height=5,fit=fill"),
        ("width=5,height=5,fit=inside,position=top,enlarge=true", "width=5,height=5,fit=inside,enlarge=true"),
        ("width=5,fit=contain,position=left", "width=5"),
        ("width=5,height=5,position=Right Top", "width=5,height=5,position=right-top"),
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
        ("width=100,dpr=2", "width=200"),
        ("width=101,height=3,dpr=1.5", "width=152,height=5"),
        ("width=10,radius=4,dpr=3", "width=30,radius=12"),
        ("format=webp,dpr=2", "format=webp"),
        ("rotate=180,flip=both,width=9", "width=9"),
        ("flip=both", "rotate=180"),
        ("rotate=90,flip=both", "rotate=270"),
        ("rotate=180,flip=vertical", "flip=horizontal"),
        ("rotate=270,flip=horizontal", "rotate=90,flip=vertical"),
        ("rotate=90,flip=horizontal", "rotate=90,flip=horizontal"),
        ("crop=001_2_3_4", "crop=1_2_3_4"),
        ("blur=1.50", "blur=1.5"),
        ("sharpen=2.0", "sharpen=2"),
        ("brightness=1,contrast=1.0,saturation=1.00,width=9", "width=9"),
        ("saturation=0", "grayscale=true"),
        ("saturation=2,grayscale=true", "grayscale=true"),
        ("format=webp,lossless=true,quality=50,max_bytes=5000", "format=webp,lossless=true"),
        ("format=jpeg,lossless=true,frames=1", "format=jpeg"),
        ("lossless=true,quality=50", "quality=50,lossless=true"),  # a source of JPEG would have the quality
        ("format=png,max_bytes=5000,frames=3,lossless=true", "format=png"),
        ("format=gif,frames=3", "format=gif,frames=3"),
        ("width=5,height=5,position=attention", "width=5,height=5,position=attention"),
        ("width=5,height=5,fit=contain,position=entropy", "width=5,height=5,fit=contain"),
        ("width=5,height=5,fit=inside,position=entropy", "width=5,height=5,fit=inside"),
        ("watermark=Brand~Logo.png,watermark_position=Right Bottom", "watermark=Brand~Logo.png"),
        ("width=5,watermark_opacity=5,watermark_scale=5,watermark_position=top", "width=5"),
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
def test_the_default_background_is_left_out_where_the_format_determines_it(one, same):
    assert str(Transformation.parse(one)) == str(Transformation.parse(same))


@pytest.mark.parametrize("name", COLOURS)
def test_a_colour_by_name_is_the_same_as_by_digits(name):
    by_name = Transformation.parse(f"width=9,height=9,fit=contain,background={name}")
    by_digits = Transformation.parse(f"width=9,height=9,fit=contain,background=#{COLOURS[name]}")

    assert by_name == by_digits


@pytest.mark.parametrize(
    "text", ["fit=contain", "enlarge=true", "format=auto", "position=left-top", "fit=fill,enlarge=true", "dpr=2"]
)
def test_options_without_effect_are_the_untouched_picture(text):
    assert Transformation.parse(text) == Transformation()
    assert str(Transformation.parse(text)) == "format=auto"


@pytest.mark.parametrize(
    ("option", "value", "allowed"),
    [
        *((side, value, "1 to 8192") for side in ("width", "height") for value in (
            "0", "8193", "-1", "1.5", "1e3", "+5", "0x10", "", "ten", "٣", "5px", "9" * 30, "1_000",
        )),
        *(("quality", value, "1 to 100") for value in ("0", "101", "-5", "", "high", "80%")),
        *(("fit", value, "cover, contain, inside, outside, fill") for value in ("crop", "", "cover cover")),
        *(("position", value, "center, top, right-top") for value in ("top right", "north", "", "right  top")),
        *(("format", value, "jpeg, png, webp, avif, gif, auto") for value in ("tiff", "heic", "", "image/png")),
        *(("background", value, "3, 4, 6 or 8 hexadecimal digits, or aqua, black") for value in (
            "", "#", "12", "12345", "1234567", "123456789", "ggg", "##fff", "rebeccapurple", "rgb(0", "0xfff",
        )),
        *(("enlarge", value, "true, false") for value in ("", "yes", "1", "on")),
        *(("dpr", value, "1 to 4") for value in ("0", "0.5", "5", "2x", "1.234", "", "nan", "inf")),
        *(("rotate", value, "90, 180, 270") for value in ("0", "45", "-90", "360", "")),
        *(("flip", value, "horizontal, vertical, both") for value in ("x", "true", "")),
        *(("crop", value, "left_top_width_height") for value in (
            "", "1_2_3", "1_2_3_4_5", "0_0_0_5", "0_0_5_0", "-1_0_5_5", "1x2x3x4", "0_0_65536_1", "a_b_c_d",
        )),
        *(("blur", value, "0.3 to 250") for value in ("0", "0.29", "251", "1e2", "-1", "1.234", "٣")),
        *(("brightness", value, "0 to 4") for value in ("-1", "4.01", "bright", "nan")),
        *(("max_bytes", value, "1000 to 100000000") for value in ("0", "999", "20kB")),
        *(("frames", value, "1 to 10000") for value in ("0", "all")),
        *(("watermark", value, "letters, digits") for value in ("", "a/b", "a b", "ü.png", "x" * 201)),
    ],
)  # fmt: skip
def test_a_value_that_is_not_allowed_is_named_with_what_is(option, value, allowed):
    with pytest.raises(InvalidTransformation) as caught:
        Transformation.parse(f"{option}={value}")

    assert f"option {option}: got {shown(value)}" in str(caught.value)
    assert allowed in str(caught.value)


def test_every_option_has_its_attribute_and_an_example_in_these_tests():
    names = [option.name for option in OPTIONS]

    assert [field.name for field in fields(Transformation)] == names
    assert set(values) == set(names)


@pytest.mark.parametrize("text", ["widht=5", "width=5,dprs=2", "=5", "rotation=90,width=5"])
def test_an_unknown_option_is_named_with_those_there_are(text):
    unknown = next(part.partition("=")[0] for part in text.split(",") if not part.startswith("width="))

    with pytest.raises(InvalidTransformation) as caught:
        Transformation.parse(text)

    assert f"there is no option {unknown!r}" in str(caught.value)
    assert ", ".join(option.name for option in OPTIONS) in str(caught.value)


@pytest.mark.parametrize("text", ["width=5,width=5", "width=5,WIDTH=6", "height=1, width=1 ,height=2"])
def test_an_option_given_twice_is_refused(text):
    with pytest.raises(InvalidTransformation, match=r"option (width|height) is given twice"):
        Transformation.parse(text)


@pytest.mark.parametrize("text", ["", " "])
def test_an_empty_text_is_refused_with_an_example(text):
    with pytest.raises(InvalidTransformation, match=r"^the transformation is empty, allowed: width=300,format=webp$"):
        Transformation.parse(text)


@pytest.mark.parametrize("text", [",", "width=5,", "width=5,,height=5"])
def test_an_empty_option_is_refused(text):
    with pytest.raises(InvalidTransformation, match=r"^an option is empty; write name=value, joined by commas: width="):
        Transformation.parse(text)


@pytest.mark.parametrize("text", ["width", "width=5,height", "width:5", "thumbnail"])
def test_a_part_that_is_not_an_option_is_refused(text):
    with pytest.raises(InvalidTransformation, match="is not an option; write name=value"):
        Transformation.parse(text)


@pytest.mark.parametrize("text", ["{}", "{}=5", "width={}", "position={}", "background={}", "width=5,{}"])
def test_a_huge_value_is_cut_in_the_message(text):
    with pytest.raises(InvalidTransformation) as caught:
        Transformation.parse(text.format("9x" * 1_000_000))

    assert len(str(caught.value)) < 500


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
    index = data.draw(st.integers(0, len(text)))

    try:
        transformation = Transformation.parse(text[:index] + junk + text[index:])
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


def test_a_side_that_dpr_makes_too_long_is_named():
    with pytest.raises(InvalidTransformation, match="option width: 3000 × dpr 3 is 9000, allowed: 8192"):
        Transformation.parse("width=3000,dpr=3")


def test_a_watermark_s_key_has_slashes_for_tildes():
    assert Transformation.parse("watermark=brand~Logo.png").watermark_key == "brand/Logo.png"
    assert Transformation.parse("width=5").watermark_key is None


@pytest.mark.parametrize(
    ("text", "ladder", "canonical"),
    [
        ("width=300", (320, 640), "width=320"),
        ("width=320", (320, 640), "width=320"),
        ("width=321", (640, 320), "width=640"),
        ("width=900", (320, 640), "width=640"),
        ("height=300", (320, 640), "height=320"),
        ("width=300,height=200", (320, 640), "width=320,height=213"),
        ("width=1000,height=500,radius=25", (320, 640), "width=640,height=320,radius=16"),
        ("width=9,height=8192", (18,), "width=18,height=8192"),
        ("width=1000,height=1", (320,), "width=320,height=1"),
        ("width=2,height=1,radius=1", (3,), "width=3,height=2,radius=2"),
        ("height=100,radius=50", (320,), "height=320,radius=160"),
        ("width=150,dpr=2", (320, 640), "width=320"),
        ("radius=10", (320,), "radius=10"),
        ("format=webp", (320,), "format=webp"),
        ("width=300,height=300", (), "width=300,height=300"),
    ],
)
def test_on_a_ladder_the_leading_side_is_rounded_up_and_the_others_are_scaled(text, ladder, canonical):
    assert str(Transformation.parse(text).on_ladder(ladder)) == canonical


@settings(max_examples=150)
@given(options, st.lists(st.integers(1, MAX_SIDE), max_size=5))
def test_a_transformation_on_the_ladder_is_not_rounded_again(given_options, ladder):
    rounded = parsed(given_options).on_ladder(ladder)

    assert rounded.on_ladder(ladder) == rounded
    assert not ladder or (rounded.width or rounded.height) in {None, *ladder}


@pytest.mark.parametrize(
    ("text", "ladder"), [("", ()), (" ", ()), ("640", (640,)), ("640, 320,8192 ,1,320", (1, 320, 640, 8192))]
)
def test_a_ladder_is_read_in_any_order(text, ladder):
    assert parse_ladder(text) == ladder


@pytest.mark.parametrize("text", ["0", "8193", "320;640", "320,", ",", "0320", "٣", "-1", "1.5", "wide", "1e3"])
def test_a_ladder_with_a_value_that_is_not_a_side_is_refused(text):
    with pytest.raises(InvalidTransformation, match=r"size ladder: got .*, allowed: 1 to 8192"):
        parse_ladder(text)


def test_a_ladder_has_at_most_32_sides():
    assert len(parse_ladder(",".join(map(str, range(1000, 1032))))) == 32
    with pytest.raises(InvalidTransformation, match="got 33 sides, allowed: 32"):
        parse_ladder(",".join(map(str, range(1000, 1033))))


@pytest.mark.parametrize(
    ("query", "ladder", "texts"),
    [
        ({"width": "300"}, (), {"width=300"}),
        ({"FORMAT": "WebP", "Width": "300"}, (320,), {"width=320,format=webp"}),
        (
            {"width": "300", "format": "Auto"},
            (320,),
            {"width=320", "width=320,format=webp", "width=320,format=avif"},
        ),
        ({"format": "auto"}, (320,), {"format=auto", "format=webp", "format=avif"}),
        ({"format": "auto", "quality": "80"}, (), {"quality=80", "format=webp", "format=avif,quality=80"}),
        ({"fit": "cover"}, (), {"format=auto"}),
        ({}, (320,), set()),
    ],
)
def test_a_query_has_one_text_or_with_format_auto_several(query, ladder, texts):
    assert resolutions(query, ladder) == texts


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"width": "0"}, "option width: got '0', allowed: 1 to 8192"),
        ({"width": " 5"}, "option width: got ' 5', allowed: 1 to 8192"),
        ({"size": "5"}, "there is no option 'size'; the options are width, height"),
        ({"width": "5", "Width": "5"}, "option width is given twice"),
        ({"format": "auto", "Format": "auto"}, "option format is given twice"),
        ({"width": "0", "height": "0"}, "option height: got '0'"),
        (
            {"width": "300,height=200"},
            "option width: got '300,height=200', allowed: 1 to 8192; in a URL, & joins the options",
        ),
        ({"crop": "1,2,3,4"}, "option crop: got '1,2,3,4', allowed: left_top_width_height, of 0 to 65535$"),
    ],
)
def test_a_query_with_a_fault_is_refused(query, message):
    with pytest.raises(InvalidTransformation, match=f"^{message}"):
        resolutions(query, ())


@pytest.mark.parametrize("separator", ["&", ";"])
def test_another_separator_than_a_comma_gets_a_hint(separator):
    text = f"width=300{separator}format=webp"

    with pytest.raises(InvalidTransformation, match=f"^got '{text}'; here, commas join the options: width=300,format="):
        Transformation.parse(text)
