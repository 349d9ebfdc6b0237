"""`png` gives the very pixels of Pillow, in a fraction of its time and memory, or leaves the file to Pillow."""

import random
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from PIL import Image

import image_processor
from image_processor.engine.decoding.formats import png_bands
from image_processor.engine.decoding.modes import resizable

from ....pictures import decode, encode, noise, photo

SIZE = (331, 203)
PALETTE = photo(SIZE).quantize(200)
COLOURS = PALETTE.convert("RGB")
RUN = [sys.executable, "-c"]
ENVIRONMENT = {"PYTHONPATH": ":".join([str(Path(image_processor.__file__).parents[1]), *filter(None, sys.path)])}


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def written(
    size: tuple[int, int], bits: int, colour_type: int, rows: bytes, interlace: int = 0, extra: bytes = b""
) -> bytes:
    header = struct.pack(">IIBBBBB", *size, bits, colour_type, 0, 0, interlace)
    parts = (chunk(b"IHDR", header), extra, chunk(b"IDAT", zlib.compress(rows)), chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def random_rows(size: tuple[int, int], pixel_bytes: int, filters: bytes = b"\0\1\2\3\4") -> bytes:
    source = random.Random(size[0] * pixel_bytes)  # noqa: S311 - the same each time
    return b"".join(
        filters[row % len(filters)].to_bytes(1, "big") + source.randbytes(size[0] * pixel_bytes)
        for row in range(size[1])
    )


SOURCES: dict[str, Callable[[], bytes]] = {
    "grey": lambda: encode(noise(SIZE, "L"), "png"),
    "grey, one shade transparent": lambda: encode(noise(SIZE, "L"), "png", transparency=7),
    "grey with alpha": lambda: encode(noise(SIZE, "LA"), "png"),
    "colour": lambda: encode(photo(SIZE), "png"),
    "colour, one transparent": lambda: encode(COLOURS, "png", transparency=COLOURS.getpixel((9, 9))),
    "colour with alpha": lambda: encode(noise(SIZE, "RGBA"), "png"),
    "palette": lambda: encode(PALETTE, "png"),
    "palette with alpha": lambda: encode(PALETTE, "png", transparency=bytes(range(200))),
    "grey of 16 bits": lambda: written(SIZE, 16, 0, random_rows(SIZE, 2)),
    "colour of 16 bits": lambda: written(SIZE, 16, 2, random_rows(SIZE, 6)),
    "colour with alpha of 16 bits": lambda: written(SIZE, 16, 6, random_rows(SIZE, 8)),
    "every filter, grey": lambda: written(SIZE, 8, 0, random_rows(SIZE, 1)),
    "every filter, grey with alpha": lambda: written(SIZE, 8, 4, random_rows(SIZE, 2)),
    "every filter, colour": lambda: written(SIZE, 8, 2, random_rows(SIZE, 3)),
    "every filter, colour with alpha": lambda: written(SIZE, 8, 6, random_rows(SIZE, 4)),
    "a gamma and chromaticities": lambda: written(
        SIZE, 8, 2, random_rows(SIZE, 3), extra=chunk(b"gAMA", struct.pack(">I", 100000))
    ),
}  # fmt: skip


@pytest.fixture(autouse=True)
def _small_pictures_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(png_bands, "_LEAST_PIXELS", 1)
    monkeypatch.setattr(png_bands, "_BAND_BYTES", 20_000)  # so that these have many bands


def reduced(source: bytes, least: tuple[int, int] = (60, 60)) -> Image.Image | None:
    from io import BytesIO

    done = png_bands.decode_reduced(source, Image.open(BytesIO(source)), least, lambda image: resizable(image, None))
    return None if done is None else done[0]


@pytest.mark.parametrize("least", [(60, 60), (331, 203), (100, 25), (1, 1), (1000, 1000)])
@pytest.mark.parametrize("name", SOURCES)
def test_the_pixels_are_pillows(name: str, least: tuple[int, int]) -> None:
    source = SOURCES[name]()

    image = reduced(source, least)

    factors = (max(1, 331 // least[0]), max(1, 203 // least[1]))
    expected = resizable(decode(source), None).reduce(factors)
    assert image is not None, "left to Pillow"
    assert (image.mode, image.size) == (expected.mode, expected.size)
    assert image.tobytes() == expected.tobytes()


def test_the_shares_of_the_sides_have_their_fractions() -> None:
    from io import BytesIO

    source = encode(photo(SIZE), "png")
    _, shares = png_bands.decode_reduced(source, Image.open(BytesIO(source)), (100, 25), lambda image: image)
    assert shares == (1 / 3, 1 / 8)


@pytest.mark.parametrize("data", [b"", b"\0" * 5, b"trailing"])
def test_what_follows_the_pixels_does_not_matter(data: bytes) -> None:
    assert reduced(SOURCES["colour"]() + data) is not None


@pytest.mark.parametrize("piece", [1, 7, 8192])
def test_idat_may_be_cut_anywhere(piece: int) -> None:
    rows = zlib.compress(random_rows(SIZE, 1))
    idat = b"".join(chunk(b"IDAT", rows[at : at + piece]) for at in range(0, min(len(rows), piece * 60_000), piece))
    rest = chunk(b"IDAT", rows[piece * 60_000 :])
    whole = written(SIZE, 8, 0, random_rows(SIZE, 1))
    source = whole[:33] + idat + rest + chunk(b"IEND", b"")

    image, expected = reduced(source), reduced(whole)

    assert image is not None
    assert image.tobytes() == expected.tobytes()


ROWS = random_rows(SIZE, 3)
STREAM = zlib.compress(ROWS)


def with_stream(stream: bytes) -> bytes:
    return written(SIZE, 8, 2, b"")[:33] + chunk(b"IDAT", stream) + chunk(b"IEND", b"")


UNUSUAL = {
    "interlaced": written(SIZE, 8, 2, ROWS, interlace=1),
    "animated": written(SIZE, 8, 2, ROWS, extra=chunk(b"acTL", struct.pack(">II", 1, 0))),
    "4 bits": written(SIZE, 4, 0, random_rows((166, 203), 1)),
    "a row too few": written(SIZE, 8, 2, ROWS[: -SIZE[0] * 3 - 1]),
    "a byte too few": written(SIZE, 8, 2, ROWS[:-1]),
    "a byte too many": written(SIZE, 8, 2, ROWS + b"\0"),
    "an unknown filter": written(SIZE, 8, 2, random_rows(SIZE, 3, b"\0\1\2\3\4\5")),
    "a wrong checksum": with_stream(STREAM[:-1] + bytes([STREAM[-1] ^ 1])),
    "no checksum": with_stream(STREAM[:-4]),
    "a broken stream": with_stream(STREAM[:9000] + b"\xff" * 9 + STREAM[9009:]),
    "no pixels": written(SIZE, 8, 2, b""),
    "a stream without end, one byte a chunk": written(SIZE, 8, 2, b"")[:33] + chunk(b"IDAT", b"") * 70_000,
}


@pytest.mark.parametrize("name", UNUSUAL)
def test_the_unusual_and_the_damaged_are_left_to_pillow(name: str) -> None:
    assert reduced(UNUSUAL[name]) is None


@pytest.mark.parametrize("share", [0.02, 0.3, 0.6, 0.9, 0.99])
def test_a_file_cut_short_is_left_to_pillow(share: float) -> None:
    source = SOURCES["colour"]()
    assert reduced(source[: max(60, int(len(source) * share))]) is None


def test_a_small_picture_is_left_to_pillow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    assert reduced(SOURCES["colour"]()) is None


def test_without_its_packages_all_is_left_to_pillow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "puhu._core", None)
    assert reduced(SOURCES["colour"]()) is None


def test_threads_do_not_mix() -> None:
    sources = [SOURCES[name]() for name in ("colour", "every filter, colour", "grey", "colour with alpha")] * 8
    alone = [reduced(source).tobytes() for source in sources]

    with ThreadPoolExecutor(8) as threads:
        together = [image.tobytes() for image in threads.map(reduced, sources)]

    assert together == alone


MUTATED = """
import io, random, struct, sys, zlib
from PIL import Image, PngImagePlugin
from image_processor.engine.decoding.formats import png_bands
png_bands._LEAST_PIXELS = 1
whole, taken = open(sys.argv[1], "rb").read(), 0
rows, stride = bytearray(zlib.decompress(whole[41:-16])), 97 * 3 + 1
chance = random.Random(5)
for _ in range(1500):
    source = bytearray(whole)
    if chance.random() < 0.3:  # pixels and filters, with all checksums right
        rows[chance.randrange(len(rows)) // stride * stride] = chance.randrange(6)
        data = b"IDAT" + zlib.compress(rows, 1)
        source[33:-12] = struct.pack(">I", len(data) - 4) + data + zlib.crc32(data).to_bytes(4, "big")
    for _ in range(chance.randint(0, 3)):
        place = chance.choice((chance.randrange(8, 60), chance.randrange(len(source))))
        source[place] = chance.randrange(256)
    if chance.random() < 0.2:
        del source[chance.randrange(60, len(source)):]
    source = bytes(source)
    try:
        opened = Image.open(io.BytesIO(source))
    except (OSError, SyntaxError, ValueError):
        continue
    if opened.width * opened.height > 1e6:
        continue
    done = png_bands.decode_reduced(source, opened, (20, 20), lambda image: image)
    if done is not None:
        taken += 1
        pillow = Image.open(io.BytesIO(source))
        pillow.load()
        assert done[0].tobytes() == pillow.reduce((pillow.width // 20, pillow.height // 20)).tobytes()
print(taken)
"""


def test_damage_is_never_fatal_nor_a_different_picture(tmp_path: Path) -> None:
    rows = b"".join(b"\2" + noise((97, 1), seed=str(row)).tobytes() for row in range(61))
    (tmp_path / "source").write_bytes(written((97, 61), 8, 2, rows))
    done = subprocess.run(
        [*RUN, MUTATED, tmp_path / "source"], env=ENVIRONMENT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 20  # or nothing was compared


PEAK = """
import io, resource, sys
from PIL import Image, PngImagePlugin
import isal.isal_zlib, puhu._core
from image_processor.engine.decoding.formats import png_bands
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform == "linux" else 1024**2)
source = open(sys.argv[1], "rb").read()
before = peak()
image, _ = png_bands.decode_reduced(source, Image.open(io.BytesIO(source)), (384, 288), lambda image: image)
assert image.size == (400, 300)
print(peak() - before)
"""


@pytest.mark.slow
def test_twelve_megapixels_take_a_few_megabytes(tmp_path: Path) -> None:
    (tmp_path / "source").write_bytes(encode(photo((1000, 750)).resize((4000, 3000)), "png", compress_level=1))
    done = subprocess.run(
        [*RUN, PEAK, tmp_path / "source"], env=ENVIRONMENT, capture_output=True, text=True, check=True
    )
    assert float(done.stdout) < 12  # all pixels are 48
