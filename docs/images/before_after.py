"""Draw before-after.png for the README: what a phone stores, and what the engine makes of it.

    PYTHONPATH=src:deployment/local:docs/diagram .venv/bin/python docs/images/before_after.py

Both pictures and all numbers are real. The source is the sample of `make run`, shown as its file stores it: without its
EXIF orientation and without its colour profile. The renditions come from `image_processor.engine`, the captions from
the files themselves.
"""

import io
import tempfile
from pathlib import Path

import sample
from pen import FINE, Pen, length_of
from PIL import Image, ImageCms, ImageDraw

from image_processor.engine import Rendition, render
from image_processor.transformations import Transformation

OUTPUT = Path(__file__).with_name("before-after.png")
WIDTH, HEIGHT = 1280, 584
PAPER, LINE, INK, SOFT, ACCENT = "#F3F6FB", "#D8DFEA", "#1B2638", "#5A6579", "#7A3FF2"
RED, GREEN = "#B42318", "#11703B"
TOP, BOTTOM = 92, 432  # the pictures' upper and lower edge
SOURCE = (40, TOP, 267, BOTTOM)
# A rendition is shown at the size at which the engine made it: one pixel of it is one of the drawing.
LARGE, WIDE, SMALL = (
    "width=510",
    "width=230,height=130,position=attention,radius=16,format=webp",
    "width=128,height=128,fit=cover",
)
LEFT = {LARGE: (452, TOP), SMALL: (1010, TOP), WIDE: (1010, BOTTOM - 130)}
EXIF_IFD, GPS_IFD = 0x8769, 0x8825


def degrees(parts: tuple[float, float, float], hemisphere: str) -> str:
    """Return an angle as EXIF stores it in the way people write it."""
    whole, minutes, seconds = (round(float(part)) for part in parts)
    return f"{whole}° {minutes}' {seconds}\" {hemisphere}"


def about_source(body: bytes) -> list[tuple[str, str]]:
    """Return what the source's file holds, as pairs of name and value."""
    with Image.open(io.BytesIO(body)) as image:
        exif, profile, (width, height) = image.getexif(), image.info["icc_profile"], image.size
    details, gps = exif.get_ifd(EXIF_IFD), exif.get_ifd(GPS_IFD)
    return [
        ("pixels", f"{width} x {height}, EXIF orientation {exif[0x112]}"),
        ("colours", ImageCms.getProfileDescription(ImageCms.ImageCmsProfile(io.BytesIO(profile))).strip()),
        ("GPS", f"{degrees(gps[2], gps[1])}, {degrees(gps[4], gps[3])}"),
        ("camera", f"{exif[0x110]}, serial number {details[0xA431]}"),
    ]


def about_rendition(rendition: Rendition) -> list[tuple[str, str]]:
    """Return the same of a rendition; ends the program if it holds what the captions say that it does not."""
    with Image.open(io.BytesIO(rendition.body)) as image:
        if image.getexif() or "icc_profile" in image.info:
            raise SystemExit("before_after.py: the rendition has metadata")
    return [
        ("pixels", f"{rendition.width} x {rendition.height}, upright"),
        ("colours", "sRGB, converted by the source's profile"),
        ("GPS", "removed"),
        ("camera", "removed"),
    ]


def heading(pen: Pen, left: float, title: str, detail: str) -> None:
    """Write what a picture is, above it."""
    pen.text((left, 48), title, 26, INK, anchor="ls", bold=True)
    pen.text((left, 76), detail, 18, SOFT, anchor="ls")


def facts(pen: Pen, left: float, rows: list[tuple[str, str]], colour: str) -> None:
    """Write pairs of name and value below a picture."""
    for index, (name, value) in enumerate(rows):
        baseline = BOTTOM + 36 + 28 * index
        pen.text((left, baseline), name, 18, SOFT, anchor="ls")
        pen.text((left + 80, baseline), value, 18, colour, anchor="ls")


def arrow(pen: Pen) -> None:
    """Draw the engine between the two."""
    start, end, middle = SOURCE[2] + 34, LEFT[LARGE][0] - 34, (TOP + BOTTOM) / 2
    pen.line([(start, middle), (end - 16, middle)], 5, ACCENT)
    pen.shape([(end, middle), (end - 22, middle - 13), (end - 22, middle + 13)], ACCENT)
    label = "seconds later"
    pen.text(((start + end - length_of(label, 18)) / 2, middle - 20), label, 18, ACCENT, anchor="ls")


def kilobytes(body: bytes) -> str:
    """Return a length in the unit of the captions."""
    return f"{len(body) / 1000:.0f} kB"


def draw() -> Image.Image:
    """Return the composed picture, on a light card of its own so that it reads on a dark page too."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "sample.jpg"
        sample.save(file)
        source = file.read_bytes()
    rendered = render(source, [Transformation.parse(text) for text in LEFT])
    renditions = dict(zip(LEFT, rendered, strict=True))

    canvas = Image.new("RGBA", (WIDTH * FINE, HEIGHT * FINE))
    pen = Pen(ImageDraw.Draw(canvas))
    pen.box((0, 0, WIDTH - 1, HEIGHT - 1), 28, fill=PAPER, outline=LINE, width=2)
    heading(pen, SOURCE[0], "A phone uploads", f"one JPEG, {kilobytes(source)}")
    heading(pen, LEFT[LARGE][0], "CloudFront serves", f"{LARGE} · {kilobytes(renditions[LARGE].body)}")
    heading(pen, LEFT[SMALL][0], "", f"the variant thumbnail · {kilobytes(renditions[SMALL].body)}")
    wide = ("position=attention", f"radius=16, WebP · {kilobytes(renditions[WIDE].body)}")
    for index, line in enumerate(wide):
        pen.text((LEFT[WIDE][0], LEFT[WIDE][1] - 40 + 24 * index), line, 18, SOFT, anchor="ls")
    facts(pen, SOURCE[0], about_source(source), RED)
    facts(pen, LEFT[LARGE][0], about_rendition(renditions[LARGE]), GREEN)
    arrow(pen)
    canvas = canvas.resize((WIDTH, HEIGHT), Image.Resampling.BOX)

    with Image.open(io.BytesIO(source)) as stored:  # Pillow applies neither the orientation nor the profile
        size = (SOURCE[2] - SOURCE[0], SOURCE[3] - SOURCE[1])
        canvas.paste(stored.convert("RGB").resize(size, Image.Resampling.LANCZOS), SOURCE[:2])
    for text, rendition in renditions.items():
        with Image.open(io.BytesIO(rendition.body)) as image:
            canvas.paste(image, LEFT[text], image if image.mode == "RGBA" else None)
    return canvas


def with_few_colours(image: Image.Image) -> Image.Image:
    """Return the picture with a palette of 255 colours and one that is transparent: a fifth of the bytes."""
    flat = image.convert("RGB")
    palette = flat.quantize(255, Image.Quantize.MEDIANCUT, kmeans=1)
    few = flat.quantize(palette=palette, dither=Image.Dither.FLOYDSTEINBERG)
    few.putpalette([*(few.getpalette() or ())[: 255 * 3], 0, 0, 0])
    few.paste(255, mask=image.getchannel("A").point([255] * 128 + [0] * 128))
    few.info["transparency"] = 255
    return few


if __name__ == "__main__":
    with_few_colours(draw()).save(OUTPUT, optimize=True)
    print(f"{OUTPUT} ({OUTPUT.stat().st_size // 1000} kB)")
