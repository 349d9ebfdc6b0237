"""A picture that is decoded while it is downloaded: what the way does to it is never taken for the picture's fault."""

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
NOISE = Image.effect_noise((600, 400), 90).convert("RGB")  # over 64 KiB, so that it comes in several pieces
KINDS = {kind: encode(NOISE, kind) for kind in ("jpeg", "png", "webp")}
KINDS["progressive"] = encode(NOISE, "jpeg", progressive=True)
JPEG = KINDS["jpeg"]


@pytest.fixture
def company(monkeypatch):
    """Other sources are worked on at the same time, so that this one is read ahead."""
    original = decode_slot.DecodeSlot.__init__

    def beside_another(self):
        original(self)
        self._in_progress = 1

    monkeypatch.setattr(decode_slot.DecodeSlot, "__init__", beside_another)


@pytest.fixture(params=["alone", "in company"])
def either_way(request):
    if request.param == "in company":
        request.getfixturevalue("company")


@pytest.mark.usefixtures("either_way")
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_picture_is_published(new_pipeline, s3, kind):
    s3.upload(KEY, KINDS[kind])

    assert len(new_pipeline().publish(KEY)) == 2

    assert not s3.open_bodies


@pytest.mark.usefixtures("either_way")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("share", [0, 0.01, 0.5, 0.99])
def test_a_download_that_ends_early_is_tried_again_and_publishes_nothing(new_pipeline, s3, table, kind, share):
    etag = s3.upload(KEY, KINDS[kind])
    pipeline = new_pipeline()
    s3.objects[UPLOADS, KEY].arrives = round(len(KINDS[kind]) * share)

    with pytest.raises(Unavailable, match="S3 broke a download off; try again later"):
        pipeline.publish(KEY)

    assert s3.renditions() == {}
    assert not table.items
    assert not s3.open_bodies
    s3.objects[UPLOADS, KEY].arrives = len(KINDS[kind])
    pipeline.publish(KEY)
    assert s3.renditions() == {f"{KEY}/thumbnail": etag, f"{KEY}/wide": etag}


@pytest.mark.usefixtures("either_way")
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
def test_a_download_that_fails_is_tried_again_and_publishes_nothing(new_pipeline, s3, table, failure, nth, request):
    if nth == 2 and "in company" in request.node.name:
        nth = 1  # read ahead, it is one piece
    s3.upload(KEY, JPEG)
    s3.fail("read", nth, failure)

    with pytest.raises(Unavailable, match="S3 can't be reached; try again later"):
        new_pipeline().publish(KEY)

    assert s3.renditions() == {}
    assert not table.items


def test_a_failure_is_remembered_whoever_swallowed_it(s3):
    s3.upload(KEY, JPEG)
    source = SourceBucket(s3, UPLOADS).get(KEY)
    s3.fail("read", 1, ConnectionResetError("peer"))

    for _ in range(2):
        with pytest.raises(Unavailable):
            source.body.read(10)


def test_a_picture_is_taken_for_corrupt_only_when_all_of_it_came(new_pipeline, s3, monkeypatch):
    s3.upload(KEY, JPEG)
    s3.objects[UPLOADS, KEY].arrives = len(JPEG) - 1

    def render(source, *_):
        source.read(10)
        raise CorruptImage("the source can't be decoded")

    monkeypatch.setattr(rendition_writer, "render_each", render)

    with pytest.raises(Unavailable):
        new_pipeline().publish(KEY)


def test_a_picture_is_published_only_when_all_of_it_came(new_pipeline, s3):
    s3.upload(KEY, JPEG + bytes(100_000))  # the decoder is done before the download is
    s3.objects[UPLOADS, KEY].arrives = len(JPEG) + 50_000

    with pytest.raises(Unavailable):
        new_pipeline().publish(KEY)

    assert s3.renditions() == {}


def test_alone_a_picture_is_decoded_while_it_comes(new_pipeline, s3, monkeypatch):
    s3.upload(KEY, JPEG)
    reads = []
    render = rendition_writer.render_each
    monkeypatch.setattr(rendition_writer, "render_each", lambda *a: (reads.append(s3.count("read")), render(*a))[1])

    new_pipeline().publish(KEY)

    assert reads == [0]
    assert s3.count("read") > 1


@pytest.mark.usefixtures("company")
@pytest.mark.parametrize(("room", "ahead"), [(len(JPEG), True), (len(JPEG) - 1, False)])
def test_in_company_it_is_read_before_its_turn_as_far_as_that_fits(new_pipeline, s3, monkeypatch, room, ahead):
    monkeypatch.setattr(decode_slot, "READ_AHEAD", room)
    s3.upload(KEY, JPEG)
    pipeline, reads, left = new_pipeline(), [], []
    render = rendition_writer.render_each

    def rendering(*arguments):
        reads.append(s3.count("read"))
        left.append(pipeline._decode_slot._read_ahead_left)
        return render(*arguments)

    monkeypatch.setattr(rendition_writer, "render_each", rendering)

    pipeline.publish(KEY)

    assert reads == [1 if ahead else 0]
    assert left == [0 if ahead else room]
    assert pipeline._decode_slot._read_ahead_left == room


@pytest.mark.parametrize("left", [-1.0, decode_slot.DECODE_SECONDS - 1])
def test_a_source_is_not_begun_that_can_not_be_done_in_time(pipeline, s3, table, left):
    s3.upload(KEY, JPEG)

    with pytest.raises(Unavailable, match="there is no time left for this source; try again later"):
        pipeline.publish(KEY, deadline=decode_slot.time.monotonic() + left)

    assert s3.renditions() == {}
    assert not table.items
    assert not s3.open_bodies


def test_who_waits_for_the_pixels_waits_no_longer_than_there_is_time(new_pipeline, s3, monkeypatch):
    monkeypatch.setattr(decode_slot, "DECODE_SECONDS", 0.0)
    s3.upload(KEY, JPEG)
    pipeline = new_pipeline()
    with pipeline._decode_slot._slot, pytest.raises(Unavailable, match="no time left"):
        pipeline.publish(KEY, deadline=decode_slot.time.monotonic() + 0.05)

    assert len(pipeline.publish(KEY)) == 2
