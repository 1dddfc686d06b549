"""A market that traded under the first sale function goes on under the present one as if nothing had happened."""

import hashlib
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import msgspec
import pytest
from flask_migrate import upgrade
from sqlalchemy import text

from core.config import Settings
from core.db import db, driver_connection, pool_of, transaction
from core.identity.keys import SCOPES_OF, hash_of
from core.ids import new_id, parse_id, show_id
from core.overrides import Overrides
from core.postgres import create_database, drop_database
from core.schemas import convert, decode
from marketplace.app import create_app
from marketplace.audit import audit_all
from marketplace.catalog.shelf import ship_verticals
from marketplace.leads import books
from marketplace.leads.desk import desk
from marketplace.leads.intake import Sender
from marketplace.leads.settlement import settle_batch
from marketplace.leads.submission import Submission
from marketplace.orders.terms import PERIODS, OrderBody, OrderTerms, terms_of
from tests.conftest import START, SetClock
from tests.factories import Market, Member

MIGRATIONS = Path(__file__).resolve().parents[2] / "migrations"
ROUTE = "POST /api/v1/leads"
# The statement of then, and where today's values have what it did not know, the last first: how the vertical chooses, the grace, the ranks, who
# is asked at once, who receives later.
POST_LEAD_THEN = (
    "SELECT marketplace.post_lead({}::marketplace.leads, {}::marketplace.offer, {}::marketplace.rules,"
    " {}::marketplace.sender)"
).format(
    f"ROW(%s,%s,%s,%s,'unsold',{','.join(['%s'] * 11)},'{{}}')",
    *(f"ROW({','.join(['%s'] * many)})" for many in (8, 6, 9)),
)
NOT_YET = (41, 40, 39, 38, 37, 36, 29, 28, 27, 26, 25, 24, 23)
ANSWER = -2  # where the sale function gets the beginning of the answer, which was a whole document once
PLACE = text(
    "WITH v AS (UPDATE marketplace.verticals SET book_version = book_version + 1 WHERE slug = 'education' RETURNING id)"
    ", o AS (INSERT INTO marketplace.orders SELECT :id, :buyer, id, 1, 'active', :terms, :at, :at FROM v)"
    " INSERT INTO marketplace.order_versions VALUES (:id, 1, 'active', :terms, 'test', :at)"
)


USER_THEN = text("INSERT INTO core.users (id, email, password_hash, created_at) VALUES (:id, :email, :hash, :at)")
OWNER_THEN = text("INSERT INTO core.memberships (user_id, account_id, role) VALUES (:id, :account, 'owner')")


def add_owner_then(account_id: UUID, address: str, password_hash: str, at: datetime, **_: Any) -> Any:
    """Add a user as the table was then, before people signed in."""
    user_id = new_id()
    db.session.execute(USER_THEN, {"id": user_id, "email": address, "hash": password_hash, "at": at})
    db.session.execute(OWNER_THEN, {"id": user_id, "account": account_id})
    return SimpleNamespace(id=user_id)


ACCOUNT_THEN = text("INSERT INTO core.accounts (id, kind, name, created_at) VALUES (:id, :kind, :name, :at)")


def open_account_then(kind: str, name: str, at: datetime) -> Any:
    """Open an account as the table was then, before anybody registered."""
    opened = SimpleNamespace(id=new_id(), kind=kind, name=name)
    db.session.execute(ACCOUNT_THEN, {"id": opened.id, "kind": kind, "name": name, "at": at})
    return opened


KEY_THEN = text(
    "INSERT INTO core.api_keys (id, account_id, name, hash, hint, scopes, created_at)"
    " VALUES (:id, :account, 'then', :hash, 'then', :scopes, :at)"
)


def make_key_then(account: Any, name: str, at: datetime, *_: Any) -> tuple[Any, str]:
    """Make a key as the table was then, before it said on which day one was last used."""
    secret = f"lb_{new_id()}"
    key = {"id": new_id(), "account": account.id, "hash": hash_of(secret), "at": at}
    db.session.execute(KEY_THEN, key | {"scopes": sorted(SCOPES_OF[account.kind])})
    return SimpleNamespace(**key), secret


PUBLISHER_THEN = text(
    "INSERT INTO affiliates.publishers (account_id, tier, share_bp, extra_hold_days, reserve_bp, reserve_days,"
    " min_margin_minor, changed_at) VALUES (:id, 'new', 7000, 15, 2000, 45, 50, :at)"
)


def open_publisher_then(account_id: UUID, at: datetime) -> None:
    """Open a publisher as the table was then, before terms had versions."""
    db.session.execute(PUBLISHER_THEN, {"id": account_id, "at": at})


@pytest.fixture
def old_market(postgres: str, clock: SetClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Market]:
    """A market on a database as the first sale function knew it."""
    monkeypatch.setattr("core.identity.accounts.add_owner", add_owner_then)
    monkeypatch.setattr("marketplace.cli.accounts.open_account", open_account_then)
    monkeypatch.setattr("marketplace.cli.accounts.make_key", make_key_then)
    monkeypatch.setattr("marketplace.cli.accounts.open_publisher", open_publisher_then)
    monkeypatch.setattr(
        "marketplace.cli.accounts.get_account", lambda account_id, _kind: SimpleNamespace(id=account_id)
    )
    monkeypatch.setattr("affiliates.publishers.overrides", lambda: Overrides({}, {}))  # nobody said otherwise then
    url = create_database(postgres, "old_market")
    app = create_app(Settings(data_folder=tmp_path, database_url=url), url, clock)
    with app.app_context():
        upgrade(directory=str(MIGRATIONS), revision="0004")
        with transaction():
            ship_verticals(START)
        yield Market(app, clock)
        db.session.remove()
    pool_of(app).close()
    drop_database(postgres, "old_market")


def place(buyer: Member, price: str, at: datetime, **limits: Any) -> str:
    """Place an order as it was stored then."""
    body = {"name": "old", "vertical": "education", "price": {"amount": price, "currency": "EUR"}} | limits
    terms, order_id = terms_of(convert(body, OrderBody)), new_id()
    stored = msgspec.json.encode(terms).decode()
    with transaction():
        db.session.execute(PLACE, {"id": order_id, "buyer": parse_id("acc", buyer.id), "terms": stored, "at": at})
        db.session.execute(_counters_of(terms), {"id": order_id})
    return show_id("ord", order_id)


def _counters_of(terms: OrderTerms) -> Any:
    limits = {f"{period}_cap": most for period, most in terms.caps.items()}
    limits |= {f"{period}_budget": most for period, most in terms.budget_minor.items()}
    assert all(name.split("_")[0] in PERIODS for name in limits)
    names, values = "".join(f", {name}" for name in limits), "".join(f", {most}" for most in limits.values())
    return text(
        f"INSERT INTO marketplace.order_counters (order_id, limited{names}) VALUES (:id, {bool(limits)}{values})"
    )


def post_then(publisher: Member, lead: dict[str, Any], key: str | None = None) -> Any:
    """Post a lead with the first sale function and return its answer."""
    raw, intake = publisher.app.json.dumps(lead).encode(), desk().intake
    key_id = db.session.execute(
        text("SELECT id FROM core.api_keys WHERE account_id = :id"), {"id": parse_id("acc", publisher.id)}
    ).scalar_one()
    db.session.rollback()
    sender = Sender(parse_id("acc", publisher.id), key_id, ROUTE, key)
    with pytest.MonkeyPatch.context() as then:  # there were neither endpoints nor paused sources yet
        then.setattr(books, "ORDERS", books.ORDERS.partition(" AND NOT EXISTS")[0])
        then.setattr(books, "SOURCE_RULES", "SELECT WHERE %s < 0")  # nobody narrowed a source then
        then.setattr(books, "PAUSED_SOURCES", "SELECT 1, '' WHERE false")
        then.setattr(books, "LIVE", "SELECT 1 WHERE false")
        intake.books.reload("education", intake.books.find("education"))
        prepared = intake.prepare(decode(raw, Submission), sender, new_id())
    values = list(intake.arguments(prepared, sender, hashlib.sha256(raw).digest(), 512, in_batch=False))
    values[ANSWER] += "}"
    for place_of_value in NOT_YET:
        del values[place_of_value]
    with driver_connection() as connection:
        row = connection.execute(POST_LEAD_THEN, values).fetchone()
    assert row is not None
    return row[0]


def test_caps_budgets_duplicates_answers_and_books_outlive_the_upgrade(old_market: Market, clock: SetClock) -> None:
    market, publisher = old_market, old_market.make_publisher()
    capped, spender, plain = market.make_buyer(), market.make_buyer(), market.make_buyer()
    place(capped, "30.00", clock.now(), caps={"hour": 2, "day": 4})
    place(spender, "25.00", clock.now(), budget={"total": {"amount": "75.00", "currency": "EUR"}}, caps={"month": 50})
    unlimited = place(plain, "20.00", clock.now())
    clock.advance(minutes=1)
    leads = [market.lead() for _ in range(5)]
    prices = [post_then(publisher, lead)["sales"][0]["price"] for lead in leads]
    clock.advance(hours=1)
    kept_lead = market.lead()
    kept = post_then(publisher, kept_lead, "kept")
    assert [*prices, kept["sales"][0]["price"]] == [3000, 3000, 2500, 2500, 2500, 3000]
    assert post_then(publisher, market.lead(test=True))["reasons"] == ["test"]

    upgrade(directory=str(MIGRATIONS))
    users = "SELECT count(*), count(DISTINCT fs_uniquifier), count(*) FILTER (WHERE confirmed_at = created_at) FROM core.users"
    assert tuple(db.session.execute(text(users)).one()) == (4, 4, 4)  # whoever was opened by hand can sign in
    assert audit_all(db.session).ok
    assert publisher.post("/leads", leads[0])["reasons"] == ["duplicate"]
    again = publisher.request("POST", "/leads", kept_lead, Idempotency_Key="kept")
    assert (again.status_code, again.headers["Idempotency-Replayed"]) == (201, "true")
    assert again.json["id"] == show_id("lead", UUID(kept["id"]))

    def sold() -> str:
        return str(publisher.post("/leads", market.lead())["sales"][0]["price"]["amount"])

    assert [sold() for _ in range(2)] == ["30.00", "20.00"]  # the second of this hour and the fourth of this day
    clock.advance(hours=1)
    assert sold() == "20.00"
    changed = {"caps": {"day": 3}}  # two were sold since, none before
    assert plain.request("PATCH", f"/orders/{unlimited}", changed).status_code == 200
    assert sold() == "20.00"
    assert publisher.post("/leads", market.lead())["status"] == "unsold"
    clock.advance(days=1)
    assert [sold() for _ in range(3)] == ["30.00", "30.00", "20.00"]
    clock.advance(days=60)
    with transaction():
        assert settle_batch(clock.now()) == 13
    assert audit_all(db.session).ok
