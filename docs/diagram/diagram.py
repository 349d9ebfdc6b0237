"""Draw architecture-diagram.png, the picture of the stack in README.md and docs/architecture.md: `make diagram`.

Everything is drawn from lines, circles and boxes with Pillow and the font it carries, so that any machine draws the
same picture. Lengths are pixels of the finished picture, which is twice as wide as a README shows it. Icons are
drawn on a square whose sides run from -50 to 50, in the colours AWS gives its categories.
"""

import math
from pathlib import Path

from pen import FINE, Box, Pen, Point, length_of
from PIL import Image, ImageDraw

OUTPUT = Path(__file__).resolve().parents[2] / "architecture-diagram.png"
WIDTH, HEIGHT = 1760, 1016

INK, SOFT, FAINT, LINE = "#1B2638", "#526077", "#8592A6", "#D9E0EA"
PAPER, WHITE = "#F3F6FA", "#FFFFFF"
STORAGE, COMPUTE, DATABASE = "#5F8A0C", "#E56A00", "#B41FBC"
MESSAGES, NETWORK, WATCH, PEOPLE = "#D9126F", "#7A3FF2", "#D9126F", "#475569"


# An icon is a list of marks: kind, line width or corner radius, white or the tile's colour, then x y of each point.
BUCKET = """
    shape 0 white -28 -20 28 -20 20 25 -20 25; oval 0 white -20 18 20 32; oval 0 white -28 -29 28 -11;
    oval 0 tile -22 -25.5 22 -14.5"""
ICONS = {
    "upload bucket": BUCKET + "; line 6 tile 0 -8 0 18; line 6 tile -9 9.5 0 19 9 9.5",
    "processed bucket": BUCKET
    + "; box 4 tile -15 -4 15 21; shape 0 white -10 17 -3 6 2 12 5 9 10 17; oval 0 white 3 0 9 6",
    "queue": """
        line 5 white -31 -21 31 -21; line 5 white -31 21 31 21; box 3 white -32 -11 -14 11; box 3 white -9 -11 9 11;
        box 3 white 14 -11 32 11; line 3 tile -28 -5 -23 0 -18 -5; line 3 tile -5 -5 0 0 5 -5;
        line 3 tile 18 -5 23 0 28 -5""",
    "dead letter": "box 5 white -29 -20 29 20; line 6 tile -9 -9 9 9; line 6 tile -9 9 9 -9",
    "lambda": "line 8 white -15 -27 -8 -27 15 27 21 27; line 8 white -2 -9 -18 27",
    "table": """
        box 6 white -28 -26 28 26; box 3 tile -22 -21 22 -15; line 4.5 tile -22 -6 -10 -6; line 4.5 tile 0 -6 22 -6;
        line 4.5 tile -22 6 -10 6; line 4.5 tile 0 6 22 6; line 4.5 tile -22 18 -10 18; line 4.5 tile 0 18 22 18""",
    "globe": """
        oval 0 white -31 -31 31 31; oval 0 tile -26 -26 26 26; oval 0 white -15 -29 15 29; oval 0 tile -10 -27 10 27;
        line 4.5 white -27 0 27 0; line 4.5 white 0 -27 0 27""",
    "edge": "line 6.5 white -27 -14 -6 -14 8 14 27 14; shape 0 white 20 2 33 14 20 26; oval 0 white -33 -20 -21 -8",
    "gateway": "line 6.5 white -15 -17 -31 0 -15 17; line 6.5 white 15 -17 31 0 15 17; line 6.5 white 6 -23 -6 23",
    "bell": """
        oval 0 white -20 -26 20 14; shape 0 white -20 -6 20 -6 22 12 29 19 -29 19 -22 12; oval 0 white -4 -32 4 -22;
        oval 0 white -7 18 7 31""",
    "page": """
        box 6 white -23 -29 23 29; line 5 tile -12 -16 12 -16; line 5 tile -12 -5 4 -5; line 5 tile -12 6 12 6;
        line 5 tile -12 17 -2 17""",
    "terminal": "box 6 white -30 -24 30 24; line 6 tile -17 -9 -7 1 -17 11; line 6 tile 0 12 17 12",
    "camera": """
        box 7 white -31 -17 31 24; shape 0 white -14 -15 -8 -26 8 -26 14 -15; oval 0 tile -14 -11 14 17;
        oval 0 white -8 -5 8 11""",
    "people": """
        oval 0 white 3 -25 21 -7; box 12 white -6 -1 31 21; oval 0 tile -23 -29 9 3; box 17 tile -33 -2 19 30;
        oval 0 white -18 -24 4 -2; box 13 white -28 3 14 25""",
}


def tile(pen: Pen, centre: Point, size: float, icon: str, colour: str) -> None:
    """Draw an icon in white on a tile of its category's colour."""
    square = pen.at(centre, size)
    square.box((-50, -50, 50, 50), 22, fill=colour)
    for mark in ICONS[icon].split(";"):
        kind, width, ink, *numbers = mark.split()
        fill = WHITE if ink == "white" else colour
        points = list(zip(map(float, numbers[::2]), map(float, numbers[1::2]), strict=True))
        match kind:
            case "line":
                square.line(points, float(width), fill)
            case "shape":
                square.shape(points, fill)
            case "oval":
                square.oval((*points[0], *points[1]), fill=fill)
            case "box":
                square.box((*points[0], *points[1]), float(width), fill=fill)


def toggle(pen: Pen, x: float, y: float) -> None:
    """Draw a switch that is on, its left end at x."""
    pen.box((x, y - 10, x + 36, y + 10), 10, fill=NETWORK)
    pen.oval((x + 18, y - 8, x + 34, y + 8), fill=WHITE)


def frame(pen: Pen, box: Box, switch: str = "") -> None:
    """Draw a part's frame; one that a parameter can switch off is dashed, with the parameter's name on its edge."""
    left, top, right, bottom = box
    pen.box((left, top + 3, right, bottom + 5), 20, fill="#E9EDF3")
    pen.box(box, 20, fill=WHITE, outline=NETWORK if switch else LINE, width=3 if switch else 2)
    if not switch:
        return
    for x in range(round(left) + 26, round(right) - 32, 16):
        for edge in (top, bottom - 4):
            pen.box((x, edge, x + 6, edge + 4), fill=WHITE)
    for y in range(round(top) + 26, round(bottom) - 30, 16):
        for side in (left, right - 4):
            pen.box((side, y, side + 4, y + 6), fill=WHITE)
    tag(pen, ((left + right) / 2, top - 3), switch)


def tag(pen: Pen, centre: Point, switch: str) -> None:
    """Draw the name of the parameter that switches a part off, on the part's edge or arrow."""
    x, y = centre
    half = length_of(switch, 21) / 2 + 34
    pen.box((x - half, y - 17, x + half, y + 17), 17, fill=WHITE, outline=NETWORK, width=2)
    toggle(pen, x - half + 10, y)
    pen.text((x - half + 54, y), switch, 21, NETWORK, anchor="lm")


def card(pen: Pen, centre: Point, icon: str, colour: str, lines: tuple[str, str, str], switch: str = "") -> None:
    """Draw a part of the main path: icon, name, service, what it does."""
    x, y = centre
    frame(pen, (x - 125, y - 112, x + 125, y + 112), switch)
    tile(pen, (x, y - 43), 88, icon, colour)
    pen.text((x, y + 37), lines[0], 29, INK, bold=True)
    pen.text((x, y + 66), lines[1], 23, colour)
    pen.text((x, y + 94), lines[2], 23, SOFT)


def strip(pen: Pen, box: Box, icon: str, colour: str, lines: tuple[str, ...], switch: str | None = "") -> None:
    """Draw a part with its icon on the left, its name and one or two lines on the right; without a frame if None."""
    left, top, _right, bottom = box
    if switch is not None:
        frame(pen, box, switch)
    size, middle = bottom - top - 28, (top + bottom) / 2
    tile(pen, (left + 14 + size / 2, middle), size, icon, colour)
    start = middle - 15 * (len(lines) - 1)
    for row, line in enumerate(lines):
        fill = INK if row == 0 else colour if row == len(lines) - 2 else SOFT
        point = (left + size + 32, start + 30 * row)
        pen.text(point, line, 27 if row == 0 else 22.5, fill, anchor="lm", bold=row == 0)


def outsider(pen: Pen, centre: Point, icon: str, name: str) -> None:
    """Draw someone or something outside the stack."""
    tile(pen, centre, 88, icon, PEOPLE)
    pen.text((centre[0], centre[1] + 78), name, 27, INK, bold=True)


def arrow(pen: Pen, *points: Point, both: bool = False, main: bool = False) -> None:
    """Draw an arrow along the points, with heads at its end or at both ends."""
    fill, width = (INK, 5) if main else (FAINT, 4)
    path = list(points)
    for end, before in ((-1, -2), (0, 1)) if both else ((-1, -2),):
        (x, y), (from_x, from_y) = path[end], path[before]
        turn = math.atan2(y - from_y, x - from_x)
        across, along = math.sin(turn), math.cos(turn)
        wings = [(x - 18 * along - way * across, y - 18 * across + way * along) for way in (-10, 10)]
        pen.shape([(x, y), *wings], fill)
        path[end] = (x - 15 * along, y - 15 * across)
    pen.line(path, width, fill)


def label(pen: Pen, centre: Point, text: str, step: int = 0, behind: str = WHITE) -> None:
    """Write on an arrow: the step's number on it, the words above it or, without a number, across it."""
    x, y = centre
    if step:
        pen.oval((x - 21, y - 21, x + 21, y + 21), fill=INK, outline=behind, width=4)
        pen.text((x, y), str(step), 24, WHITE, anchor="mm", bold=True)
        pen.text((x, y - 30), text, 22, SOFT)
    else:
        half = length_of(text, 22) / 2 + 8
        pen.box((x - half, y - 14, x + half, y + 14), fill=behind)
        pen.text((x, y), text, 22, SOFT, anchor="mm")


def parts(pen: Pen) -> None:
    """Draw what is outside the stack, then the stack's parts."""
    outsider(pen, (150, 150), "terminal", "Your program")
    outsider(pen, (150, 392), "camera", "Your images")
    outsider(pen, (150, 830), "people", "Viewers")
    strip(pen, (340, 100, 700, 204), "gateway", NETWORK, ("API Gateway", "POST /images, API key"), "EnableApi")
    card(pen, (465, 392), "upload bucket", STORAGE, ("Upload bucket", "Amazon S3", "stores the sources"))
    card(pen, (834, 392), "queue", MESSAGES, ("Upload queue", "Amazon SQS", "buffers bursts"))
    card(pen, (1204, 392), "lambda", COMPUTE, ("Function", "AWS Lambda", "renders the variants"))
    card(pen, (1573, 392), "table", DATABASE, ("Records", "DynamoDB", "one per rendition"), "EnableMetadata")
    strip(pen, (340, 554, 620, 640), "bell", WATCH, ("Alarms", "send e-mail"))
    strip(pen, (674, 554, 994, 640), "dead letter", MESSAGES, ("Dead-letter queue", "after 5 attempts"))
    strip(pen, (1424, 554, 1698, 640), "page", WATCH, ("CloudWatch", "logs, metrics"))
    frame(pen, (340, 742, 720, 958), "EnableCdn")
    strip(pen, (340, 750, 720, 850), "edge", NETWORK, ("Edge function", "URL options to path"), None)
    pen.line([(362, 851), (698, 851)], 2, LINE)
    strip(pen, (340, 852, 720, 952), "globe", NETWORK, ("CDN", "Amazon CloudFront", "caches near viewers"), None)
    renditions = ("Processed bucket", "Amazon S3", "stores the renditions")
    strip(pen, (1019, 838, 1389, 964), "processed bucket", STORAGE, renditions)


def arrows(pen: Pen) -> None:
    """Draw how data flows; the numbers follow an uploaded image."""
    arrow(pen, (204, 152), (336, 152), both=True)
    arrow(pen, (704, 152), (1264, 152), (1264, 276), both=True)
    label(pen, (975, 152), "renders on demand, returns URLs")
    arrow(pen, (204, 392), (336, 392), main=True)
    label(pen, (254, 392), "upload", 1, PAPER)
    arrow(pen, (594, 392), (705, 392), main=True)
    label(pen, (645, 392), "event", 2)
    arrow(pen, (963, 392), (1075, 392), main=True)
    label(pen, (1014, 392), "batch", 3)
    arrow(pen, (465, 278), (465, 244), (1144, 244), (1144, 276), main=True)
    label(pen, (925, 244), "reads the source")
    label(pen, (814, 244), "", 4)
    arrow(pen, (1204, 511), (1204, 834), main=True)
    label(pen, (1204, 597), "", 5)
    pen.text((1234, 650), "renditions", 22, SOFT, anchor="lm")
    arrow(pen, (1090, 511), (1090, 664), (640, 664), (640, 738))
    label(pen, (865, 664), "invalidations")
    arrow(pen, (1147, 511), (1147, 712), (690, 712), (690, 738), both=True)
    label(pen, (800, 712), "cache misses")
    tag(pen, (1000, 712), "EnableDelivery")
    arrow(pen, (1333, 392), (1444, 392))
    label(pen, (1384, 370), "records")
    arrow(pen, (1264, 511), (1264, 597), (1420, 597))
    arrow(pen, (834, 511), (834, 550))
    arrow(pen, (670, 597), (624, 597))
    arrow(pen, (1015, 901), (724, 901), main=True)
    label(pen, (870, 901), "origin access control", 6)
    arrow(pen, (204, 800), (336, 800))
    label(pen, (252, 778), "request", behind=PAPER)
    arrow(pen, (336, 872), (204, 872), main=True)
    label(pen, (260, 872), "picture", 7, PAPER)


def draw() -> Image.Image:
    """Return the diagram, on a light card of its own so that it reads on a dark page too."""
    image = Image.new("RGBA", (WIDTH * FINE, HEIGHT * FINE), (0, 0, 0, 0))
    pen = Pen(ImageDraw.Draw(image))
    pen.box((0, 0, WIDTH - 1, HEIGHT - 1), 32, fill=PAPER, outline=LINE, width=2)
    pen.box((306, 26, 1732, 990), 28, fill=WHITE, outline=LINE, width=2)
    pen.text((340, 68), "One CloudFormation stack in your AWS account", 25, SOFT, anchor="ls")
    arrows(pen)
    parts(pen)
    label(pen, (1466, 878), "", 1)
    pen.text((1502, 878), "path of an upload", 22, SOFT, anchor="lm")
    toggle(pen, 1448, 924)
    pen.text((1502, 924), "can be switched off", 22, SOFT, anchor="lm")
    image = image.resize((WIDTH, HEIGHT), Image.Resampling.BOX)
    few = image.convert("RGB").quantize(255, Image.Quantize.MEDIANCUT)  # a third of the bytes of full colour
    few.putpalette([*(few.getpalette() or ()), 0, 0, 0])
    few.paste(255, mask=image.getchannel("A").point([255] * 128 + [0] * 128))
    few.info["transparency"] = 255
    return few


if __name__ == "__main__":
    draw().save(OUTPUT, optimize=True)
    print(f"{OUTPUT} ({OUTPUT.stat().st_size // 1000} kB)")
