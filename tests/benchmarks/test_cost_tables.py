"""The README's tables of costs follow from prices.py, whose seconds `make bench-cost` has measured."""

from collections.abc import Callable

import pytest

from .cost_tables import README, backfill_table, cost_table, prices


@pytest.mark.parametrize("table", [cost_table, backfill_table])
def test_the_readme_says_what_the_measured_seconds_cost(table: Callable[[prices.Seconds], str]) -> None:
    expected = table(prices.MEASURED)

    assert expected in README.read_text(), f"it should be:\n{expected}"


def test_a_million_by_hand() -> None:
    parts = prices.parts(seconds=0.5, batch=1, sent=1, variants=2, memory=1024)

    assert {name: round(1e6 * dollars, 4) for name, dollars in parts.items()} == {
        "S3": 15.8,  # two PUT and a LIST, a GET and a HEAD
        "Lambda": 6.8667,  # 0.2 and 0.5 × 13.3334
        "DynamoDB": 2.5625,  # four writes and half a read
        "SQS": 1.2,  # sent, received, deleted
        "CloudWatch": 0.6,
    }


def test_messages_in_tens_share_what_is_paid_for_a_call() -> None:
    one, ten = prices.parts(0, 1, 0.1), prices.parts(0, 10, 0.1)

    assert one["Lambda"] == pytest.approx(10 * ten["Lambda"])
    assert (one["SQS"], ten["SQS"]) == pytest.approx((2.1 * 0.4e-6, 0.3 * 0.4e-6))


@pytest.mark.parametrize(("count", "dollars"), [(0, 0), (1_000, 0), (1_001, 0.005), (3_000, 10)])
def test_cloudfront_takes_nothing_for_the_first_thousand_paths(count: int, dollars: float) -> None:
    assert prices.invalidations(count) == pytest.approx(dollars)


def test_a_job_has_its_own_price_and_no_queue() -> None:
    assert prices.job(0) == 0.25
    million = prices.parts(prices.MEASURED.task, 1, 0)
    assert prices.job(10**6) == pytest.approx(0.25 + 1 + 0.015 + 1e6 * sum(million.values()))
