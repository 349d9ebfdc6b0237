"""URLs of renditions: they name the rendition, carry the signature, and offer widths that renditions have."""

from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from image_processor.engine.layout import widths
from image_processor.urls.links import DEFAULT_LADDER, Links, signed_url
from image_processor.urls.paths import rendition_url
from image_processor.urls.signatures import is_signed

from ..pictures import decode, encode, make

BASE = "https://pictures.example"
keys = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20)
options = st.dictionaries(
    st.sampled_from(["width", "format", "position", "exp"]),
    st.text(st.characters(codec="utf-8", exclude_characters="?&"), max_size=8),
)


@given(keys, st.sampled_from(["thumbnail", "width=3,height=3,position=right-top"]))
def test_the_url_of_a_rendition_decodes_to_its_key_and_name(key, name):
    url = urlsplit(rendition_url(BASE, key, name))

    assert unquote(url.path) == f"/{key}/{name}"
    assert (url.netloc, url.query, url.fragment) == ("pictures.example", "", "")


def test_the_url_of_a_rendition_has_the_version_of_its_source():
    assert rendition_url(BASE, "a b.jpg", "thumbnail", "0123abcd") == f"{BASE}/a%20b.jpg/thumbnail?v=0123abcd"


def test_a_version_is_not_signed():
    signed = [signed_url(BASE, "a", {"width": "3", **version}, "the key") for version in ({}, {"v": "0123abcd"})]

    assert signed[1] == signed[0].replace("&sig", "&v=0123abcd&sig")


@pytest.mark.parametrize("parameters", [{}, {"exp": "9"}, {"v": "1"}])
def test_a_signed_url_of_a_rendition_begins_with_its_unsigned_url(parameters):
    url = signed_url(BASE, "a, b/width=3,format=webp", parameters, "the key")

    assert url.startswith(f"{BASE}/a%2C%20b/width=3,format=webp?")


@given(keys, options)
def test_a_signed_url_has_the_signed_parameters_and_a_valid_signature(key, parameters):
    url = urlsplit(signed_url(BASE, key, parameters, "the key"))
    written = dict(parse_qsl(url.query, keep_blank_values=True, strict_parsing=True))

    assert {name: value for name, value in written.items() if name != "sig"} == parameters
    assert is_signed(["the key"], unquote(url.path), written)


def test_a_signed_url_has_its_parameters_in_order_and_the_signature_last():
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
        ((3000, 30_000), {320: 320, 640: 640, 960: 819}),  # a rendition is at most 8,192 pixels high
    ],
)
def test_the_widths_end_with_that_of_the_source(source, expected):
    assert widths(source, DEFAULT_LADDER) == expected


def test_the_order_of_a_size_ladder_does_not_matter():
    assert widths((500, 500), (640, 320, 960)) == {320: 320, 640: 500}


@pytest.mark.parametrize("size", [(70, 30), (64, 64), (20, 300), (1, 50)])
def test_each_width_is_that_of_the_rendition(size):
    source = encode(Image.new("RGB", size), "png")

    for requested_width, width in widths(size, (16, 32, 64, 128)).items():
        assert decode(make(source, f"width={requested_width}")).width == width


def test_the_signing_key_is_requested_once_and_only_when_needed():
    calls = []
    links = Links(lambda: calls.append("") or "the key")
    assert not calls

    srcset = links.srcset(BASE, "a.jpg", {320: 320, 640: 640}, "0123abcd")

    assert len(calls) == 1
    assert srcset.count("&v=0123abcd&") == 2
