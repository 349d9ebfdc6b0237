"""Downloads: a source is decoded while it is downloaded, and a failed download is never taken for a corrupt image."""

import ssl

import pytest
from botocore.exceptions import IncompleteReadError, ReadTimeoutError, ResponseStreamingError
from PIL import Image
from urllib3.exceptions import SSLError

from image_processor.aws.s3 import SourceBucket
from image_processor.errors import CorruptImage, Unavailable
from image_processor.publishing import decode_slot, rendition_writer

from ..fakes import UPLOADS
from ..pictures import encode

KEY = "rio"
# More than 64 KiB when encoded, so that it is read in several chunks.
NOISE = Image.effect_noise((600, 400), 90).convert("RGB")
ENCODINGS = {encoding: encode(NOISE, encoding) for encoding in ("jpeg", "png", "webp")}
ENCODINGS["progressive"] = encode(NOISE, "jpeg", progressive=True)
JPEG = ENCODINGS["jpeg"]


@pytest.fixture
def another_in_progress(monkeypatch):
    """Simulate that another source is in progress, so that this one is read ahead."""
    original = decode_slot.DecodeSlot.__init__

    def init_with_another(self):
        original(self)
        self._in_progress = 1

    monkeypatch.setattr(decode_slot.DecodeSlot, "__init__", init_with_another)


@pytest.fixture(params=["alone", "concurrent"])
def alone_and_concurrent(request):
    if request.param == "concurrent":
        request.getfixturevalue("another_in_progress")


@pytest.mark.usefixtures("alone_and_concurrent")
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_source_of_every_encoding_is_published(new_pipeline, s3, encoding):
    s3.upload(KEY, ENCODINGS[encoding])

    assert len(new_pipeline().publish(KEY)) == 2

    assert not s3.open_bodies


@pytest.mark.usefixtures("alone_and_concurrent")
@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("share", [0, 0.01, 0.5, 0.99])
def test_a_truncated_download_publishes_nothing_and_its_retry_succeeds(new_pipeline, s3, table, encoding, share):
    etag = s3.upload(KEY, ENCODINGS[encoding])
    pipeline = new_pipeline()
    s3.objects[UPLOADS, KEY].download_size = round(len(ENCODINGS[encoding]) * share)

    with pytest.raises(Unavailable, match="S3 interrupted a download; try again later"):
        pipeline.publish(KEY)

    assert s3.renditions() == {}
    assert not table.items
    assert not s3.open_bodies
    s3.objects[UPLOADS, KEY].download_size = len(ENCODINGS[encoding])
    pipeline.publish(KEY)
    assert s3.renditions() == {f"{KEY}/thumbnail": etag, f"{KEY}/wide": etag}


@pytest.mark.usefixtures("alone_and_concurrent")
@pytest.mark.parametrize("nth", [1, 2])
@pytest.mark.parametrize(
    "failure",
    [
        IncompleteReadError(actual_bytes=1, expected_bytes=2),
        ReadTimeoutError(endpoint_url="https://s3.inner.example"),
        ResponseStreamingError(error="broken"),
        ConnectionResetError("peer"),
        TimeoutError("socket"),
        SSLError("record"),
        ssl.SSLEOFError("eof"),
    ],
)
def test_a_failed_download_publishes_nothing_and_raises_unavailable(new_pipeline, s3, table, failure, nth, request):
    if nth == 2 and "concurrent" in request.node.name:
        nth = 1  # a source that is read ahead is read in one call
    s3.upload(KEY, JPEG)
    s3.fail("read", nth, failure)

    with pytest.raises(Unavailable, match="S3 can't be reached; try again later"):
        new_pipeline().publish(KEY)

    assert s3.renditions() == {}
    assert not table.items


def test_every_read_after_a_failed_one_raises_the_failure_again(s3):
    s3.upload(KEY, JPEG)
    source = SourceBucket(s3, UPLOADS).get(KEY)
    s3.fail("read", 1, ConnectionResetError("peer"))

    for _ in range(2):
        with pytest.raises(Unavailable):
            source.body.read(10)


def test_a_decode_error_in_a_truncated_download_is_unavailable_not_corrupt(new_pipeline, s3, monkeypatch):
    s3.upload(KEY, JPEG)
    s3.objects[UPLOADS, KEY].download_size = len(JPEG) - 1

    def render(source, *_):
        source.read(10)
        raise CorruptImage("the source can't be decoded")

    monkeypatch.setattr(rendition_writer, "render_each", render)

    with pytest.raises(Unavailable):
        new_pipeline().publish(KEY)


def test_a_download_that_fails_after_decoding_publishes_nothing(new_pipeline, s3):
    s3.upload(KEY, JPEG + bytes(100_000))  # the decoder ends before the download does
    s3.objects[UPLOADS, KEY].download_size = len(JPEG) + 50_000

    with pytest.raises(Unavailable):
        new_pipeline().publish(KEY)

    assert s3.renditions() == {}


def test_a_single_source_is_decoded_while_it_is_downloaded(new_pipeline, s3, monkeypatch):
    s3.upload(KEY, JPEG)
    reads = []
    render = rendition_writer.render_each
    monkeypatch.setattr(rendition_writer, "render_each", lambda *a: (reads.append(s3.count("read")), render(*a))[1])

    new_pipeline().publish(KEY)

    assert reads == [0]
    assert s3.count("read") > 1


@pytest.mark.usefixtures("another_in_progress")
@pytest.mark.parametrize(("limit", "reads_ahead"), [(len(JPEG), True), (len(JPEG) - 1, False)])
def test_concurrent_sources_are_read_ahead_up_to_the_limit(new_pipeline, s3, monkeypatch, limit, reads_ahead):
    monkeypatch.setattr(decode_slot, "READ_AHEAD", limit)
    s3.upload(KEY, JPEG)
    pipeline, reads, remaining = new_pipeline(), [], []
    render = rendition_writer.render_each

    def record_and_render(*arguments):
        reads.append(s3.count("read"))
        remaining.append(pipeline._decode_slot._read_ahead_left)
        return render(*arguments)

    monkeypatch.setattr(rendition_writer, "render_each", record_and_render)

    pipeline.publish(KEY)

    assert reads == [1 if reads_ahead else 0]
    assert remaining == [0 if reads_ahead else limit]
    assert pipeline._decode_slot._read_ahead_left == limit


@pytest.mark.parametrize("remaining", [-1.0, decode_slot.DECODE_SECONDS - 1])
def test_a_source_is_not_started_without_enough_time_left(pipeline, s3, table, remaining):
    s3.upload(KEY, JPEG)

    with pytest.raises(Unavailable, match="there is no time left for this source; try again later"):
        pipeline.publish(KEY, deadline=decode_slot.time.monotonic() + remaining)

    assert s3.renditions() == {}
    assert not table.items
    assert not s3.open_bodies


def test_waiting_for_the_decode_slot_ends_at_the_deadline(new_pipeline, s3, monkeypatch):
    monkeypatch.setattr(decode_slot, "DECODE_SECONDS", 0.0)
    s3.upload(KEY, JPEG)
    pipeline = new_pipeline()
    with pipeline._decode_slot._slot, pytest.raises(Unavailable, match="no time left"):
        pipeline.publish(KEY, deadline=decode_slot.time.monotonic() + 0.05)

    assert len(pipeline.publish(KEY)) == 2
