"""The market's audit finds what it is there to find: each check is broken on purpose and named."""

from collections.abc import Iterator

import pytest
from sqlalchemy import text

from core.db import db, transaction
from marketplace.audit import MARKET_CHECKS, audit_all
from tests.factories import Market

# What to break, and the check that must say so. `session_replication_role` turns the guards off, as a superuser could.
SABOTAGE = {
    "each sale is its hold: same buyer, price, share and end": "UPDATE marketplace.sales SET price_minor = price_minor + 1",
    "each decided dispute is what its sale paid back": "UPDATE marketplace.disputes SET credited_minor = credited_minor + 1",
    "what the platform paid for a dispute is in the books, and nothing else":
        "UPDATE marketplace.disputes SET compensation_minor = compensation_minor + 1",
    "each fee of a rejected claim is in the books, and nothing else":
        "UPDATE marketplace.disputes SET fee_minor = 500, fee_state = 'charged'",
    "each order's ceilings follow from its limits":
        "UPDATE marketplace.order_counters SET leads_ceiling = leads_ceiling - 1",
    "each order's counters are its sales": "UPDATE marketplace.order_counters SET total_leads = total_leads - 1",
    "the counters of each buyer with limits are his sales, and his ceilings follow from them":
        "INSERT INTO marketplace.buyer_counters SELECT buyer_id, 'UTC', 'EUR', '{5,5,5,5,5}', '{1,1,1,1,1}', '{1,1,1,1}',"
        " '{0,0,0,0}', '{0,0,0,0}', 5, 1, 7, 0 FROM marketplace.sales LIMIT 1",
    "no lead was sold to more buyers than each of them allowed":
        "UPDATE marketplace.order_versions SET terms = jsonb_set(terms, '{max_share}', '0')",
    "each lead was resold by its consent, by a decision that is kept":
        "INSERT INTO marketplace.further_sales (sale_id, offer_id, lead_id, resale, bid_minor, falls)"
        " SELECT o.id, o.id, o.id, 1, 1, true FROM (SELECT gen_random_uuid() AS id) o",
    "each sale has the price of the order version it names":
        "UPDATE marketplace.order_versions SET terms = jsonb_set(terms, '{price_minor}', '1')",
    "each sale has payout and reserve by the version of its publisher's terms that it names":
        "UPDATE marketplace.sales SET reserve_days = reserve_days + 1",
    "a lead is sold or pending exactly when it has sales, pending while none is delivered, a test lead never":
        "UPDATE marketplace.leads SET status = 'unsold'",
    "each sale stands where its delivery stands": "UPDATE marketplace.sales SET state = 'held'",
    "only sold or pending leads claim a person": "UPDATE marketplace.person_keys SET lead_id = gen_random_uuid()",
}  # fmt: skip


@pytest.fixture
def sold(market: Market) -> Iterator[Market]:
    """Give a market with a sale and a returned one, and put back whatever the test broke."""
    buyer = market.make_buyer()
    market.make_order(buyer)
    publisher = market.make_publisher()
    [sale] = publisher.post("/leads", market.lead())["sales"]
    publisher.post("/leads", market.lead())
    opened = buyer.post(f"/sales/{sale['id']}/disputes", {"reason": "bot"})
    publisher.post(f"/disputes/{opened['id']}/answer", {"accept": True})
    yield market
    db.session.rollback()


@pytest.mark.usefixtures("sold")
def test_a_right_book_passes_every_check() -> None:
    assert audit_all(db.session).ok


@pytest.mark.usefixtures("sold")
@pytest.mark.parametrize("name", [check.name for check in MARKET_CHECKS])
def test_a_broken_record_is_found_by_its_check(name: str) -> None:
    db.session.execute(text("SET LOCAL session_replication_role = replica"))
    db.session.execute(text(SABOTAGE[name]))

    wrong = {check.name for check in audit_all(db.session).checks if not check.ok}

    assert name in wrong


@pytest.mark.usefixtures("sold")
def test_a_lead_that_is_pending_though_a_buyer_has_it_is_found() -> None:
    db.session.execute(text("UPDATE marketplace.leads SET status = 'pending'"))
    wrong = [check.name for check in audit_all(db.session).checks if not check.ok]
    assert len(wrong) == 1 and "pending while none is delivered" in wrong[0]


@pytest.mark.usefixtures("sold")
def test_the_audit_leaves_no_transaction_open_for_writing() -> None:
    with transaction():
        assert audit_all(db.session).ok
