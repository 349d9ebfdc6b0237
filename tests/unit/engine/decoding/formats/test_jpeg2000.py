"""JPEG 2000, as a file and as a codestream, is decoded at a fraction where that is enough, and in bounded time."""

import struct

import pytest
from PIL import Image, Jpeg2KImagePlugin

from image_processor.engine.decoding.formats import jpeg2000_codestream
from image_processor.engine.limits import Limits
from image_processor.errors import CorruptImage, SourceTooLarge

from ....pictures import assert_close, assert_corners, decode, encode, four_corners, make, photo, psnr
from ....profiles import DISPLAY_P3, in_srgb, rgb_profile, srgb_to_linear

BARE = {"no_jp2": True}
TILED = {"tile_size": (128, 128)}
LOSSY = {"irreversible": True, "quality_mode": "dB", "quality_layers": [40, 55]}


@pytest.mark.parametrize("options", [{}, BARE, TILED, LOSSY, {"progression": "RPCL"}, {"num_resolutions": 1}])
@pytest.mark.parametrize("transformation", ["format=png", "width=30,format=png", "width=200,height=150,format=png"])
def test_a_jpeg_2000_has_its_colours_in_the_right_corners(options, transformation):
    picture = decode(make(encode(four_corners((600, 400)), "jpeg2000", **options), transformation))

    assert_corners(picture, within=6)


@pytest.mark.slow
@pytest.mark.parametrize("options", [{}, BARE, TILED, LOSSY])
@pytest.mark.parametrize("size", [(1024, 768), (1001, 667)])
@pytest.mark.parametrize("width", [50, 128, 333])
def test_decoded_at_a_fraction_no_visible_detail_is_lost(options, size, width):
    image = photo(size)

    picture = decode(make(encode(image, "jpeg2000", **options), f"width={width},format=png"))

    assert psnr(picture, image.resize(picture.size, Image.Resampling.LANCZOS)) >= 42


@pytest.mark.slow
@pytest.mark.parametrize(
    ("transformation", "decoded"),
    [("width=128", (512, 384)), ("width=129", (1024, 768)), ("width=64", (256, 192)), ("", (1024, 768))],
)
def test_it_is_decoded_at_the_fraction_that_leaves_four_times_the_picture_s_size(monkeypatch, transformation, decoded):
    sizes = []
    load = Jpeg2KImagePlugin.Jpeg2KImageFile.load

    def noting(image):
        pixels = load(image)
        sizes.append(image.size)
        return pixels

    monkeypatch.setattr(Jpeg2KImagePlugin.Jpeg2KImageFile, "load", noting)

    make(encode(photo((1024, 768)), "jpeg2000"), transformation or "format=png")

    assert set(sizes) == {decoded}


@pytest.mark.parametrize(
    ("mode", "colour", "expected"),
    [
        ("L", 77, (77,)),
        ("I;16", 77 * 257, (77,)),
        ("RGBA", (200, 100, 50, 128), (200, 100, 50, 128)),
        ("LA", (77, 128), (77, 128)),
    ],
)
@pytest.mark.parametrize("options", [{}, BARE])
def test_every_mode_has_its_colours(mode, colour, expected, options):
    picture = decode(make(encode(Image.new(mode, (64, 64), colour), "jpeg2000", **options), "width=16,format=png"))

    got = picture.getpixel((8, 8))
    assert_close(got if isinstance(got, tuple) else (got,), expected, within=1)


def with_profile(source: bytes, profile: bytes) -> bytes:
    """The JP2 with its colours told by a profile instead of a number."""
    offset = source.index(b"colr") - 4
    old = int.from_bytes(source[offset : offset + 4], "big")
    new = struct.pack(">I4sBBB", 11 + len(profile), b"colr", 2, 0, 0) + profile
    header = source.index(b"jp2h") - 4
    length = int.from_bytes(source[header : header + 4], "big") + len(new) - old
    return source[:header] + struct.pack(">I", length) + source[header + 4 : offset] + new + source[offset + old :]


def test_the_profile_of_a_jp2_is_applied():
    source = encode(Image.new("RGB", (64, 64), (200, 100, 50)), "jpeg2000")

    picture = decode(make(with_profile(source, rgb_profile(DISPLAY_P3, None)), "width=16,format=png"))

    assert_close(picture.getpixel((8, 8)), in_srgb((200, 100, 50), DISPLAY_P3, srgb_to_linear), within=2)


@pytest.mark.parametrize("offset", [(1, 1), (3, 2), (100, 50)])
def test_a_picture_that_does_not_begin_at_the_origin_is_not_shifted(offset):
    image = photo((1001, 667))

    picture = decode(make(encode(image, "jpeg2000", offset=offset, tile_size=(1200, 900)), "width=50,format=png"))

    assert psnr(picture, image.resize((50, 33), Image.Resampling.LANCZOS)) >= 42


@pytest.mark.parametrize("options", [{}, BARE])
def test_too_many_tiles_are_refused(options):
    source = encode(Image.new("L", (600, 600)), "jpeg2000", tile_size=(4, 4), num_resolutions=1, **options)

    with pytest.raises(SourceTooLarge, match="22500 tiles, allowed: 16384"):
        make(source, "width=9")


def test_two_sizes_are_corrupt():
    source = encode(Image.new("L", (64, 64)), "jpeg2000")
    offset = source.index(b"ihdr") + 4

    with pytest.raises(CorruptImage, match="two sizes"):
        make(source[:offset] + struct.pack(">II", 32, 32) + source[offset + 8 :], "width=9")


@pytest.mark.parametrize("options", [{}, BARE])
def test_a_claim_of_huge_sides_is_refused(options):
    source = encode(Image.new("L", (64, 64)), "jpeg2000", **options)
    offset = source.index(b"\xff\x4f\xff\x51") + 8
    claim = struct.pack(">6I", 60_000, 60_000, 0, 0, 60_000, 60_000)  # its sides, its left top, its one tile's sides

    with pytest.raises(SourceTooLarge, match="60000×60000"):
        make(source[:offset] + claim + source[offset + 24 :], "width=9")


def test_too_many_pixels_to_decode_are_refused_unless_a_smaller_picture_is_asked_for(monkeypatch):
    source = encode(photo((400, 300)), "jpeg2000")
    monkeypatch.setattr(jpeg2000_codestream, "MAX_PIXELS", 30_000)

    assert make(source, "width=200").width == 200  # at half its size, though a larger one would be better
    assert make(source, "width=60").width == 60
    with pytest.raises(SourceTooLarge, match="ask for a smaller picture"):
        make(source, "width=201")


def test_too_many_bytes_to_decode_are_refused_unless_a_smaller_picture_is_asked_for(monkeypatch):
    source = encode(photo((400, 300)), "jpeg2000")
    monkeypatch.setattr(jpeg2000_codestream, "MAX_BYTES", len(source) // 3)

    assert make(source, "width=100").width == 100
    with pytest.raises(SourceTooLarge, match="ask for a smaller picture"):
        make(source, "format=png")


@pytest.mark.parametrize("options", [{}, BARE])
@pytest.mark.parametrize("length", [20, 60, 100, 120])
def test_a_codestream_that_ends_in_its_header_is_corrupt(options, length):
    with pytest.raises(CorruptImage):
        make(encode(Image.new("L", (64, 64)), "jpeg2000", **options)[:length], "width=9", Limits())
