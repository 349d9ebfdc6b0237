"""The lower bound for Pillow engines: the decode alone, for a JPEG at the least scale that has the target's pixels."""

import io

from PIL import Image

from tests.benchmarks.cases import Target


def make(source: bytes, targets: list[Target]) -> list[bytes]:
    """Decode, and render nothing."""
    image = Image.open(io.BytesIO(source))
    image.draft(None, _least_size(image.size, targets))
    for place in range(image.n_frames if targets[0].animated else 1):
        image.seek(place)
        image.load()
    return []


def _least_size(size: tuple[int, int], targets: list[Target]) -> tuple[int, int]:
    """The size for draft(), which decodes at the least of its scales that is no smaller."""
    scale = max(max(target.width / size[0], (target.height or 0) / size[1]) for target in targets)
    return max(1, int(size[0] * scale)), max(1, int(size[1] * scale))
