"""Draws the sample picture that `make run` uploads: `python deployment/local/sample.py OUTPUT.jpg`.

A sunrise over a mountain lake, the same at every run, drawn with Pillow alone and so free of other people's rights.
It is stored as a camera stores a photo, with everything the function has to handle: on its side (EXIF orientation 6),
in Display P3 colours, and with a location, a time and a serial number in its EXIF.
"""

import math
import random
import struct
import sys
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from typing import Any

from PIL import Image, ImageChops, ImageCms, ImageDraw, ImageFilter

Point = tuple[float, float]
Size = tuple[int, int]
WIDTH, HEIGHT, WATER = 3000, 2000, 1270  # the lake begins at row WATER
SUN = (1610, 985)

# Gradient stops of the sky: the height between its top (0) and the water (1), and the colour there.
DAWN = "0 22 34 84, .22 52 58 124, .42 122 84 148, .58 206 106 134, .7 248 150 112, .8 255 196 128, 1 255 226 170"
# Far to near: roughness, colour at the top and at the water, height of the firs, share of snow; then the outline's x y.
RIDGES = (
    ".16 222 132 128 255 206 150 0 0",
    "0 930, 420 820, 760 900, 1180 940, 1500 1040, 1900 1030, 2300 880, 2640 800, 3000 900",
    ".2 126 76 126 238 160 138 0 .62",
    "0 980, 380 860, 700 700, 900 560, 1030 400, 1150 590, 1300 800, 1480 1000, 1650 1130, 2000 1180, 3000 1200",
    ".18 96 60 120 216 134 134 0 .4",
    "0 1500, 1480 1320, 1780 1120, 2050 960, 2270 790, 2420 700, 2560 810, 2760 760, 3000 640",
    ".14 58 42 94 150 92 124 32 0",
    "0 760, 260 850, 560 960, 860 1060, 1120 1150, 1330 1215, 1500 1262, 1700 1400, 3000 1800",
    ".13 44 34 82 122 76 116 40 0",
    "0 1800, 1500 1500, 1700 1300, 1760 1262, 1980 1200, 2260 1130, 2520 1010, 2760 940, 3000 850",
)
FIRS = "40 1180, 330 1010, 470 620, 590 760, 715 420, 830 280, 2960 1240, 2830 900, 2700 1060, 2470 800, 2340 360"
BIRDS = "1900 556 26, 1985 478 40, 2070 424 46, 2066 548 30, 2168 486 36, 2246 412 34, 2320 500 26"
BOAT = (
    "-50 -11, -46 -9, -30 -5, 0 -3, 30 -5, 46 -10, 52 -13, 46 2, 34 9, -28 9, -42 3",
    "-10 -2, -9 -16, -4 -21, -6 -24, -5 -25, -4 -30, 2 -31, 5 -26, 9 -24, 3 -22, 8 -13, 18 -9, 18 -6, 7 -8, 9 -2",
    "6 -12, 62 11, 70 14, 61 14, 4 -9",
)


def rows(text: str) -> list[Any]:
    """Read points, or other rows of numbers."""
    return [tuple(map(float, row.split())) for row in text.split(",")]


def fractal(size: Size, cells: Size, octaves: int, rng: random.Random) -> Image.Image:
    """Return grey clouds: random cells, then ones half as wide and half as strong, and so on."""
    coarse = (size[0] // 3, size[1] // 3)  # nine times fewer pixels; clouds have no edges to lose
    clouds = Image.new("L", coarse, 128)
    for octave in range(octaves):
        count = (cells[0] << octave, cells[1] << octave)
        layer = Image.frombytes("L", count, rng.randbytes(count[0] * count[1]))
        share = 0.5**octave / sum(0.5**step for step in range(octave + 1))
        clouds = Image.blend(clouds, layer.resize(coarse, Image.Resampling.BICUBIC), share)
    return clouds.resize(size, Image.Resampling.BILINEAR)


def levels(image: Image.Image, low: float, high: float, top: float = 255) -> Image.Image:
    """Stretch the greys from `low` to `high` over 0 to `top`, gently at both ends; `low` above `high` inverts."""
    steps = [min(1.0, max(0.0, (grey - low) / (high - low))) for grey in range(256)]
    return image.point([round(top * step * step * (3 - 2 * step)) for step in steps])


def slope(size: Size) -> Image.Image:
    """Return a mask that is 0 at the top and 255 at the bottom."""
    return Image.linear_gradient("L").resize((1, size[1])).resize(size, Image.Resampling.NEAREST)


def gradient(size: Size, stops: list[tuple[float, ...]]) -> Image.Image:
    """Return a vertical gradient through stops of height, red, green and blue."""
    column = Image.new("RGB", (1, size[1]))
    for row in range(size[1]):
        at = row / (size[1] - 1)
        before, after = next(pair for pair in pairwise(stops) if at <= pair[1][0])
        share = (at - before[0]) / (after[0] - before[0])
        red, green, blue = (round(a + (b - a) * share) for a, b in zip(before[1:], after[1:], strict=True))
        column.putpixel((0, row), (red, green, blue))
    return column.resize(size, Image.Resampling.NEAREST)


def glow(centre: Size, reach: Size, size: Size, power: float, most: float = 255) -> Image.Image:
    """Return a mask that fades from `most` at the centre to nothing at `reach` across and up."""
    # Pillow's gradient is 180 where it meets the edge of its square.
    fade = [round(most * max(0.0, 1 - grey / 180) ** power) for grey in range(256)]
    spot = Image.radial_gradient("L").point(fade).resize((reach[0] * 2, reach[1] * 2), Image.Resampling.BICUBIC)
    left, top = reach[0] - centre[0], reach[1] - centre[1]
    return spot.crop((left, top, left + size[0], top + size[1]))


def crag(line: list[Point], rough: float, rng: random.Random) -> list[Point]:
    """Roughen a line: move the middle of each piece by a share of its length, eight times over."""
    for _ in range(8):
        finer = [line[0]]
        for (x1, y1), (x2, y2) in pairwise(line):
            finer += [((x1 + x2) / 2, (y1 + y2) / 2 + rng.uniform(-rough, rough) * (x2 - x1)), (x2, y2)]
        line = finer
    return line


def silhouette(size: Size, shapes: list[list[Point]]) -> Image.Image:
    """Return a mask of filled shapes with smooth edges."""
    mask = Image.new("L", (size[0] * 2, size[1] * 2))
    draw = ImageDraw.Draw(mask)
    for shape in shapes:
        draw.polygon([(x * 2, y * 2) for x, y in shape], fill=255)
    return mask.reduce(2)


def sky(rng: random.Random) -> Image.Image:
    """Return dawn down to the water: deep blue to gold, clouds lit from below, the sun."""
    size = (WIDTH, WATER)
    picture, warmth = gradient(size, rows(DAWN)), Image.new("RGB", size)
    warmth.paste((150, 66, 30), mask=glow(SUN, (2100, 900), size, 1.6))
    picture = ImageChops.screen(picture, warmth)
    anywhere = ImageChops.multiply(levels(slope(size), 10, 90), levels(slope(size), 225, 165))
    near_sun = ImageChops.multiply(anywhere, glow(SUN, (1500, 640), size, 0.8))
    for cells, low, colour, top, where in (
        ((3, 9), 130, (84, 62, 124), 170, anywhere),
        ((3, 14), 136, (255, 138, 122), 215, anywhere),
        ((5, 20), 138, (255, 176, 130), 235, near_sun),
    ):
        clouds = levels(fractal(size, cells, 6, rng), low, low + 44, top)
        picture.paste(colour, mask=ImageChops.multiply(clouds, where))
    picture.paste((255, 214, 140), mask=glow(SUN, (760, 640), size, 2.2, 235))
    picture.paste((255, 246, 214), mask=glow(SUN, (230, 230), size, 1.6))
    disc = [(SUN[0] + 74 * math.cos(turn / 40), SUN[1] + 74 * math.sin(turn / 40)) for turn in range(252)]
    picture.paste((255, 252, 236), mask=silhouette(size, [disc]))
    return picture


def ridge(picture: Image.Image, look: str, shape: str, rng: random.Random) -> None:
    """Draw a range of mountains: rock, snow, firs, light on the sun's side, mist at its foot."""
    (rough, *colours, firs, snow), size = rows(look)[0], picture.size
    line = crag(rows(shape), rough, rng)
    peak = round(min(y for _, y in line) - firs * 2)
    shapes = [[*line, (WIDTH, WATER), (0, WATER)]]
    for x, y in rng.sample(line, 620 if firs else 0):
        tall = firs * rng.uniform(0.4, 1.5)
        shapes.append([(x - tall * 0.22, y + 8), (x, y - tall), (x + tall * 0.22, y + 8)])
    mask = silhouette(size, shapes)
    below = (0, -peak, WIDTH, WATER - peak)  # moves a layer that was drawn from the peak down to its height
    stops = [(0, *colours[:3]), (0.5, *colours[:3]), (1, *colours[3:])]
    land = gradient((WIDTH, WATER - peak), stops).crop(below)
    rock = fractal(size, (30, 8), 5, rng)
    relief = ImageChops.subtract(rock, ImageChops.offset(rock, 10, 4), 0.7, 128)
    if snow:
        fall = levels(slope((WIDTH, 430)), 255, 20).crop(below)
        drifts = ImageChops.add(relief, fall, 1.6, -round(140 - 60 * snow))
        land.paste((255, 206, 196), mask=levels(drifts, 100, 124, 235))
    land.paste((40, 22, 72), mask=levels(relief, 124, 180, 105))
    land.paste((255, 186, 150), mask=levels(relief, 132, 76, 40 if firs else 85))
    if not firs:
        inside = ImageChops.offset(mask.reduce(4), -8, 3).filter(ImageFilter.GaussianBlur(6)).resize(size)
        shine = glow(SUN, (1500, 1100), size, 0.8, 200)
        land.paste((255, 190, 138), mask=ImageChops.multiply(levels(inside, 255, 90), shine))
    picture.paste(land, mask=mask)
    mist = levels(fractal(size, (3, 6), 3, rng), 90, 190, 190)
    picture.paste((255, 204, 176), mask=ImageChops.multiply(mist, levels(slope(size), 200, 255)))


def in_perspective(flat: Image.Image, size: Size) -> Image.Image:
    """Return a surface seen from a low viewpoint: the farther away rows are, the closer they are to each other."""
    near = pairwise(size[1] * step // 40 for step in range(41))
    far = pairwise(flat.height * (1 - 10 / (10 + step)) * 5 / 4 for step in range(41))
    right = flat.width
    bands = [((0, a, size[0], b), (0, c, 0, d, right, d, right, c)) for (a, b), (c, d) in zip(near, far, strict=True)]
    return flat.transform(size, Image.Transform.MESH, bands, Image.Resampling.BILINEAR)


def lake(land: Image.Image, rng: random.Random) -> Image.Image:
    """Return the water: the land upside down, broken by ripples that grow towards the viewer, and the sun's path."""
    size = (WIDTH, HEIGHT - WATER)
    water = land.transpose(Image.Transpose.FLIP_TOP_BOTTOM).resize(size, box=(0, 0, WIDTH, WATER * 0.86))
    water = water.filter(ImageFilter.BoxBlur((9, 2)))
    depth = slope(size)
    for shift, cells in ((54, (9, 120)), (30, (16, 190)), (16, (24, 260))):
        ripples = in_perspective(fractal((WIDTH, 1500), cells, 3, rng), size)
        moved = water.resize(size, Image.Resampling.BILINEAR, (0, 0, WIDTH, size[1] - shift))
        water.paste(moved, mask=levels(ripples, 110, 146))
        water.paste((24, 20, 66), mask=ImageChops.multiply(levels(ripples, 124, 186, 120), levels(depth, 0, 160)))
    water.paste((28, 24, 72), mask=levels(depth, -60, 320, 170))
    path = Image.new("L", (300, 73))
    ImageDraw.Draw(path).polygon([(154, -9), (168, -9), (190, 80), (132, 80)], fill=255)
    path = path.filter(ImageFilter.GaussianBlur(7)).resize(size, Image.Resampling.BICUBIC)
    glints = in_perspective(fractal((WIDTH, 1500), (56, 330), 3, rng), size)
    water.paste((255, 160, 104), mask=ImageChops.multiply(levels(glints, 60, 170, 190), path))
    sun = glow((SUN[0], 250), (300, 150), size, 0.9)
    water.paste((255, 232, 180), mask=ImageChops.multiply(levels(glints, 70, 130), sun))
    water.paste((255, 236, 190), mask=ImageChops.multiply(levels(glints, 132, 160), path))
    water.paste((255, 218, 184), mask=levels(depth, 26, -6, 190))
    return water


def fir(x: float, foot: float, tall: float, rng: random.Random) -> list[Point]:
    """Return a fir's outline: boughs that hang, wider towards the foot."""
    tiers, trunk = max(8, round(tall / 24)), tall * 0.014
    sides: dict[int, list[Point]] = {-1: [], 1: []}
    for way, side in sides.items():
        for tier in range(1, tiers + 1):
            at = (tier - rng.uniform(0, 0.5)) / tiers
            y, reach = foot - tall * (1 - at * 0.94), tall * 0.2 * at**0.8 * rng.uniform(0.62, 1.1) * way
            side += [(x + reach, y + tall * 0.014), (x + reach * 0.5, y), (x + reach * 0.36, y - 6)]
        side += [(x + trunk * way, foot - tall * 0.06), (x + trunk * way, foot + 40)]
    return [(x, foot - tall), *sides[1], *reversed(sides[-1])]


def bird(x: float, y: float, wing: float, rng: random.Random) -> list[Point]:
    """Return a bird's outline: two bent wings that taper to their tips."""
    lift, lean = rng.uniform(0.25, 0.75), rng.uniform(-0.2, 0.2)
    outline: list[Point] = []
    for step in [*range(-10, 11), *range(10, -11, -1)]:  # along the top, and back below
        out, thick = abs(step) / 10, 0.17 if len(outline) > 20 else 0
        arch = lift * math.sin(out * 2.2) * 0.8 - lean * step / 10 - thick * (1 - out) ** 0.7
        outline.append((x + wing * step / 10, y - wing * arch))
    return outline


def foreground(picture: Image.Image, rng: random.Random) -> None:
    """Draw the silhouettes: the boat, firs, grass, birds."""
    boat = [[(1440 + x * 2, 1600 + y * 2) for x, y in rows(part)] for part in BOAT]
    mirrored = silhouette(picture.size, [[(x, 3236 - y) for x, y in part] for part in boat])
    picture.paste((30, 20, 58), mask=levels(mirrored.filter(ImageFilter.BoxBlur((7, 4))), 0, 255, 190))
    picture.paste((22, 15, 42), mask=silhouette(picture.size, boat))
    left = crag(rows("-40 1620, 330 1710, 700 1830, 980 1950, 1120 2020"), 0.06, rng)
    right = crag(rows("2060 2020, 2240 1930, 2560 1820, 3040 1690"), 0.06, rng)
    shapes = [[*left, (-40, 2020)], [*right, (3040, 2020)]]
    for x, tall in rows(FIRS):
        foot = min((abs(x - at), y) for at, y in left + right)[1]
        shapes.append(fir(x, foot + 14, tall, rng))
    for x, y in rng.choices(left + right, k=1300):
        lean, tall = rng.uniform(-16, 16), rng.uniform(10, 52)
        shapes.append([(x - 3, y + 12), (x + lean, y - tall), (x + 3, y + 12)])
    shapes += [bird(x, y, wing, rng) for x, y, wing in rows(BIRDS)]
    picture.paste((20, 14, 40), mask=silhouette(picture.size, shapes))


def draw() -> Image.Image:
    """Return the picture, upright, in sRGB."""
    rng = random.Random(20)  # noqa: S311 (nothing secret: a seed that draws well)
    land = sky(rng)
    for look, shape in zip(RIDGES[::2], RIDGES[1::2], strict=True):
        ridge(land, look, shape, rng)
    picture = land.crop((0, 0, WIDTH, HEIGHT))
    picture.paste(lake(land, rng), (0, WATER))
    foreground(picture, rng)
    grain = Image.frombytes("L", picture.size, rng.randbytes(WIDTH * HEIGHT)).point([grey // 43 for grey in range(256)])
    return ImageChops.add(picture, Image.merge("RGB", (grain,) * 3), 1, -3)  # hides the steps of 8-bit gradients


def display_p3() -> bytes:
    """Return a version 2 ICC profile (ICC.1:2001-04) of Display P3: P3's primaries, D65 white, sRGB's curve."""

    def xyz(*values: float) -> bytes:
        return struct.pack(">4s4x3i", b"XYZ ", *(round(value * 65536) for value in values))

    greys = [step / 1023 for step in range(1024)]
    light = (grey / 12.92 if grey <= 0.04045 else ((grey + 0.055) / 1.055) ** 2.4 for grey in greys)
    curve = struct.pack(">4s4xI1024H", b"curv", 1024, *(round(part * 65535) for part in light))
    tags = {
        b"desc": struct.pack(">4s4xI11s78x", b"desc", 11, b"Display P3"),
        b"cprt": b"text\0\0\0\0No copyright\0",
        b"wtpt": xyz(0.95046, 1, 1.08906),
        b"rXYZ": xyz(0.51512, 0.2412, -0.00105),  # the primaries, adapted from D65 to D50 by Bradford's matrix
        b"gXYZ": xyz(0.29198, 0.69225, 0.04189),
        b"bXYZ": xyz(0.1571, 0.06657, 0.78407),
    } | dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve)
    data, index = b"", struct.pack(">I", len(tags))
    for name, value in tags.items():
        index += name + struct.pack(">2I", 132 + 12 * len(tags) + len(data), len(value))
        data += value + bytes(-len(value) % 4)
    kind, day, white = b"mntrRGB XYZ ", (2026, 1, 1, 0, 0, 0), xyz(0.9642, 1, 0.8249)[8:]  # D50
    head = struct.pack(">8xI12s6H4s24xI12s", 0x02100000, kind, *day, b"acsp", 1, white)  # 1: relative colorimetric
    profile = head.ljust(128, b"\0") + index + data
    return struct.pack(">I", len(profile)) + profile[4:]


def save(path: Path) -> None:
    """Write the picture as a camera would: a JPEG on its side, in Display P3, with private data in its EXIF."""
    profile = display_p3()
    widen = ImageCms.buildTransform(ImageCms.createProfile("sRGB"), BytesIO(profile), "RGB", "RGB")
    picture = widen.apply(draw()).transpose(Image.Transpose.ROTATE_90)  # orientation 6: show it turned clockwise
    exif = Image.Exif()
    exif.update({0x10F: "Sample Camera Works", 0x110: "Sunrise 6", 0x112: 6, 0x132: "2026:06:21 05:41:00"})
    exif.get_ifd(0x8769).update({0x9003: "2026:06:21 05:41:00", 0xA430: "A Photographer", 0xA431: "SN-0042"})
    exif.get_ifd(0x8825).update({1: "N", 2: (46.0, 0.0, 48.0), 3: "E", 4: (7.0, 48.0, 1.0)})
    picture.save(path, "JPEG", quality=90, exif=exif, icc_profile=profile)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python deployment/local/sample.py OUTPUT.jpg")
    save(Path(sys.argv[1]))
