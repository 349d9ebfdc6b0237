"""The tables in docs/costs.md follow from prices.py, whose seconds `make bench-cost` measured."""

from collections.abc import Callable

import pytest

from .cost_tables import COSTS, backfill_table, cost_table, prices


@pytest.mark.parametrize("table", [cost_table, backfill_table])
def test_the_page_of_costs_follows_from_the_measured_seconds(table: Callable[[prices.Seconds], str]) -> None:
    expected = table(prices.MEASURED)

    assert expected in COSTS.read_text(), f"docs/costs.md should contain:\n{expected}"


def test_a_million_by_hand() -> None:
    parts = prices.parts(seconds=0.5, batch=1, sent=1, variants=2, memory=1024)

    assert {name: round(1e6 * dollars, 4) for name, dollars in parts.items()} == {
        "S3": 15.8,  # two PUT and a LIST, a GET and a HEAD
        "Lambda": 6.8667,  # 0.2 and 0.5 × 13.3334
        "DynamoDB": 2.5625,  # four writes and half a read
        "SQS": 1.2,  # sent, received, deleted
        "CloudWatch": 0.6,
    }


def test_a_batch_of_ten_shares_the_cost_of_a_call() -> None:
    one, ten = prices.parts(0, 1, 0.1), prices.parts(0, 10, 0.1)

    assert one["Lambda"] == pytest.approx(10 * ten["Lambda"])
    assert (one["SQS"], ten["SQS"]) == pytest.approx((2.1 * 0.4e-6, 0.3 * 0.4e-6))


@pytest.mark.parametrize(("count", "dollars"), [(0, 0), (1_000, 0), (1_001, 0.005), (3_000, 10)])
def test_the_first_thousand_invalidated_paths_are_free(count: int, dollars: float) -> None:
    assert prices.invalidations(count) == pytest.approx(dollars)


def test_a_job_costs_its_own_price_and_no_queue_requests() -> None:
    assert prices.job(0) == 0.25
    million = prices.parts(prices.MEASURED.task, 1, 0)
    assert prices.job(10**6) == pytest.approx(0.25 + 1 + 0.015 + 1e6 * sum(million.values()))
