"""Draws scenes with a known subject, and crops them at it."""

import random

import pytest
from PIL import Image, ImageDraw, ImageOps

from image_processor.engine.smart_crop import find_anchor

METHODS = ("entropy", "attention")
WIDE, TALL = (144, 96), (96, 144)
SQUARE = {WIDE: (2 / 3, 1.0), TALL: (1.0, 2 / 3)}  # the share of a square crop
GREY = (118, 122, 126)
SKINS = {"light": (234, 192, 168), "tan": (198, 134, 94), "dark": (92, 58, 40)}
CORNERS = {  # the left top corner of a subject of 40×40
    "left": (WIDE, (8, 28)),
    "right": (WIDE, (96, 28)),
    "top": (TALL, (28, 8)),
    "bottom": (TALL, (28, 96)),
}
both = pytest.mark.parametrize("method", METHODS)
everywhere = pytest.mark.parametrize(("size", "corner"), CORNERS.values(), ids=CORNERS)


def noise(size, dark=(20, 20, 20), light=(235, 235, 235), grain=2, seed=0):
    """Random blotches of `grain` pixels, from a dark to a light colour; the same for the same seed."""
    width, height = -(-size[0] // grain), -(-size[1] // grain)
    grey = Image.frombytes("L", (width, height), random.Random(seed).randbytes(width * height))  # noqa: S311
    return ImageOps.colorize(grey.resize(size, Image.Resampling.BICUBIC), dark, light)


def gradient(size, top, bottom):
    return ImageOps.colorize(Image.linear_gradient("L").resize(size), top, bottom)


def draw_face(image, corner, skin):
    x, y = corner
    draw = ImageDraw.Draw(image)
    draw.ellipse((x, y, x + 30, y + 40), fill=skin)
    for eye in (x + 9, x + 21):
        draw.ellipse((eye - 2, y + 14, eye + 2, y + 17), fill=(30, 25, 20))
    draw.line((x + 10, y + 31, x + 20, y + 31), fill=(150, 60, 60), width=2)


def crop(image, visible, method):
    """The left, top, right and bottom of the crop, in pixels."""
    anchor = find_anchor(image, visible, method)
    left, top = (side * (1 - share) * at for side, share, at in zip(image.size, visible, anchor, strict=True))
    return left, top, left + image.width * visible[0], top + image.height * visible[1]


def assert_crop_contains(image, subject, method, visible=None):
    left, top, right, bottom = crop(image, visible or SQUARE[image.size], method)
    assert left <= subject[0]
    assert top <= subject[1]
    assert subject[2] <= right + 1e-9
    assert subject[3] <= bottom + 1e-9


def boxed(corner, width=40, height=40):
    return (*corner, corner[0] + width, corner[1] + height)
