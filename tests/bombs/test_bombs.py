"""Small sources that are costly to decode are refused, or rendered within their bounds of time and memory."""

import pytest

from . import av1, bmff, bmp, gif, jpeg, png, tiff, webp
from .confined import SECONDS, answer

pytestmark = pytest.mark.slow

BOMBS = {**png.BOMBS, **gif.BOMBS, **jpeg.BOMBS, **tiff.BOMBS, **webp.BOMBS, **bmff.BOMBS, **av1.BOMBS, **bmp.BOMBS}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_answered_within_its_time_and_memory(name, record_property):
    bomb = BOMBS[name]

    answered = answer(bomb.make(), bomb.transformation)

    record_property("answer", str(answered))
    assert answered.outcome == bomb.outcome, answered
    assert answered.seconds < SECONDS, answered
    assert answered.megabytes < bomb.megabytes, answered
