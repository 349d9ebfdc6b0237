"""Small sources that are costly to decode are refused, or rendered within their bounds of time and memory."""

import pytest

from . import av1, bmff, bmp, gif, icc, jpeg, jpeg2000, png, shared, tiff, webp
from .confined import SECONDS, answer

pytestmark = pytest.mark.slow

MODULES = (png, gif, jpeg, tiff, webp, bmff, av1, bmp, icc, shared, jpeg2000)
BOMBS = {name: bomb for module in MODULES for name, bomb in module.BOMBS.items()}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_answered_within_its_time_and_memory(name, record_property):
    bomb = BOMBS[name]

    answered = answer(bomb.make(), bomb.transformation)

    record_property("answer", str(answered))
    assert answered.outcome == bomb.outcome, answered
    assert answered.seconds < SECONDS, answered
    assert answered.megabytes < bomb.megabytes, answered
