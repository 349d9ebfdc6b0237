"""The actual sides of AVIFs and HEICs are found, and what their decoders would decode is bounded."""

import struct

import pytest

from image_processor.engine.decoding.heif import av1, limits
from image_processor.engine.decoding.heif.samples import samples
from image_processor.engine.limits import Limits
from image_processor.engine.render import render
from image_processor.errors import CorruptImage, SourceTooLarge
from image_processor.transformations.transformation import Transformation

from . import bmff

HEADER, FRAME = 1, 6  # types of units


class Bits:
    """Writes bits as `av1` reads them."""

    def __init__(self) -> None:
        self.text = ""

    def put(self, *numbers: tuple[int, int]) -> "Bits":
        self.text += "".join(f"{number:0{bits}b}" for number, bits in numbers if bits)
        return self

    def unit(self, kind: int, *, extended: bool = False, sized: bool = True) -> bytes:
        text = self.text + "1"
        body = bytes(int(text[at : at + 8].ljust(8, "0"), 2) for at in range(0, len(text), 8))
        head = bytes((kind << 3 | extended << 2 | sized << 1,)) + (b"\x08" if extended else b"")
        length = bytes((len(body) & 0x7F | 0x80, len(body) >> 7)) if sized else b""  # one byte longer than necessary
        return head + length + body


def sequence(width: int, height: int, *, bits: int = 16, timed: bool = False, numbered: bool = False) -> bytes:
    header = Bits().put((0, 3), (0, 1), (0, 1))
    if timed:
        header.put((1, 1), (1, 32), (25, 32), (0, 1), (1, 1), (9, 5), (1, 32), (3, 5), (6, 5))
        header.put((1, 1), (1, 5))  # two operating points, one with all optional fields
        header.put((0, 12), (8, 5), (1, 1), (1, 1), (0, 10), (0, 10), (0, 1), (1, 1), (3, 4))
        header.put((0, 12), (4, 5), (0, 1), (0, 1))
    else:
        header.put((0, 1), (0, 1), (0, 5), (0, 12), (4, 5))
    header.put((bits - 1, 4), (bits - 1, 4), (width - 1, bits), (height - 1, bits))
    header.put((1, 1), (2, 4), (3, 3)) if numbered else header.put((0, 1))
    return header.put((0, 3), (0, 4), (1, 1), (0, 2), (1, 1), (1, 1), (6, 3)).unit(HEADER)


def frame(*, own_sides: bool, timed: bool = False, numbered: bool = False) -> bytes:
    """A key frame that is shown."""
    header = Bits().put((0, 1), (0, 2), (1, 1), (5, 7 if timed else 0), (0, 1), (1, 1), (0, 1))
    return header.put((77, 8 if numbered else 0), (own_sides, 1)).unit(FRAME, sized=False)


def stream(data: bytes) -> av1.Av1Stream:
    read = av1.Av1Stream()
    read.feed(memoryview(data))
    return read


@pytest.mark.parametrize("timed", [False, True])
@pytest.mark.parametrize("numbered", [False, True])
def test_a_stream_s_sides_are_its_header_s_and_those_that_a_frame_may_have(timed, numbered):
    header = sequence(300, 200, bits=11, timed=timed, numbered=numbered)

    plain = stream(header + frame(own_sides=False, timed=timed, numbered=numbered))
    own = stream(header + frame(own_sides=True, timed=timed, numbered=numbered))

    assert plain.declared == plain.possible == own.declared == (300, 200)
    assert own.possible == (2048, 2048)


def test_frames_are_counted_unless_they_are_shown_again():
    header, again = sequence(300, 200), Bits().put((1, 1), (2, 3)).unit(3)
    seen = Bits().put((0, 1), (0, 2), (1, 1), (0, 1), (1, 1), (0, 1), (0, 1)).unit(FRAME)

    assert stream(header).frames == 0
    assert stream(header + seen + again + seen + again).frames == 2


def test_the_longest_sides_of_all_headers_count():
    assert stream(sequence(300, 20) + sequence(10, 4000) + sequence(1, 1)).declared == (300, 4000)


@pytest.mark.parametrize("end", [0, 1, 5])
def test_what_follows_a_unit_that_is_cut_off_is_not_read(end):
    assert stream(sequence(300, 200) + sequence(4000, 4000)[:end]).declared == (300, 200)


def test_a_frame_before_any_header_is_refused():
    with pytest.raises(CorruptImage, match="without a sequence header"):
        stream(frame(own_sides=False))


def test_units_are_bounded():
    data = memoryview(b"\x12\0" * 100)

    assert av1.Av1Stream().feed(data, 100) == 100
    with pytest.raises(SourceTooLarge, match="too many pieces"):
        av1.Av1Stream().feed(data, 99)


@pytest.mark.parametrize("sides", [(1, 1), (16, 12), (17, 33), (640, 480), (3000, 2)])
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_the_sides_of_a_stream_by_libaom_are_read(sides, mode):
    still = bmff.coded(bmff.avif(*sides, mode), *sides)

    assert stream(still.data).declared == stream(still.data).possible == sides


@pytest.mark.parametrize(("least", "outcome"), [(72, None), (71, CorruptImage)])
def test_a_stream_may_be_larger_than_it_says_by_a_block(least, outcome):
    source = bmff.claiming(least, 200, bmff.avif(200, 200))

    if outcome is None:
        limits.read_items(source, Limits())
    else:
        with pytest.raises(outcome, match=f"{least}×200 pixels, and has 200×200"):
            limits.read_items(source, Limits())


@pytest.mark.parametrize("made", [bmff.avif, bmff.heic])
@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA"])
def test_a_picture_of_the_largest_size_allowed_is_rendered(made, mode):
    [rendition] = render(made(301, 203, mode), [Transformation(width=8)], Limits(max_pixels=301 * 203))

    assert (rendition.width, rendition.height) == (8, 5)


@pytest.mark.parametrize("name", ["meta", "iloc", "iprp", "ipco", "pitm", "iinf"])
def test_a_box_that_is_there_twice_is_refused(name):
    source = bmff.avif()

    with pytest.raises(CorruptImage, match=f"2 boxes {name} where one may be"):
        limits.read_items(doubled(source, name.encode()), Limits())


def doubled(source: bytes, name: bytes) -> bytes:
    out, offset = b"", 0
    while offset < len(source):
        size, found = struct.unpack_from(">I4s", source, offset)
        body = source[offset + 8 : offset + size]
        head = 4 if found == b"meta" else 0
        if found in (b"meta", b"iprp"):
            body = body[:head] + doubled(body[head:], name)
        out += bmff.box(found, body) * (1 + (found == name))
        offset += size
    return out


@pytest.mark.parametrize("table", [b"iloc", b"ipma", b"iinf"])
def test_a_table_that_is_cut_short_is_refused(table):
    source = bmff.avif()
    offset = source.index(table) + 8
    rows = {b"iloc": offset + 2, b"ipma": offset, b"iinf": offset}[table]
    more = source[:rows] + b"\xff\xff" + source[rows + 2 :]

    if table == b"iinf":  # its rows are boxes, and it says for itself how many
        limits.read_items(more, Limits())
    else:
        with pytest.raises(CorruptImage, match="ends before its last row"):
            limits.read_items(more, Limits())


def test_samples_lie_where_their_chunks_do():
    def full(name: bytes, *numbers: int, head: bytes = b"") -> bytes:
        return bmff.box(name, head + struct.pack(f">{len(numbers)}I", *numbers), 0)

    stbl = full(b"stco", 3, 0, 10, 20) + full(b"stsc", 2, 1, 2, 1, 3, 1, 1) + full(b"stsz", 0, 5, 1, 2, 3, 4, 5)
    source = memoryview(bytes(range(30)))

    found = [bytes(sample) for sample in samples(source, memoryview(stbl), 10)]

    assert found == [b"\0", b"\1\2", bytes((10, 11, 12)), bytes((13, 14, 15, 16)), bytes(range(20, 25))]
    assert len(list(samples(source, memoryview(stbl), 2))) == 2
