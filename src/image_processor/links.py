"""The URLs that pictures are asked for by. Pure; deployment/sign.py runs it on Python 3.9."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from image_processor.signatures import SIGNATURE, sign

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

# Sides of the screens that there are, for stacks without a ladder of their own.
DEFAULT_LADDER = (320, 640, 960, 1280, 1920, 2560, 3840)


def picture_url(base: str, path: str) -> str:
    """The URL of a path, decoded and without its first slash: a source's key, or that of a rendition."""
    return f"{base}/{quote(path, safe='/=,~')}"


def signed_url(base: str, path: str, parameters: Mapping[str, str], key: str) -> str:
    """The URL that asks for a picture by options, decoded; raises `ValueError` for what can't be signed."""
    signed = {**parameters, SIGNATURE: sign(key, f"/{path}", parameters)}
    query = "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in signed.items())
    return f"{picture_url(base, path)}?{query}"


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
