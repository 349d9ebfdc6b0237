"""Signed URLs of renditions. Pure; deployment/sign.py runs it on Python 3.9."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from image_processor.urls.paths import rendition_url
from image_processor.urls.signatures import EXPIRY, SIGNATURE, VERSION, sign

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

# Widths of common screens in pixels, for stacks without a ladder.
DEFAULT_LADDER = (320, 640, 960, 1280, 1920, 2560, 3840)


def signed_url(base: str, path: str, parameters: Mapping[str, str], key: str) -> str:
    """The signed URL of a rendition by its options; raises `ValueError` for parameters that can't be signed.

    Path and parameters are passed decoded. The path has no leading slash: it is a source's key, or without options a
    rendition's.
    """
    signed = {**parameters, SIGNATURE: sign(key, f"/{path}", parameters)}
    query = "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in signed.items())
    source_key, slash, name = path.rpartition("/")
    is_rendition = slash and parameters.keys() <= {EXPIRY, VERSION}
    return f"{rendition_url(base, source_key, name) if is_rendition else f'{base}/{quote(path)}'}?{query}"


@dataclass(frozen=True)
class Links:
    """Builds URLs of the widths on a ladder; `key` returns the key to sign with, and is called when it is needed."""

    key: Callable[[], str]
    ladder: Sequence[int] = DEFAULT_LADDER

    def srcset(self, base: str, path: str, widths: Mapping[int, int], version: str) -> str:
        """The value of `<img srcset>`: for each requested width → rendered width, a signed URL that does not expire."""
        key, same = self.key(), {"format": "auto", VERSION: version}
        return ", ".join(
            f"{signed_url(base, path, {**same, 'width': str(requested)}, key)} {width}w"
            for requested, width in widths.items()
        )
