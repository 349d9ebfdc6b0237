"""A source is rendered while its bytes arrive, with the same outcome as from all of them."""

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from image_processor.engine.decoding.streaming_file import PIECE, StreamingFile
from image_processor.engine.limits import Limits
from image_processor.engine.render import render
from image_processor.errors import CorruptImage, SourceTooLarge, Unavailable
from image_processor.transformations.transformation import Transformation

from ...pictures import SOURCE_FORMATS, encode, four_corners, make, noise

WANTED = Transformation.parse("width=30,format=png")


class Trickle:
    """A stream that gives a few bytes at a time, fewer than asked for."""

    def __init__(self, body: bytes, most: int = 1000, fails_at: int | None = None) -> None:
        self._file, self._most, self._fails_at = io.BytesIO(body), most, fails_at
        self.given = 0

    def read(self, size: int, /) -> bytes:
        if self._fails_at is not None and self.given >= self._fails_at:
            raise Unavailable("S3 can't be reached; try again later")
        piece = self._file.read(min(size, self._most))
        self.given += len(piece)
        return piece


@pytest.mark.parametrize("image_format", SOURCE_FORMATS)
def test_the_outcome_is_that_of_all_bytes_at_once(image_format):
    source = encode(noise((300, 200)), image_format)

    [rendition] = render(Trickle(source), [WANTED])

    assert rendition == make(source, str(WANTED))


def test_a_jpeg_is_decoded_before_its_last_bytes_are_here():
    source = encode(noise((600, 400)), "jpeg", quality=90)
    stream = Trickle(source + bytes(5 * PIECE), most=PIECE)  # what follows the picture

    render(stream, [WANTED])

    assert stream.given < len(source) + 2 * PIECE


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.99])
@pytest.mark.parametrize("image_format", ["jpeg", "png"])
def test_a_stream_that_fails_is_not_taken_for_a_damaged_source(image_format, share):
    source = encode(noise((600, 400)), image_format)

    with pytest.raises(Unavailable, match="S3 can't be reached"):
        render(Trickle(source, fails_at=int(share * len(source))), [WANTED])


@pytest.mark.parametrize("error", [ConnectionResetError(104, "reset"), TimeoutError(), ValueError("closed")])
@pytest.mark.parametrize("image_format", ["jpeg", "png"])
def test_a_stream_s_own_error_is_not_taken_for_a_damaged_source(image_format, error):
    class Failing(Trickle):
        def read(self, size: int, /) -> bytes:
            if self.given > 20_000:
                raise error
            return super().read(size)

    with pytest.raises(Unavailable, match="the source stopped on its way"):
        render(Failing(encode(noise((600, 400)), image_format)), [WANTED])


def test_a_source_that_ends_too_early_is_corrupt():
    source = encode(noise((600, 400)), "jpeg")

    with pytest.raises(CorruptImage):
        render(Trickle(source[: len(source) // 2]), [WANTED])


def test_a_stream_longer_than_allowed_is_given_up_there():
    stream = Trickle(encode(noise((600, 400)), "bmp"), most=PIECE)

    with pytest.raises(SourceTooLarge, match=r"the source has \d+ bytes, allowed: 100000"):
        render(stream, [WANTED], Limits(max_bytes=100_000))

    assert stream.given <= 100_000 + PIECE


@given(
    st.binary(max_size=400),
    st.integers(1, 50),
    st.lists(st.tuples(st.sampled_from(["read", "seek", "end"]), st.integers(0, 450)), max_size=12),
)
def test_it_reads_and_seeks_as_a_file_does(body, most, steps):
    file, arriving = io.BytesIO(body), StreamingFile(Trickle(body, most), Limits())

    for step, number in steps:
        match step:
            case "read":
                assert arriving.read(number) == file.read(number)
            case "seek":
                assert arriving.seek(number) == file.seek(number)
            case _:
                assert arriving.seek(0, io.SEEK_END) == file.seek(0, io.SEEK_END)
        assert arriving.tell() == file.tell()
    assert arriving.read() == file.read()


@settings(max_examples=30)
@given(st.integers(2, 400), st.integers(2, 400), st.integers(1, 3000))
def test_pictures_of_every_size_arrive_in_pieces_of_any_size(width, height, most):
    source = encode(four_corners((width, height)), "jpeg", quality=60)

    assert render(Trickle(source, most), [WANTED]) == [make(source, str(WANTED))]
