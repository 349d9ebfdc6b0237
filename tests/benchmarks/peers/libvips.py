"""libvips by its own thumbnailer, which decodes JPEG and WebP at a fraction. One thread, no cache, as sharp is set."""

import os

os.environ["VIPS_CONCURRENCY"] = "1"

import pyvips

from tests.benchmarks.cases import Target

pyvips.cache_set_max(0)


def make(source: bytes, targets: list[Target]) -> list[bytes]:
    """One thumbnail of the source for each target: libvips has no way to share a fraction of a decode."""
    return [_saved(_thumbnail(source, target), target) for target in targets]


def _thumbnail(source: bytes, target: Target) -> "pyvips.Image":
    crop = {"height": target.height, "crop": "centre"} if target.height else {"height": 10_000_000}
    small = pyvips.Image.thumbnail_buffer(
        source, target.width, export_profile="srgb", option_string="[n=-1]" if target.animated else "", **crop
    )
    return small.colourspace("srgb")  # 16 bits to 8


def _saved(image: "pyvips.Image", target: Target) -> bytes:
    match target.format:
        case "jpeg":
            return image.jpegsave_buffer(Q=target.quality, optimize_coding=True, keep="none")
        case "webp":
            return image.webpsave_buffer(Q=target.quality, effort=4, keep="none")
        case "avif":
            return image.heifsave_buffer(
                Q=target.quality, effort=1, compression="av1", subsample_mode="on", bitdepth=8, keep="none"
            )
        case _:
            return image.pngsave_buffer(keep="none")
