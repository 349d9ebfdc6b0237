"""What a terminal shows: texts from outside without control characters, numbers in words, and a progress bar.

Anyone who may upload chooses the keys of sources. A key may have characters in it that clear a terminal's screen or
hide a part of a line, and so may a log line or a message of AWS. Therefore, the programs print by `say`.
"""

from __future__ import annotations

import re
import shlex
import sys
from typing import TextIO

# Control characters (C0, DEL, C1), line separators, the marks that change the direction of text, and lone surrogates,
# which have no UTF-8. `printable` of lib.sh has the same list, as bytes.
# https://www.unicode.org/reports/tr9/#Directional_Formatting_Characters
UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def printable(text: str) -> str:
    """Return a text in one line that can't control a terminal: such characters are shown by their bytes, as `\\x1b`."""
    return UNSAFE.sub(lambda found: _escaped(found[0]), text)


def say(text: str = "", file: TextIO | None = None) -> None:
    """Print one line, on stdout unless another file is given."""
    print(printable(text), file=file, flush=True)  # in order with stderr, also in a pipe


def shell_word(text: str) -> str:
    """Return a text as a word for bash and zsh, which a user can paste: quoted, and printable."""
    if not UNSAFE.search(text):
        return shlex.quote(text)
    quoted = text.replace("\\", r"\\").replace("'", r"\'")
    return f"$'{printable(quoted)}'"


def _escaped(character: str) -> str:
    return "".join(f"\\x{byte:02x}" for byte in character.encode("utf-8", "surrogatepass"))


def duration(seconds: float) -> str:
    """Return a duration in words, such as `3 minutes`; a second at least."""
    for size, unit in ((86400, "days"), (3600, "hours"), (60, "minutes")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return count_of(max(1, round(seconds)), "second")


def file_size(size: int) -> str:
    """Return a number of bytes in words, such as `1.2 GB`."""
    for unit, least in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6)):
        if size >= least:
            return f"{size / least:,.1f} {unit}"
    return f"{size / 1e3:,.1f} kB"


def count_of(number: int, noun: str) -> str:
    """Return a number with its noun, such as `1 source` or `1,200 sources`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def show_progress(done: int, total: int, note: str = "") -> None:
    """Draw a bar on stderr, over the last one; nothing if stderr is no terminal."""
    if not sys.stderr.isatty():
        return
    share = min(done / total, 1.0) if total else 1.0
    bar = "█" * round(share * 30)
    line = f"  {bar:·<30} {done:,} of {total:,}{note}"
    print(f"\r{line:<78}", end="" if done < total else "\n", file=sys.stderr, flush=True)
