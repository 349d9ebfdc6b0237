"""Those who are measured, each in a module of its own with one function:

make(source: bytes, targets: list[Target]) -> list[bytes]     an encoded picture for each target

A worker process imports one of them and nothing of the others. sharp's is `sharp.js`.
"""

from typing import Final

# In the order of the table's columns.
PEERS: Final = ("floor", "ours", "sharp", "libvips", "thumbor", "naive")
APART: Final = "apart"  # ours, with one call for each target; only where there are several
# These have a goal between them and run in every round; the others are there to be seen, and run in every second.
JUDGED: Final = ("floor", "ours", APART, "sharp")
