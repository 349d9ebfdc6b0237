"""The URLs that pictures are asked for by. Pure; deployment/sign.py runs it on Python 3.9.

Of a source's key everything is encoded that may be, as `paths.invalidation_paths` spells it too. (The edge function
spells each path its own way, before the cache is asked.)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from image_processor.urls.paths import rendition_url
from image_processor.urls.signatures import EXPIRY, SIGNATURE, sign

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

# Sides of the screens that there are, for stacks without a ladder of their own.
DEFAULT_LADDER = (320, 640, 960, 1280, 1920, 2560, 3840)


def signed_url(base: str, path: str, parameters: Mapping[str, str], key: str) -> str:
    """The URL that asks for a picture by options; raises `ValueError` for what can't be signed.

    All comes decoded; the path, without its first slash, is a source's key, or without options a rendition's.
    """
    signed = {**parameters, SIGNATURE: sign(key, f"/{path}", parameters)}
    query = "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in signed.items())
    source_key, slash, name = path.rpartition("/")
    is_rendition = slash and parameters.keys() <= {EXPIRY}
    return f"{rendition_url(base, source_key, name) if is_rendition else f'{base}/{quote(path)}'}?{query}"


@dataclass(frozen=True)
class Links:
    """What ready links are made of: the key to sign with, asked for when it is needed, and the widths they offer."""

    key: Callable[[], str]
    ladder: Sequence[int] = DEFAULT_LADDER

    def srcset(self, base: str, path: str, widths: Mapping[int, int]) -> str:
        """For `<img srcset>`: a signed URL, which does not expire, for each width to ask for, and the picture's own."""
        key = self.key()
        return ", ".join(
            f"{signed_url(base, path, {'format': 'auto', 'width': str(asked)}, key)} {width}w"
            for asked, width in widths.items()
        )
