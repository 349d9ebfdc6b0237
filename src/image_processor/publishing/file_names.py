"""What a rendition is called when a viewer saves it: `rio-thumbnail.jpg`, `rio-300x225.webp`."""

import re
from typing import Final
from urllib.parse import quote

_EXTENSIONS: Final = {"image/jpeg": "jpg"}  # of the others, what follows the slash
_LONGEST: Final = 100  # characters of the source's own name; a key has up to 1,024 bytes, a header 8 KB in all


def content_disposition(source_key: str, label: str, content_type: str) -> str:
    """The header's value, with the name once in ASCII and, where that isn't all of it, once in full (RFC 6266)."""
    stem = source_key.rstrip("/").rpartition("/")[2]
    stem = (stem.rpartition(".")[0] or stem)[:_LONGEST]
    name = f"{stem}-{label}.{_EXTENSIONS.get(content_type, content_type.rpartition('/')[2])}"
    plain = re.sub(r'[^ -~]|["\\%]', "_", name)
    full = "" if plain == name else f"; filename*=UTF-8''{quote(name, safe='')}"
    return f'inline; filename="{plain}"{full}'
