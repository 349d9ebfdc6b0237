"""This project's engine, with one call for each target, to show what one call for all of them saves."""

from tests.benchmarks.cases import Target
from tests.benchmarks.peers import ours


def make(source: bytes, targets: list[Target]) -> list[bytes]:
    """Render each target alone."""
    return [body for target in targets for body in ours.make(source, [target])]
