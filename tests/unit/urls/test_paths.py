"""Invalidation paths: every spelling of a source's path under which CloudFront may have cached it."""

import pytest

from image_processor.urls.paths import invalidation_paths


@pytest.mark.parametrize(
    ("key", "paths"),
    [
        ("cats/rio.jpg", ["/cats/rio.jpg", "/cats/rio.jpg/*"]),
        ("my photo.jpg", ["/my%20photo.jpg", "/my%20photo.jpg/*"]),
        ("ü.jpg", ["/%C3%BC.jpg", "/%C3%BC.jpg/*"]),
        ("100%.jpg", ["/100%25.jpg", "/100%25.jpg/*"]),
        ("what?.jpg", ["/what%3F.jpg", "/what%3F.jpg/*"]),
        ("a~b_c-d.e", ["/a~b_c-d.e", "/a~b_c-d.e/*"]),
        ("a+b.jpg", ["/a%2Bb.jpg", "/a%2Bb.jpg/*"]),
        ("a,b.jpg", ["/a%2Cb.jpg", "/a%2Cb.jpg/*", "/a,b.jpg", "/a,b.jpg/*"]),
        ("all*", ["/all%2A", "/all%2A/*", "/all*", "/all*/*"]),
        ("/leading", ["//leading", "//leading/*"]),
    ],
)
def test_a_source_is_invalidated_in_every_spelling_of_its_path(key, paths):
    assert invalidation_paths([key]) == paths


@pytest.mark.parametrize(("count", "paths"), [(15, 30), (16, 1)])
def test_more_than_15_wildcard_paths_invalidate_everything(count, paths):
    invalidated = invalidation_paths(f"{n}.jpg" for n in range(count))

    assert len(invalidated) == paths
    assert (invalidated == ["/*"]) == (paths == 1)
