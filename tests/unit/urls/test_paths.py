"""CloudFront invalidates every spelling of a path that a viewer may ask for."""

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
def test_a_key_is_every_path_that_a_viewer_may_ask_for(key, paths):
    assert invalidation_paths([key]) == paths


@pytest.mark.parametrize(("count", "paths"), [(15, 30), (16, 1)])
def test_more_than_cloudfront_takes_is_everything(count, paths):
    asked = invalidation_paths(f"{n}.jpg" for n in range(count))

    assert len(asked) == paths
    assert (asked == ["/*"]) == (paths == 1)
