"""Names that are made from a source's key: record ids, and what a viewer saves a rendition as."""

import pytest

from image_processor.publishing.names import content_disposition, record_id


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
