"""The measured cases: a source, its targets, and how fast they have to be compared with the peers."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

QUALITY: Final[Mapping[str, int]] = {"jpeg": 80, "webp": 80, "avif": 60}
WIDTHS: Final = (320, 640, 960, 1280, 1920)


@dataclass(frozen=True, slots=True)
class Target:
    """A picture to render: with a height it fills both sides and is cropped at the centre; png is lossless."""

    format: str
    width: int
    height: int | None = None
    animated: bool = False

    @property
    def quality(self) -> int | None:
        """The quality for every peer's encoder; none for png."""
        return QUALITY.get(self.format)

    def plain(self) -> dict[str, Any]:
        """The target as JSON, for a worker."""
        return asdict(self) | {"quality": self.quality}

    @classmethod
    def of(cls, plain: Mapping[str, Any]) -> "Target":
        """Read what `plain` wrote."""
        return cls(**{name: plain[name] for name in ("format", "width", "height", "animated")})


@dataclass(frozen=True, slots=True)
class Case:
    """A source, its targets, and the largest allowed ratios of time: to sharp, the floor, or one call each."""

    title: str
    source: str
    targets: tuple[Target, ...]
    to_sharp: float | None = None
    to_floor: float | None = None
    to_apart: float | None = None


def _thumbnail(image_format: str) -> tuple[Target, ...]:
    return (Target(image_format, 128, 128),)


def _wide(image_format: str) -> tuple[Target, ...]:
    return (Target(image_format, 1280),)


def _widths(image_format: str) -> tuple[Target, ...]:
    return tuple(Target(image_format, width) for width in WIDTHS)


CASES: Final = (
    Case("12 MP JPEG → 128 JPEG", "12mp.jpg", _thumbnail("jpeg"), 0.95, 1.12),
    Case("12 MP JPEG → 128 WebP", "12mp.jpg", _thumbnail("webp"), 0.95, 1.12),
    Case("2.8 MP JPEG → 128 JPEG", "2.8mp.jpg", _thumbnail("jpeg"), 0.95, 1.12),
    Case("2003×1501 JPEG → 128 JPEG", "odd.jpg", _thumbnail("jpeg"), 0.95, 1.12),
    Case("12 MP progressive JPEG → 128 JPEG", "progressive.jpg", _thumbnail("jpeg"), 0.95, 1.12),
    Case("12 MP CMYK JPEG → 128 JPEG", "cmyk.jpg", _thumbnail("jpeg"), 0.95, 1.12),
    Case("12 MP P3 JPEG, turned → 128 JPEG", "p3-turned.jpg", _thumbnail("jpeg"), 0.95, 1.12),
    Case("12 MP PNG → 128 WebP", "12mp.png", _thumbnail("webp"), 1.0),
    Case("3 MP 16-bit PNG → 128 JPEG", "16bit.png", _thumbnail("jpeg"), 1.0),
    Case("12 MP WebP → 128 WebP", "12mp.webp", _thumbnail("webp"), 1.0),
    Case("12 MP AVIF → 128 WebP", "12mp.avif", _thumbnail("webp"), 0.6),
    Case("100-frame GIF → 128 JPEG, one frame", "animation.gif", _thumbnail("jpeg"), 0.6),
    Case("100-frame GIF → 128 WebP, animated", "animation.gif", (Target("webp", 128, animated=True),), 0.6),
    Case("12 MP JPEG → 128 AVIF", "12mp.jpg", _thumbnail("avif")),
    Case("12 MP JPEG → 1280 WebP", "12mp.jpg", _wide("webp"), 1.0),
    Case("12 MP JPEG → 1280 AVIF", "12mp.jpg", _wide("avif")),
    Case("12 MP JPEG → five widths, JPEG", "12mp.jpg", _widths("jpeg"), to_apart=0.6),
    Case("12 MP JPEG → five widths, WebP", "12mp.jpg", _widths("webp"), to_apart=0.6),
)
