"""What docs/costs.md and docs/security.md say of strangers' requests follows from prices.py and quotas.py."""

from collections.abc import Callable

import pytest

from .cost_tables import COSTS, prices, storage_table
from .stranger_tables import (
    bound_table,
    day_table,
    delivery_table,
    facts,
    first_request,
    ladder_table,
    open_renditions,
    request_table,
)

SECURITY = COSTS.with_name("security.md")


@pytest.mark.parametrize("table", [delivery_table, storage_table, request_table, ladder_table, day_table])
def test_the_page_about_costs_follows_from_the_prices(table: Callable[[], str]) -> None:
    expected = table()

    assert expected in COSTS.read_text(), f"docs/costs.md should contain:\n{expected}"


def test_the_page_about_security_follows_from_the_prices() -> None:
    expected = bound_table()

    assert expected in SECURITY.read_text(), f"docs/security.md should contain:\n{expected}"


def test_the_text_about_costs_has_the_amounts_of_the_tables() -> None:
    words = " ".join(COSTS.read_text().split())

    assert [fact for fact in facts() if fact not in words] == []


def test_renditions_on_a_ladder_by_hand() -> None:
    assert open_renditions([320]) == (1 + 1 + 5) * 6
    assert open_renditions([320, 640, 1280]) == (3 + 3 + 9 * 5) * 6


def test_each_stored_rendition_makes_the_next_one_dearer() -> None:
    alone, after_20 = first_request(0), first_request(20)

    assert after_20 - alone == pytest.approx(20 * prices.S3_READ + 0.1 * prices.execution_day() / 86_400)
