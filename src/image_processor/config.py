"""The function's settings, the only module that reads the environment.

Defaults are in the template's parameters, so that each value is defined once. Every setting is checked here.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from image_processor.engine.limits import DEFAULT_MEMORY, Limits
from image_processor.errors import ImageProcessorError, InvalidSettings, shown
from image_processor.transformations.ladder import parse_ladder
from image_processor.transformations.variants import Variant, parse_variants

MAX_SOURCE_PIXELS: Final = 178_956_970  # Pillow always refuses a larger image (2 × MAX_IMAGE_PIXELS)


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings of the function; valid once built."""

    upload_bucket: str
    processed_bucket: str
    metadata_table: str | None
    distribution_parameter: str | None
    variants: tuple[Variant, ...]
    limits: Limits
    cache_control: str
    cors_origins: tuple[str, ...]
    signing_secret: str | None
    size_ladder: tuple[int, ...]
    allow_unsigned: bool
    fallback_image: str | None

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> "Settings":
        """Read all settings; raises one `InvalidSettings` that names every invalid one."""
        faults: list[str] = []

        def read(name: str, parse: Callable[[str], Any] = _text) -> Any:
            try:
                return parse(environment.get(name, ""))
            except (ValueError, ImageProcessorError) as error:
                faults.append(f"{name}: {error}")
                return None

        settings = cls(
            upload_bucket=read("UPLOAD_BUCKET"),
            processed_bucket=read("PROCESSED_BUCKET"),
            metadata_table=environment.get("METADATA_TABLE") or None,
            distribution_parameter=environment.get("DISTRIBUTION_PARAMETER") or None,
            variants=read("VARIANTS", parse_variants),
            limits=Limits(
                max_bytes=read("MAX_SOURCE_BYTES", _up_to(5 * 1024**3)),
                max_pixels=read("MAX_SOURCE_PIXELS", _up_to(MAX_SOURCE_PIXELS)),
                memory=read("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", _megabytes),
            ),
            cache_control=read("CACHE_CONTROL"),
            cors_origins=tuple(filter(None, (part.strip() for part in environment.get("CORS_ORIGINS", "").split(",")))),
            signing_secret=environment.get("SIGNING_SECRET") or None,
            size_ladder=read("SIZE_LADDER", parse_ladder),
            allow_unsigned=read("ALLOW_UNSIGNED", _switch),
            fallback_image=environment.get("FALLBACK_IMAGE") or None,
        )
        if faults:
            raise InvalidSettings("; ".join(faults))
        return settings


def _text(text: str) -> str:
    if not text:
        raise ValueError("is not set")
    return text


def _switch(text: str) -> bool:
    if text not in ("true", "false", ""):
        raise ValueError(f"got {shown(text)}, allowed: true, false")
    return text == "true"


def _up_to(high: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not (text.isascii() and text.isdigit()) or not 1 <= int(text) <= high:
            raise ValueError(f"got {shown(text)}, allowed: a whole number from 1 to {high}")
        return int(text)

    return read


def _megabytes(text: str) -> int:
    """Lambda's own variable for the function's memory in MB, which an emulator may leave unset; returns bytes."""
    return _up_to(10_240)(text or str(DEFAULT_MEMORY)) * 1024 * 1024
