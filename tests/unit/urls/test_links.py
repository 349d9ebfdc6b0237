"""URLs lead back to what they were made of, and the widths on offer are those that pictures come out with."""

from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from image_processor.engine.layout import widths
from image_processor.urls.links import DEFAULT_LADDER, Links, signed_url
from image_processor.urls.paths import invalidation_paths, rendition_url
from image_processor.urls.signatures import is_signed

from ..pictures import decode, encode, make

BASE = "https://pictures.example"
keys = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20)
options = st.dictionaries(
    st.sampled_from(["width", "format", "position", "exp"]),
    st.text(st.characters(codec="utf-8", exclude_characters="?&"), max_size=8),
)


@given(keys, st.sampled_from(["thumbnail", "width=3,height=3,position=right top"]))
def test_a_url_names_the_rendition_it_was_made_of(key, name):
    url = urlsplit(rendition_url(BASE, key, name))

    assert unquote(url.path) == f"/{key}/{name}"
    assert (url.netloc, url.query, url.fragment) == ("pictures.example", "", "")


@given(keys)
def test_a_url_is_spelled_as_cloudfront_will_be_told_when_it_is_replaced(key):
    asked = urlsplit(signed_url(BASE, key, {"width": "3"}, "the key")).path + "/width=3"  # by the edge function

    for path in (asked, urlsplit(rendition_url(BASE, key, "width=3")).path):
        assert any(path.startswith(told.removesuffix("*")) for told in invalidation_paths([key]))


@pytest.mark.parametrize("parameters", [{}, {"exp": "9"}])
def test_a_signed_rendition_has_the_url_of_the_rendition(parameters):
    url = signed_url(BASE, "a, b/width=3,format=webp", parameters, "the key")

    assert url.startswith(f"{BASE}/a%2C%20b/width=3,format=webp?")


@given(keys, options)
def test_a_signed_url_carries_what_was_signed(key, parameters):
    url = urlsplit(signed_url(BASE, key, parameters, "the key"))
    written = dict(parse_qsl(url.query, keep_blank_values=True, strict_parsing=True))

    assert {name: value for name, value in written.items() if name != "sig"} == parameters
    assert is_signed(["the key"], unquote(url.path), written)


def test_parameters_stand_as_they_were_written_and_the_signature_last():
    url = signed_url(BASE, "a b", {"width": "3", "position": "right top", "exp": "9"}, "the key")

    assert url.startswith(f"{BASE}/a%20b?width=3&position=right%20top&exp=9&sig=")


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ((1000, 10), {320: 320, 640: 640, 960: 960, 1280: 1000}),
        ((960, 10), {320: 320, 640: 640, 960: 960}),
        ((961, 10), {320: 320, 640: 640, 960: 960, 1280: 961}),
        ((100, 10), {320: 100}),
        ((1, 1), {320: 1}),
        ((4000, 3000), {320: 320, 640: 640, 960: 960, 1280: 1280, 1920: 1920, 2560: 2560, 3840: 3840}),
        ((3000, 30_000), {320: 320, 640: 640, 960: 819}),  # at most 8,192 pixels high
    ],
)
def test_widths_go_as_far_as_the_source_does(source, expected):
    assert widths(source, DEFAULT_LADDER) == expected


def test_the_order_of_a_ladder_does_not_matter():
    assert widths((500, 500), (640, 320, 960)) == {320: 320, 640: 500}


@pytest.mark.parametrize("size", [(70, 30), (64, 64), (20, 300), (1, 50)])
def test_each_width_is_that_of_the_picture(size):
    source = encode(Image.new("RGB", size), "png")

    for asked, width in widths(size, (16, 32, 64, 128)).items():
        assert decode(make(source, f"width={asked}")).width == width


def test_the_key_is_asked_for_once_and_when_it_is_needed():
    asked = []
    links = Links(lambda: asked.append("") or "the key")
    assert not asked

    links.srcset(BASE, "a.jpg", {320: 320, 640: 640})

    assert len(asked) == 1
