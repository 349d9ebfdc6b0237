"""A burst of uploads, while one in twenty storage calls fails and functions are killed: nothing is lost or wrong.

`make soak` uploads ten times as many.
"""

import pytest

from .load import load_stack, run
from .local import LocalAws


def test_a_burst_comes_through_failing_storage_and_dying_functions(
    local: LocalAws, capsys: pytest.CaptureFixture[str]
) -> None:
    with load_stack(local, visible_again=12) as (stack, proxy):
        outcome = run(stack, proxy, count=100, within=120)

    with capsys.disabled():
        print(f"\n{outcome}")
    assert outcome.killed
    assert len(outcome.faults) > 1
