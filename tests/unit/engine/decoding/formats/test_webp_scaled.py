"""`webp` gives what Pillow gives and a reduction makes of it, in less time and memory, or leaves the file to Pillow."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

import image_processor
from image_processor.engine.decoding.formats import webp_scaled

from ....pictures import decode, encode, photo, psnr

SIZE = (1001, 667)
ENVIRONMENT = {"PYTHONPATH": ":".join([str(Path(image_processor.__file__).parents[1]), *filter(None, sys.path)])}


def cut_out(size: tuple[int, int] = SIZE) -> Image.Image:
    """A disc of a photo; hidden around it, a colour that would be seen if it shone through."""
    image = photo(size)
    disc = Image.new("L", size)
    ImageDraw.Draw(disc).ellipse((size[0] // 5, size[1] // 7, size[0] - 90, size[1] - 40), 255)
    image.paste((255, 0, 255), mask=disc.point(lambda alpha: 255 - alpha))
    image.putalpha(disc)
    return image


SOURCES = {
    "lossy": encode(photo(SIZE), "webp", lossless=False, quality=90),
    "lossless": encode(photo(SIZE), "webp"),
    "lossy with alpha": encode(cut_out(), "webp", lossless=False, quality=90),
    "lossless with alpha": encode(cut_out(), "webp"),
}


def reduced(source: bytes, least: tuple[int, int]) -> Image.Image | None:
    done = webp_scaled.decode_scaled(source, least)
    return None if done is None else done[0]


def samples(image: Image.Image) -> Image.Image:
    """Premultiplied samples side by side, so that they can be compared as they are."""
    planes = [Image.frombytes("L", image.size, image.tobytes()[band :: len(image.getbands())]) for band in range(3)]
    return Image.merge("RGB", planes)


@pytest.mark.parametrize("name", SOURCES)
def test_whole_it_is_pillows_to_the_pixel(name: str) -> None:
    source = SOURCES[name]

    image = reduced(source, (600, 400))

    assert image is not None, "left to Pillow"
    expected = decode(source)
    if "alpha" in name:
        assert image.mode == "RGBa"
        assert image.getchannel(3).tobytes() == expected.getchannel("A").tobytes()
        assert (
            psnr(samples(image), samples(expected.convert("RGBa"))) > 55
        )  # a product's last digit is rounded otherwise
    else:
        assert image.mode == "RGB"
        assert image.tobytes() == expected.tobytes()


@pytest.mark.parametrize("size", [(166, 110), (125, 83), (100, 67), (47, 32)])
@pytest.mark.parametrize("name", SOURCES)
def test_nothing_to_be_seen_is_lost_from_three_times_the_size(name: str, size: tuple[int, int]) -> None:
    source = SOURCES[name]

    image, (across, down) = webp_scaled.decode_scaled(source, (3 * size[0], 3 * size[1]))

    assert image.width < SIZE[0]
    full = decode(source)
    full = full.convert("RGBa" if full.mode == "RGBA" else "RGB")
    expected = full.resize(size, Image.Resampling.LANCZOS)
    picture = image.resize(size, Image.Resampling.LANCZOS, box=(0, 0, SIZE[0] * across, SIZE[1] * down))
    assert picture.mode == expected.mode
    assert psnr(samples(picture), samples(expected)) >= 45


def test_a_hidden_colour_does_not_shine_through_edges() -> None:
    for name in ("lossy with alpha", "lossless with alpha"):
        image = reduced(SOURCES[name], (60, 40)).convert("RGBA")
        edge = [(red, green, blue) for red, green, blue, alpha in image.get_flattened_data() if 100 < alpha < 250]
        assert edge
        assert max(min(red, blue) - green for red, green, blue in edge) < 60, name  # 255 is the hidden colour


def test_an_odd_side_keeps_its_fraction() -> None:
    image, shares = webp_scaled.decode_scaled(SOURCES["lossy"], (300, 200))
    assert image.size == (334, 223)
    assert shares == (334 / 1001, 223 / 667)
    _, shares = webp_scaled.decode_scaled(SOURCES["lossy with alpha"], (300, 200))
    assert shares == (1 / 3, 1 / 3)


@pytest.mark.parametrize("name", SOURCES)
@pytest.mark.parametrize("share", [0, 0.001, 0.02, 0.5, 0.95])
def test_a_file_cut_short_is_left_to_pillow(name: str, share: float) -> None:
    source = SOURCES[name]
    assert reduced(source[: int(len(source) * share)], (100, 67)) is None


def test_an_animation_is_left_to_pillow() -> None:
    frames = [photo((120, 80)), photo((80, 120)).resize((120, 80))]
    source = encode(frames[0], "webp", save_all=True, append_images=frames[1:])
    assert reduced(source, (40, 30)) is None


def test_another_abi_is_left_to_pillow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webp_scaled, "_ABI_VERSION", 0x0309)
    assert reduced(SOURCES["lossy"], (100, 67)) is None


def test_without_the_library_all_is_left_to_pillow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webp_scaled, "library", lambda: None)
    assert reduced(SOURCES["lossy"], (100, 67)) is None


def test_the_library_is_the_one_that_pillow_decodes_with() -> None:
    from PIL import features

    version = webp_scaled.library().WebPGetDecoderVersion()
    assert f"{version >> 16}.{version >> 8 & 255}.{version & 255}" == features.version("webp")


@pytest.mark.slow
def test_threads_do_not_mix() -> None:
    tasks = [(source, least) for source in SOURCES.values() for least in ((300, 200), (100, 60))] * 4
    alone = [reduced(*task).tobytes() for task in tasks]

    with ThreadPoolExecutor(8) as threads:
        together = [image.tobytes() for image in threads.map(lambda task: reduced(*task), tasks)]

    assert together == alone


MUTATED = """
import io, random, sys
from PIL import Image, WebPImagePlugin
from image_processor.engine.decoding.formats import webp_scaled
taken = 0
chance = random.Random(5)
for path in sys.argv[1:]:
    whole = open(path, "rb").read()
    for _ in range(400):
        source = bytearray(whole)
        for _ in range(chance.randint(1, 4)):
            place = chance.choice((chance.randrange(8, 40), chance.randrange(len(source))))
            source[place] = chance.randrange(256)
        if chance.random() < 0.2:
            del source[chance.randrange(20, len(source)):]
        try:
            opened = Image.open(io.BytesIO(source), formats=["webp"])
        except Image.DecompressionBombError:
            continue
        except (OSError, SyntaxError, ValueError):
            opened = None
        if opened is None or opened.width * opened.height < 1e7:
            taken += webp_scaled.decode_scaled(bytes(source), (20, 20)) is not None
print(taken)
"""


def test_damage_is_never_fatal(tmp_path: Path) -> None:
    paths = []
    for name, image, lossless in [
        ("a", photo((97, 61)), False),
        ("b", cut_out((297, 261)), False),
        ("c", cut_out((297, 261)), True),
    ]:
        paths.append(tmp_path / name)
        paths[-1].write_bytes(encode(image, "webp", lossless=lossless))
    done = subprocess.run(
        [sys.executable, "-c", MUTATED, *paths], env=ENVIRONMENT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 50  # or nothing was decoded


PEAK = """
import resource, sys
from PIL import Image, WebPImagePlugin
from image_processor.engine.decoding.formats import webp_scaled
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform == "linux" else 1024**2)
source = open(sys.argv[1], "rb").read()
before = peak()
image, _ = webp_scaled.decode_scaled(source, (384, 288))
assert image.size == (400, 300)
print(peak() - before)
"""


def test_twelve_megapixels_take_a_few_megabytes(tmp_path: Path) -> None:
    (tmp_path / "source").write_bytes(
        encode(photo((1000, 750)).resize((4000, 3000)), "webp", lossless=False, quality=80, method=0)
    )
    done = subprocess.run(
        [sys.executable, "-c", PEAK, tmp_path / "source"], env=ENVIRONMENT, capture_output=True, text=True, check=True
    )
    assert float(done.stdout) < 12  # all pixels are 48
