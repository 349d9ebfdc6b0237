"""Names that are made from a source's key: S3 keys, record ids, and what a viewer saves a rendition as."""

import pytest

from image_processor.errors import InvalidRequest
from image_processor.publishing.names import content_disposition, record_id, rendition_key


def test_the_key_of_a_rendition_is_the_source_key_and_its_name():
    assert rendition_key("cats/rio.jpg", "width=300") == "cats/rio.jpg/width=300"


def test_the_key_of_a_rendition_has_at_most_1024_bytes_of_utf_8():
    assert len(rendition_key("é" * 507, "thumbnail").encode()) == 1024

    with pytest.raises(InvalidRequest, match=r"1016 bytes, allowed: 1014, since /thumbnail is added to it"):
        rendition_key("é" * 508, "thumbnail")


def test_a_record_id_depends_on_bucket_key_and_name_alone():
    ids = {record_id(*parts) for parts in [("b", "k", "n"), ("c", "k", "n"), ("b", "l", "n"), ("b", "k", "o")]}

    assert record_id("b", "k", "n") == record_id("b", "k", "n")
    assert len(ids) == 4
    assert {len(one) for one in ids} == {32}


@pytest.mark.parametrize(
    ("key", "content_type", "header"),
    [
        ("cats/rio.png", "image/jpeg", 'inline; filename="rio-thumbnail.jpg"'),
        ("rio", "image/webp", 'inline; filename="rio-thumbnail.webp"'),
        ("rio.tar.gz", "image/png", 'inline; filename="rio.tar-thumbnail.png"'),
        (".hidden", "image/png", 'inline; filename=".hidden-thumbnail.png"'),
        ("cats/", "image/png", 'inline; filename="cats-thumbnail.png"'),
        ("x" * 300, "image/png", f'inline; filename="{"x" * 100}-thumbnail.png"'),
        (
            "ü b.png",
            "image/png",
            "inline; filename=\"_ b-thumbnail.png\"; filename*=UTF-8''%C3%BC%20b-thumbnail.png",
        ),
        (
            'a"\\%\r\n.png',
            "image/png",
            "inline; filename=\"a_____-thumbnail.png\"; filename*=UTF-8''a%22%5C%25%0D%0A-thumbnail.png",
        ),
    ],
)
def test_a_rendition_is_saved_under_the_name_of_its_source_and_variant(key, content_type, header):
    assert content_disposition(key, "thumbnail", content_type) == header
