"""`max_bytes` chooses the best quality that fits; `lossless` preserves every pixel."""

import pytest
from PIL import ImageChops

from image_processor.errors import InvalidTransformation

from ..pictures import decode, encode, make, noise, photo, psnr

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
