"""Sources made to cost more than they weigh: each is refused, or rendered, soon and within its memory."""

import pytest

from . import av1, bmff, bmp, gif, jpeg, png, tiff, webp
from .confined import SECONDS, answer

pytestmark = pytest.mark.slow

BOMBS = {**png.BOMBS, **gif.BOMBS, **jpeg.BOMBS, **tiff.BOMBS, **webp.BOMBS, **bmff.BOMBS, **av1.BOMBS, **bmp.BOMBS}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_costs_little(name, record_property):
    bomb = BOMBS[name]

    answered = answer(bomb.make(), bomb.transformation)

    record_property("answer", answered)
    assert answered.outcome == bomb.outcome, answered
    assert answered.seconds < SECONDS, answered
    assert answered.megabytes < bomb.megabytes, answered
