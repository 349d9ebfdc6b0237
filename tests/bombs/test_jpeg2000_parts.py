"""The precincts, code-blocks and packets of a JPEG 2000 are counted in all its headers, and bounded."""

import io
import sys
from math import ceil

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from image_processor.engine import memory_budget
from image_processor.engine.decoding.formats import jpeg2000_parts
from image_processor.engine.decoding.formats.jpeg2000_codestream import read_codestream
from image_processor.engine.decoding.formats.jpeg2000_parts import Axis, Parts
from image_processor.engine.limits import Limits
from image_processor.engine.render import render
from image_processor.errors import CorruptImage, SourceTooLarge, UnsupportedFormat
from image_processor.transformations.transformation import Transformation

from .confined import answer
from .jpeg2000 import COD, ONE, coc, cod, jpeg2000, part, segment

BLOCK, PRECINCT = jpeg2000_parts.BLOCK_BYTES, jpeg2000_parts.PRECINCT_BYTES


def parts(source: bytes) -> Parts:
    return read_codestream(source, Limits()).parts


def exact(axis: Axis, step: int, level: int, exponent: int) -> int:
    """The parts of each tile (B-12, B-15, B-16), one tile after the other."""
    found, side = 0, 1 << exponent
    for left in range(axis.tile_begin, axis.end, axis.tile):
        first, last = (
            ceil(ceil(max(axis.begin, min(axis.end, edge)) / step) / (1 << level)) for edge in (left, left + axis.tile)
        )
        found += ceil(last / side) - first // side if last > first else 0
    return found


@settings(max_examples=500, deadline=None, derandomize=True, database=None)
@given(
    begin=st.integers(0, 50),
    length=st.integers(1, 1000),
    tile=st.integers(1, 400),
    step=st.integers(1, 4),
    level=st.integers(0, 7),
    exponent=st.integers(0, 9),
)
def test_parts_are_counted_in_every_tile(begin, length, tile, step, level, exponent):
    axis = Axis(begin, begin + length, max(0, begin - tile + 1), tile)
    wanted = exact(axis, step, level, exponent)

    assert wanted <= axis.parts(step, level, exponent) <= 2 * wanted + 1


@pytest.mark.parametrize("exponent", [3, 6, 8, 15])
def test_parts_in_tiles_of_a_power_of_two_are_counted_exactly(exponent):
    axis = Axis(0, 8000, 0, 512)

    for level in range(6):
        assert axis.parts(1, level, exponent) == exact(axis, 1, level, exponent)


def test_a_precinct_and_a_block_in_each_sub_band_take_memory():
    whole, halved = parts(jpeg2000(64, 64)), parts(jpeg2000(64, 64, components=3, coding=cod(1)))

    assert whole == Parts(PRECINCT + BLOCK, 0)
    assert halved == Parts(3 * 4 * (PRECINCT + BLOCK), 1)


SMALL = cod(1, (0, 0), ((4, 4), (5, 5)))
PLACES = {
    "main header": {"coding": SMALL},
    "main header, after another": {"more": SMALL},
    "main header, of one component": {"more": coc(2, 1, (0, 0), ((4, 4), (5, 5)))},
    "a tile": {"parts": part(header=SMALL)},
    "another tile-part of a tile": {"parts": part() + part(header=SMALL)},
    "a tile, of one component": {"parts": part(header=coc(0, 1, (0, 0), ((4, 4), (5, 5))))},
    "a tile, after a comment that looks like the end of the header": {
        "parts": part(header=segment(0xFF64, b"\xff\x93") + SMALL)
    },
    "main header, after a marker without a length": {"more": b"\xff\x30" + SMALL},
    "main header, within another that is none": {"more": b"\xff\x52\x00\x0d" + SMALL},
}


@pytest.mark.parametrize("place", PLACES)
def test_a_coding_style_is_found_in_every_header(place):
    plain, other = parts(jpeg2000(256, 256, components=3)), parts(jpeg2000(256, 256, components=3, **PLACES[place]))

    assert other.memory > 20 * plain.memory


def test_what_is_no_coding_style_is_not_counted():
    plain = parts(jpeg2000(256, 256))
    long, short = segment(COD, SMALL[4:] + b"\0"), segment(COD, SMALL[4:-1])

    assert parts(jpeg2000(256, 256, more=segment(0xFF64, SMALL[:10]))) == plain
    assert parts(jpeg2000(256, 256, more=long)) == parts(jpeg2000(256, 256, more=short)) == plain


def test_parts_are_bounded(monkeypatch):
    source = jpeg2000(256, 256, components=3, coding=cod(0, (0, 0), ((4, 4),)))
    monkeypatch.setattr(jpeg2000_parts, "MAX_PARTS", 3 * (16**2 + 64**2))
    parts(source)
    monkeypatch.setattr(jpeg2000_parts, "MAX_PARTS", 3 * (16**2 + 64**2) - 1)

    with pytest.raises(SourceTooLarge, match="768 precincts and 12288 code-blocks of JPEG 2000, allowed: 13055 in all"):
        parts(source)


def test_packets_are_bounded_in_layers_and_in_the_places_of_precincts(monkeypatch):
    monkeypatch.setattr(jpeg2000_parts, "MAX_PACKETS", 6 * 64)
    parts(jpeg2000(64, 64, components=3, coding=cod(1, layers=64)))
    with pytest.raises(SourceTooLarge, match="390 packets of JPEG 2000, allowed: 384"):
        parts(jpeg2000(64, 64, components=3, coding=cod(1, layers=65)))
    with pytest.raises(SourceTooLarge, match="packets of JPEG 2000"):  # of 128 precincts, at 64×64 places
        parts(jpeg2000(64, 64, coding=cod(1, (0, 0), ((0, 15), (15, 1)), order=2)))


def test_coding_styles_are_bounded():
    layers = [cod(layers=number) for number in range(1, 300)]

    parts(jpeg2000(parts=part(header=b"".join(layers[:255]))))
    with pytest.raises(SourceTooLarge, match="more coding styles of JPEG 2000 than allowed: 256"):
        parts(jpeg2000(parts=part(header=b"".join(layers))))


def test_the_memory_of_parts_counts_against_that_of_the_function():
    source = jpeg2000(256, 256, coding=cod(0, (0, 0)))
    needed = memory_budget.RESERVED + len(source) + 25 * 256**2 + BLOCK * 64**2 + PRECINCT

    render(source, [Transformation(width=8)], Limits(memory=needed))
    with pytest.raises(SourceTooLarge, match="to decode 65536 pixels of jpeg2000 takes up to"):
        render(source, [Transformation(width=8)], Limits(memory=needed - 1))


@pytest.mark.parametrize(("components", "error"), [(5, UnsupportedFormat), (16_384, UnsupportedFormat)])
def test_more_than_four_components_are_refused(components, error):
    with pytest.raises(error, match=f"a JPEG 2000 of {components} components, allowed: JPEG"):
        parts(jpeg2000(components=components))


def test_a_component_without_samples_is_corrupt():
    with pytest.raises(CorruptImage, match="a component without samples"):
        parts(jpeg2000(steps=(0, 1)))


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="peaks of memory are read from Linux's /proc")
@pytest.mark.parametrize(
    "source",
    [
        jpeg2000(1000, 1000, coding=cod(0, (0, 0), ONE)),
        jpeg2000(1000, 1000, coding=cod(2, (0, 0), ((15, 15), (1, 1), (1, 1)))),
        jpeg2000(4000, 4000, coding=cod(0, (0, 0))),
        jpeg2000(2000, 2000, components=3, coding=cod(5, (0, 0))),
        jpeg2000(2000, 2000, coding=cod(0, (4, 4), ((2, 2),))),
        jpeg2000(3000, 3000, tile=(100, 100), coding=cod(0, (0, 0)), parts=b"".join(map(part, range(900)))),
    ],
)
def test_parts_take_no_more_memory_than_is_foreseen(source):
    codestream = read_codestream(source, Limits())

    done = answer(source, "width=16")

    assert done.outcome == "rendered", done.message
    foreseen = codestream.parts.memory + memory_budget.DECODING["jpeg2000"] * codestream.size[0] * codestream.size[1]
    assert done.megabytes * 1024**2 <= foreseen + 16 * 1024**2


@pytest.mark.parametrize("options", [
    {}, {"codeblock_size": (64, 64)}, {"codeblock_size": (32, 32)}, {"codeblock_size": (16, 16)},
    {"codeblock_size": (4, 4)}, {"precinct_size": (128, 128)}, {"precinct_size": (64, 64), "progression": "RPCL"},
    {"precinct_size": (256, 256), "progression": "PCRL"}, {"tile_size": (64, 64)}, {"num_resolutions": 1},
    {"quality_layers": [50, 20, 10, 5, 2, 1], "quality_mode": "rates", "irreversible": True},
])  # fmt: skip
@pytest.mark.parametrize("bare", [False, True])
def test_ordinary_pictures_are_rendered(options, bare):
    body = io.BytesIO()
    Image.effect_noise((600, 400), 50).convert("RGB").save(body, "jpeg2000", no_jp2=bare, **options)

    [rendition] = render(body.getvalue(), [Transformation(width=60)])

    assert (rendition.width, rendition.height) == (60, 40)
