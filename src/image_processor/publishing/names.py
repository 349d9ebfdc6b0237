"""The names that follow from a source's key: record ids, locations, and file names for downloads.

Pure; runs on Python 3.9, because the commands in deployment/ need the same names.
"""

from __future__ import annotations

import re
from hashlib import sha256
from typing import Final
from urllib.parse import quote

_EXTENSIONS: Final = {"image/jpeg": "jpg"}  # of the others, the part after the slash
_LONGEST: Final = 100  # characters of the source's own name; a key has up to 1,024 bytes, a header 8 KB in all


def record_id(bucket: str, source_key: str, name: str) -> str:
    """The id of a rendition's record; always the same, so that a repetition overwrites its own record."""
    return sha256(f"{bucket}/{source_key}/{name}".encode()).hexdigest()[:32]


def location(bucket: str, key: str) -> str:
    """The URI of a file, as in records and API responses."""
    return f"s3://{bucket}/{key}"


def content_disposition(source_key: str, label: str, content_type: str) -> str:
    """The file name under which a viewer saves a rendition: `rio-thumbnail.jpg`, `rio-300x225.webp`.

    Returns the header's value: the name in ASCII, and also in full if it has other characters (RFC 6266).
    """
    stem = source_key.rstrip("/").rpartition("/")[2]
    stem = (stem.rpartition(".")[0] or stem)[:_LONGEST]
    name = f"{stem}-{label}.{_EXTENSIONS.get(content_type, content_type.rpartition('/')[2])}"
    plain = re.sub(r'[^ -~]|["\\%]', "_", name)
    full = "" if plain == name else f"; filename*=UTF-8''{quote(name, safe='')}"
    return f'inline; filename="{plain}"{full}'
