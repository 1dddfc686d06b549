"""Windows nest for every vertical and tier, and the database itself refuses those that do not."""

import psycopg
import pytest

from affiliates import TIER_NAMES, tier_terms
from marketplace.catalog.dispute_rules import dispute_rules
from marketplace.catalog.verticals import read_shipped, shipped_slugs
from tests.at_once import ask
from tests.deals import Deal


@pytest.mark.parametrize("slug", shipped_slugs())
def test_every_shipped_vertical_holds_a_sale_beyond_window_hearing_and_decision_for_every_tier(slug: str) -> None:
    vertical, rules = read_shipped(slug), dispute_rules()
    needed = vertical.window_hours + rules.hearing_hours + 24 * rules.decision_business_days
    for tier in TIER_NAMES:
        assert 24 * (vertical.hold_days + tier_terms(tier).extra_hold_days) >= needed


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ("""UPDATE marketplace.verticals SET definition = definition || '{"decision_days": 4}'""", "verticals_windows"),
        ("""UPDATE marketplace.verticals SET definition = definition || '{"window_hours": 47}'""", "verticals_windows"),
        ("UPDATE marketplace.sales SET release_at = window_ends_at - interval '1 microsecond'", "sales_check"),
        ("UPDATE affiliates.publishers SET extra_hold_days = -1", "extra_hold_days"),
    ],
)
@pytest.mark.usefixtures("deal")
def test_the_database_refuses_windows_that_do_not_nest(database_url: str, change: str, constraint: str) -> None:
    with pytest.raises(psycopg.errors.CheckViolation, match=constraint):
        ask(database_url, "SELECT", first=change)


def test_a_sale_may_be_released_when_its_window_ends(deal: Deal, database_url: str) -> None:
    ask(database_url, "SELECT", first="UPDATE marketplace.sales SET release_at = window_ends_at")
    assert deal.state() == "delivered"
