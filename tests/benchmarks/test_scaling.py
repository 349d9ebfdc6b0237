"""The simulation keeps what a queue, pollers and quotas must keep, and docs/scaling.md follows from it."""

import math

import pytest

from . import quotas
from .cost_tables import prices
from .invalidation_load import invalidate
from .scaling import Simulation
from .scaling_case import Case
from .scaling_tables import BURSTS, PAGE, TABLES, dollars, outcome

FEW = 20_000  # uploads
STEADY_SECONDS = prices.Seconds(alone=1.0, of_ten=0.1, task=1.0)  # an invocation takes a second, whatever its batch


@pytest.mark.parametrize("name", TABLES)
@pytest.mark.slow
def test_the_page_about_scaling_follows_from_the_simulation(name: str) -> None:
    expected = TABLES[name]()

    assert expected in PAGE.read_text(), f"docs/scaling.md should contain:\n{expected}"


@pytest.mark.parametrize(
    "case",
    [
        Case(3_500, FEW, 10),
        Case(3_500, FEW, 1_000),
        Case(100, FEW, 20),
        Case(3_500, FEW, 50, executions=5),
        Case(14_000, FEW, 1_000, partitions=4, variants=5),
    ],
)
def test_every_upload_is_done_or_a_dead_letter(case: Case) -> None:
    result = Simulation(case).run()

    assert (result.done + result.dead, result.left) == (FEW, 0)
    assert sum(count for _, count in result.lags) == result.done
    assert result.received >= FEW


def test_a_run_of_limited_time_leaves_the_rest() -> None:
    result = Simulation(Case(100, FEW, 10)).run(60)

    assert result.done > 0
    assert result.left > 500  # 17 of 100 a second are more than ten invocations take


def test_the_same_seed_gives_the_same_run() -> None:
    assert Simulation(Case(100, FEW, 20), seed=3).run() == Simulation(Case(100, FEW, 20), seed=3).run()
    assert Simulation(Case(100, FEW, 20), seed=4).run() != Simulation(Case(100, FEW, 20), seed=3).run()


@pytest.mark.parametrize("concurrency", [2, 10, 50])
def test_invocations_times_ten_divided_by_their_seconds_are_done(concurrency: int) -> None:
    result = Simulation(Case(3_500, 10**6, concurrency), STEADY_SECONDS).run(300)

    assert result.rate == pytest.approx(concurrency * 10, rel=0.05)
    assert result.most_running == concurrency


def test_a_single_upload_now_and_then_is_processed_at_once_and_alone() -> None:
    result = Simulation(Case(0.2, 100, 10)).run()

    assert result.received / result.invocations == pytest.approx(1, abs=0.05)
    assert result.lag(0.5) == pytest.approx(prices.MEASURED.alone, abs=0.15)


def test_pollers_begin_with_five_and_become_300_more_a_minute() -> None:
    running = [Simulation(Case(3_500, 10**6, 1_000)).run(seconds).most_running for seconds in (1, 60, 120)]

    assert running == [pytest.approx(expected, abs=6) for expected in (5, 305, 605)]


@pytest.mark.parametrize(
    ("case", "rate", "bound"),
    [
        (Case(3_400, 10**9, 1_000), quotas.S3_READS / 2, "S3 reads of sources"),
        (Case(6_000, 10**9, 1_000, partitions=3), quotas.TABLE_WRITES, "DynamoDB writes"),
        (Case(3_400, 10**9, 1_000, variants=2), quotas.S3_WRITES / 2, "S3 writes of renditions"),
    ],
)
@pytest.mark.slow
def test_no_more_sources_are_done_than_a_quota_allows(case: Case, rate: float, bound: str) -> None:
    result = Simulation(case).run(300)

    assert rate * 0.95 < result.rate <= rate * 1.01
    assert result.bound[bound] > 100


def test_s3_delays_uploads_above_its_quota() -> None:
    result = Simulation(Case(10_000, 35_000, 10, partitions=2)).run(20)

    assert result.uploaded_at == pytest.approx((35_000 - 7_000) / 7_000, abs=0.3)  # after the first second's tokens
    assert result.bound["S3 writes of uploads"] > 0


def test_lambda_throttles_above_the_executions_and_no_message_is_lost() -> None:
    result = Simulation(Case(500, 5_000, 100, executions=10)).run()

    assert result.most_running == 10
    assert result.bound["Lambda's concurrent executions"] > 0
    assert (result.done, result.dead) == (5_000, 0)


def test_a_source_that_is_always_throttled_becomes_a_dead_letter() -> None:
    result = Simulation(Case(10, 10, 10, variants=5_000)).run()  # more records than the table takes in a second

    assert (result.done, result.dead) == (0, 10)
    assert result.received == 5 * 10


def test_a_burst_costs_what_the_page_about_costs_says() -> None:
    case = Case(3_500, FEW, 100)
    result = Simulation(case).run()

    of_ten = prices.parts(prices.MEASURED.of_ten, 10, 1)
    assert sum(dollars(case, result).values()) / FEW == pytest.approx(sum(of_ten.values()), rel=0.05)


@pytest.mark.slow
def test_a_burst_that_s3_throttles_costs_more() -> None:
    few, many = (next(case for case in BURSTS if case.concurrency == number) for number in (200, 1_000))

    assert sum(dollars(many, outcome(many)).values()) > 1.1 * sum(dollars(few, outcome(few)).values())
    assert outcome(few).received == outcome(few).done


@pytest.mark.parametrize(("rate", "flushes"), [(0.05, False), (1, True)])
def test_the_cache_is_emptied_when_sources_change_faster_than_cloudfront_invalidates(
    *, rate: float, flushes: bool
) -> None:
    found = invalidate(rate)

    assert bool(found.whole) is flushes
    assert found.paths <= found.seconds / 60 * quotas.WILDCARDS + quotas.WILDCARDS


def test_the_lag_of_nothing_is_no_number() -> None:
    assert math.isnan(Simulation(Case(0.001, 1)).run(1).lag(0.5))
