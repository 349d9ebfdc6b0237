"""The measured peers, each in a module with one function:

make(source: bytes, targets: list[Target]) -> list[bytes]     an encoded picture for each target

A worker process imports one of the modules only. sharp's is `sharp.js`.
"""

from typing import Final

# In the order of the table's columns.
PEERS: Final = ("floor", "ours", "sharp", "libvips", "thumbor", "naive")
APART: Final = "apart"  # ours, with one call for each target; only where there are several
# The goals compare these, which run in every round; the others are for comparison, and run in every second round.
JUDGED: Final = ("floor", "ours", APART, "sharp")
