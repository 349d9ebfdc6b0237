"""`max_bytes` chooses the best quality that fits; `lossless` preserves every pixel."""

import pytest
from PIL import Image, ImageChops

from image_processor.engine import encode as engine_encode
from image_processor.errors import InvalidTransformation

from ..pictures import decode, encode, frames_of, make, noise, photo, psnr

SOURCE = encode(photo((400, 300)), "png")


@pytest.mark.parametrize("target", ["jpeg", "webp", "avif"])
def test_the_picture_has_the_best_quality_that_fits(target):
    best = {quality: len(make(SOURCE, f"format={target},quality={quality}").body) for quality in range(20, 61, 5)}
    most = (best[40] + best[45]) // 2

    body = make(SOURCE, f"format={target},max_bytes={most},quality=60").body

    assert best[40] <= len(body) <= most


@pytest.mark.parametrize("target", ["jpeg", "webp", "avif"])
def test_max_bytes_does_not_change_a_picture_that_fits(target):
    assert make(SOURCE, f"format={target},max_bytes=9999999").body == make(SOURCE, f"format={target}").body


def test_quality_bounds_the_quality_that_max_bytes_chooses():
    assert make(SOURCE, "format=jpeg,max_bytes=9999999,quality=30").body == make(SOURCE, "format=jpeg,quality=30").body


@pytest.mark.parametrize("target", ["jpeg", "webp", "avif"])
def test_a_picture_that_fits_at_no_quality_is_refused(target):
    with pytest.raises(InvalidTransformation, match=r"max_bytes: at quality 1 .* has \d+ bytes, allowed: 1000"):
        make(SOURCE, f"width=1600,enlarge=true,format={target},max_bytes=1000")


def test_max_bytes_applies_to_an_animation():
    frames = [noise((64, 64), seed=str(number)) for number in range(3)]
    source = encode(frames[0], "webp", save_all=True, append_images=frames[1:], duration=100)

    assert len(make(source, "format=webp,max_bytes=6000").body) <= 6000


def test_a_lossless_webp_preserves_every_pixel():
    image = noise((64, 48), "RGBA")
    image.putalpha(255)

    picture = decode(make(encode(image, "png"), "format=webp,lossless=true"))

    assert ImageChops.difference(picture.convert("RGB"), image.convert("RGB")).getbbox() is None
    assert psnr(decode(make(encode(image, "png"), "format=webp")), image) < 40


LARGE = encode(photo((1400, 1000)), "png")  # more pixels than are encoded at every quality


@pytest.fixture
def encodings(monkeypatch) -> list[tuple[int, int]]:
    """The sides of every picture that is encoded."""
    sizes = []
    saved = engine_encode._saved

    def counting(image, *options):
        sizes.append(image.size)
        return saved(image, *options)

    monkeypatch.setattr(engine_encode, "_saved", counting)
    return sizes


@pytest.mark.slow
@pytest.mark.parametrize("target", ["jpeg", "webp", "avif"])
@pytest.mark.parametrize("share", [0.9, 0.5, 0.2])
def test_a_large_picture_is_encoded_twice_and_fits_closely(encodings, target, share):
    whole = len(make(LARGE, f"format={target}").body)
    encodings.clear()

    most = max(30_000, int(whole * share))
    body = make(LARGE, f"format={target},max_bytes={most}").body

    assert 0.85 * most <= len(body) <= most
    assert encodings.count((1400, 1000)) <= 2
    assert all(width * height <= 1 << 20 for width, height in encodings if (width, height) != (1400, 1000))


@pytest.mark.parametrize("target", ["jpeg", "webp", "avif"])
def test_a_large_picture_that_fits_is_encoded_once(encodings, target):
    make(LARGE, f"format={target},max_bytes=99999999")

    assert encodings.count((1400, 1000)) == 1


def test_a_large_picture_that_fits_at_no_quality_is_refused_after_one_encoding(encodings):
    with pytest.raises(InvalidTransformation, match=r"max_bytes: at quality 1 .* has \d+ bytes, allowed: 1000"):
        make(LARGE, "format=jpeg,max_bytes=1000")

    assert encodings.count((1400, 1000)) == 1


def test_a_picture_whose_sample_misleads_still_fits(encodings):
    """All detail lies between the squares of the sample, or in them alone."""
    image = Image.new("L", (1400, 1000), 128)
    image.paste(noise((1400, 200), "L"), (0, 400))

    body = make(encode(image, "png"), "format=jpeg,max_bytes=30000").body

    assert len(body) <= 30_000
    assert encodings.count((1400, 1000)) <= 4


@pytest.mark.slow
@pytest.mark.parametrize("target", ["webp", "avif"])
def test_a_large_animation_is_sampled_in_every_frame(encodings, target):
    frames = [noise((400, 300), seed=str(number)) for number in range(12)]
    source = encode(frames[0], "webp", save_all=True, append_images=frames[1:], duration=100)

    body = make(source, f"format={target},max_bytes=400000").body

    assert 300_000 <= len(body) <= 400_000
    assert len(frames_of(body)) == 12
    assert encodings.count((400, 300)) <= 2
