"""A bomb: the function that creates it, and its required outcome."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Bomb:
    """`outcome` is "rendered" or an error's class; `megabytes` may be added to the process at most."""

    make: Callable[[], bytes]
    outcome: str
    megabytes: int
    transformation: str = "width=16,height=16,format=png"
