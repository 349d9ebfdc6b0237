"""Paths of renditions: a bijection of keys and names that needs no percent-encoding, and what is invalidated."""

import re
from urllib.parse import quote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from image_processor.errors import InvalidRequest
from image_processor.urls.paths import (
    escape_key,
    invalidation_paths,
    rendition_path,
    split_path,
    unescape_key,
)

keys = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20) | st.text("/.=2Fa ", min_size=1, max_size=12)


@pytest.mark.parametrize(
    ("key", "escaped"),
    [
        ("cats/rio.jpg", "cats/rio.jpg"),
        ("A-z_0.9/b", "A-z_0.9/b"),
        ("my cat.jpg", "my=20cat.jpg"),
        ("my=20cat.jpg", "my=3D20cat.jpg"),
        ("ü.jpg", "=C3=BC.jpg"),
        ("😀", "=F0=9F=98=80"),
        ("100%.jpg", "100=25.jpg"),
        ("a+b~c,d*e(f)'!.jpg", "a=2Bb=7Ec=2Cd=2Ae=28f=29=27=21.jpg"),
        ("a\n\x00b", "a=0A=00b"),
        ("/leading", "=2Fleading"),
        ("trailing/", "trailing=2F"),
        ("a//b", "a/=2Fb"),
        ("//", "=2F=2F"),
        ("a/../b/./c", "a/=2E=2E/b/=2E/c"),
        ("..", "=2E=2E"),
        (".../..a/b..", ".../..a/b.."),
        ("a/\n", "a/=0A"),
        ("..\n", "..=0A"),
    ],
)
def test_a_key_is_escaped_where_a_path_would_need_percent_encoding(key, escaped):
    assert escape_key(key) == escaped
    assert unescape_key(escaped) == key


@given(keys)
@example("/")
def test_an_escaped_key_needs_no_percent_encoding_and_no_folding(key):
    path = rendition_path(key, "thumbnail")

    assert quote(path, safe="/=") == path
    assert re.fullmatch(r"[A-Za-z0-9._=-]+(/[A-Za-z0-9._=-]+)+", path)
    assert not {".", ".."} & set(path.split("/"))


@given(keys, st.sampled_from(["thumbnail", "width=300,format=webp"]))
def test_a_path_has_one_key_and_one_name(key, name):
    assert split_path(rendition_path(key, name)) == (key, name)


@given(st.text("abF/.=2 ü", max_size=12))
def test_what_is_no_escaped_key_is_none(text):
    key = unescape_key(text)

    assert key is None or escape_key(key) == text


@pytest.mark.parametrize(
    "path", ["", "/", "thumbnail", "/thumbnail", "a/", "a//b", "a=4", "=41/b", "=C3/b", "a b/c", "ü/c"]
)
def test_a_path_that_no_rendition_has_is_none(path):
    assert split_path(path) is None


def test_a_path_has_at_most_1024_bytes():
    assert len(rendition_path("é" * 169, "thumbnail")) == 1024

    with pytest.raises(InvalidRequest, match=r"takes 1020 bytes in .*, allowed: 1014, since /thumbnail is added to it"):
        rendition_path("é" * 170, "thumbnail")


@pytest.mark.parametrize(
    ("key", "path"),
    [("cats/rio.jpg", "/cats/rio.jpg*"), ("my photo~.jpg", "/my=20photo=7E.jpg*"), ("*", "/=2A*"), ("/a", "/=2Fa*")],
)
def test_one_path_invalidates_a_source(key, path):
    assert invalidation_paths([key]) == [path]


@given(keys)
def test_an_invalidation_covers_every_rendition_and_version_of_a_source(key):
    [covered] = invalidation_paths([key])

    assert f"/{rendition_path(key, 'width=3')}?v=0123".startswith(covered.removesuffix("*"))
    assert covered.count("*") == 1


@pytest.mark.parametrize(("count", "paths"), [(15, 15), (16, 1)])
def test_more_than_15_sources_invalidate_everything(count, paths):
    invalidated = invalidation_paths(f"{n}.jpg" for n in range(count))

    assert len(invalidated) == paths
    assert (invalidated == ["/*"]) == (paths == 1)
