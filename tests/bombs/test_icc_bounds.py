"""Of an ICC profile, only the tags of a conversion to sRGB are read, and each only if it is complete."""

import io
import struct

import pytest
from PIL import Image

from image_processor.engine import colour
from image_processor.engine.decoding.icc import of_cicp
from image_processor.engine.icc_bounds import reduced
from image_processor.engine.render import render
from image_processor.transformations.transformation import Transformation

from . import icc

P3 = of_cicp(12, 13, grey=False) or b""
COLOUR = (200, 100, 50)


def shown(profile: bytes, image_format: str = "png") -> tuple[int, ...]:
    """The colour that a picture of `COLOUR` is shown in."""
    body = io.BytesIO()
    Image.new("RGB", (16, 16), COLOUR).save(body, image_format, icc_profile=profile)
    [rendition] = render(body.getvalue(), [Transformation(width=8, format="png")])
    return Image.open(io.BytesIO(rendition.body)).getpixel((4, 4))


def names(profile: bytes) -> list[bytes]:
    (count,) = struct.unpack_from(">I", profile, 128)
    return [profile[offset : offset + 4] for offset in range(132, 132 + 12 * count, 12)]


def with_tag(profile: bytes, name: bytes, body: bytes) -> bytes:
    """The profile with one more tag, whose data is at its end."""
    (count,) = struct.unpack_from(">I", profile, 128)
    rows = b""
    for offset in range(132, 132 + 12 * count, 12):
        tag, start, length = struct.unpack_from(">4sII", profile, offset)
        rows += struct.pack(">4sII", tag, start + 12, length)
    end = len(profile) + 12
    rows += struct.pack(">4sII", name, end, len(body))
    whole = profile[4:128] + struct.pack(">I", count + 1) + rows + profile[132 + 12 * count :] + body
    return struct.pack(">I", end + len(body)) + whole


def test_only_the_tags_of_the_conversion_are_kept():
    whole = with_tag(P3, b"D2B1", icc.multi_process(3))

    kept = reduced(whole) or b""

    assert sorted(names(kept)) == sorted(set(names(P3)) - {b"wtpt"})
    assert int.from_bytes(kept[:4], "big") == len(kept) < len(P3)


def test_tags_that_share_their_data_share_it_again():
    shared = icc.lab(icc.table_of_bytes(4, 9), inputs=4, shared=(b"A2B1", b"B2A0"))

    assert names(reduced(shared) or b"") == [b"A2B0", b"A2B1", b"B2A0"]
    assert len(reduced(shared) or b"") == len(shared)


@pytest.mark.parametrize("name", icc.FLOAT_TAGS)
def test_multi_process_elements_are_ignored_as_in_browsers(name):
    inverting = icc.multi_process(1).replace(struct.pack(">f", 1), struct.pack(">f", -1))

    assert shown(with_tag(P3, name, inverting)) == shown(P3) != COLOUR
    assert shown(icc.profile([(name, inverting)])) == COLOUR


BLACK_TABLES = [
    icc.table_of_bytes(3, 5),
    icc.table_of_words(3, 256),
    icc.elements(3, b"\5\5\5", bytes(3 * 125)),
]


@pytest.mark.parametrize("table", BLACK_TABLES)
def test_a_complete_table_is_applied_and_one_that_is_cut_off_is_ignored(table):
    """The tables make every colour black."""
    assert shown(icc.lab(table)) != COLOUR
    assert shown(icc.lab(table[:-1])) == COLOUR


@pytest.mark.parametrize(
    "tag",
    [
        icc.table_of_bytes(5, 2),  # five channels
        icc.table_of_bytes(3, 255, complete=False),
        icc.table_of_words(3, 256)[:48] + b"\x80\0\x80\0" + bytes(600_000),  # 32,768 samples
        icc.elements(3, b"\xff\xff\xff", bytes(99)),
        icc.multi_process(1),
        b"mAB ",
    ],
)
def test_a_table_beyond_its_bounds_makes_the_profile_damaged(tag):
    assert reduced(icc.lab(tag)) is None


def test_the_number_of_tags_is_bounded():
    tags = [(b"%04d" % number, b"text") for number in range(94)]
    curve, column = icc.curve(2), b"XYZ " + bytes(16)
    needed = [(letter + name, curve if name == b"TRC" else column) for letter in (b"r", b"g", b"b")
              for name in (b"TRC", b"XYZ")]  # fmt: skip

    assert len(names(reduced(icc.profile(tags + needed)) or b"")) == 6
    assert reduced(icc.profile([*tags, *needed, (b"more", b"text")])) is None
    assert reduced(icc.profile([*needed, needed[0]])) is None  # twice


def test_the_cache_of_transforms_is_bounded_by_bytes_and_by_number():
    image = Image.new("RGB", (1, 1))
    long = [with_tag(P3, b"long", bytes(3_000_000) + bytes((number,))) for number in range(4)]
    short = [with_tag(P3, b"more", b"%d" % number) for number in range(30)]

    for profile in long:
        colour.to_srgb(image, profile)
        assert sum(len(kept) for kept, _ in colour._cache) <= colour.MAX_CACHED_BYTES
    for profile in short:
        colour.to_srgb(image, profile)

    assert [kept for kept, _ in colour._cache] == short[-colour.MAX_CACHED :]


def test_a_cached_transform_is_used_again(monkeypatch):
    image = Image.new("RGB", (1, 1), COLOUR)
    first = colour.to_srgb(image, P3).getpixel((0, 0))
    monkeypatch.setattr(colour, "_transform", None)

    assert colour.to_srgb(image, P3).getpixel((0, 0)) == first


@pytest.mark.parametrize("image_format", ["png", "jpeg", "webp", "tiff", "avif"])
def test_a_costly_profile_is_ignored_in_every_format(image_format):
    got = shown(icc.profile([(b"D2B1", icc.multi_process(80_000))]), image_format)

    assert max(abs(one - other) for one, other in zip(got, COLOUR, strict=True)) <= 6
