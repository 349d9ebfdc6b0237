"""The buckets: a missing object is None, and no other failure is taken for a missing object."""

import pytest
from botocore.exceptions import IncompleteReadError

from image_processor.aws.s3 import RenditionBucket, SourceBucket
from image_processor.errors import Unavailable

from ..fakes import PROCESSED, UPLOADS, client_error


def test_a_missing_object_is_none(s3):
    bucket = SourceBucket(s3, UPLOADS)

    assert bucket.get("nope") is None
    assert bucket.etag("nope") is None
    assert RenditionBucket(s3, PROCESSED, "").find("nope") is None


def test_denied_access_to_a_source_is_unavailable_not_missing(s3):
    bucket = SourceBucket(s3, UPLOADS)
    for operation in ("get_object", "head_upload"):
        s3.fail(operation, 1, client_error("AccessDenied" if operation == "get_object" else "403"))

    with pytest.raises(Unavailable):
        bucket.get("a")
    with pytest.raises(Unavailable):
        bucket.etag("a")


def test_a_download_that_breaks_off_is_unavailable(s3):
    s3.upload("a", b"12345")
    source = SourceBucket(s3, UPLOADS).get("a")
    s3.fail("read", 1, IncompleteReadError(actual_bytes=1, expected_bytes=5))

    with pytest.raises(Unavailable):
        source.body.read()


def test_a_rendition_without_metadata_has_no_source_etag(s3):
    s3.put_object(Bucket=PROCESSED, Key="a/b", Body=b"", Metadata={}, ContentType="", CacheControl="")

    assert RenditionBucket(s3, PROCESSED, "").find("a/b").source_etag is None


@pytest.mark.parametrize("code", ["KeyTooLongError", "InvalidURI"])
def test_a_key_that_s3_refuses_is_missing(s3, code):
    s3.fail("get_object", 1, client_error(code))
    assert SourceBucket(s3, UPLOADS).get("a") is None

    s3.fail("head_upload", 1, client_error("400"))
    s3.fail("get_object", 1, client_error(code))
    assert SourceBucket(s3, UPLOADS).etag("a") is None


def test_another_refused_request_is_unavailable_and_its_download_is_closed(s3):
    s3.upload("a", b"12345")
    s3.fail("head_upload", 1, client_error("400"))
    assert SourceBucket(s3, UPLOADS).etag("a") == s3.objects[UPLOADS, "a"].etag
    assert not s3.open_bodies

    s3.fail("head_upload", 1, client_error("400"))
    s3.fail("get_object", 1, client_error("ExpiredToken"))
    with pytest.raises(Unavailable):
        SourceBucket(s3, UPLOADS).etag("a")


@pytest.mark.parametrize("key", ["é" * 513, ""])
def test_a_key_of_an_impossible_length_is_missing_without_a_call(s3, key):
    bucket = SourceBucket(s3, UPLOADS)

    assert (bucket.get(key), bucket.etag(key)) == (None, None)
    assert not s3.calls
