"""An exchange to look at: the demonstration's month, and beside it one publisher and one buyer with a long history."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import msgspec
import psycopg
from flask import Flask

from benchmarks.stage.market import lead_body
from core.config import Settings
from core.db import db, driver_connection, migrate, pool_of, transaction
from core.ids import first_id_at, parse_id
from core.postgres import discard_embedded, open_database
from core.schemas import convert
from marketplace.app import create_app
from marketplace.catalog.shelf import ship_verticals
from marketplace.cli.accounts import credit_by_hand, make_account
from marketplace.demo.market import sample_market
from marketplace.demo.opening import Wanted, fill_in, next_opening
from marketplace.demo.set_clock import SetClock
from marketplace.demo.settling import LOGINS
from marketplace.jobs import settle_due
from marketplace.leads.desk import desk
from marketplace.leads.intake import Sender
from marketplace.leads.submission import Submission
from marketplace.orders.standing import place_order
from marketplace.orders.terms import OrderBody

DAYS = 30
REFUSED_ONE_IN = 5
PASSWORD = "benchmark-only"
Row = tuple[UUID, UUID, datetime, bytes, bool]


@dataclass(frozen=True, slots=True)
class Exchange:
    """An exchange with people who sign in: who they are, by kind, the demonstration's first."""

    app: Flask
    url: str
    people: dict[str, list[str]]
    settings: Settings


@contextmanager
def open_exchange(scale: float, sales: int) -> Iterator[Exchange]:
    """Open one in a database of its own, inside its application's context; nothing of it is left afterwards."""
    settings = Settings(data_folder=Path(tempfile.mkdtemp(prefix="leadbourse-bench-")), show_design=True)
    try:
        with filled_exchange(settings, scale, sales) as exchange:
            yield exchange
        discard_embedded(settings)
    finally:
        shutil.rmtree(settings.data_folder, ignore_errors=True)


@contextmanager
def filled_exchange(
    settings: Settings, scale: float, sales: int, opens_at: datetime | None = None, days: int = DAYS
) -> Iterator[Exchange]:
    """Fill an exchange in this data folder; its clock stands where the demonstration opens. No sales: only its days."""
    opens_at = opens_at or next_opening(datetime.now(UTC))
    clock = SetClock(opens_at)
    with open_database(settings) as database:
        app = create_app(settings, database.url, clock)
        with app.app_context():
            migrate()
            with transaction():
                ship_verticals(datetime.now(UTC))
            wanted = Wanted(days, scale, sample_market().size.seed, opens_at)
            fill_in(wanted, settings.data_folder, clock, PASSWORD, lambda _at, _leads: None)
            clock.at = opens_at
            people = {kind: [email] for email, kind in _logins()}
            if sales:
                for kind, email in _long_history(sales, clock).items():
                    people[kind].append(email)
            _settle_statistics()
            yield Exchange(app, database.url, people, settings)
            db.session.remove()
        pool_of(app).close()


def _logins() -> Iterator[tuple[str, str]]:
    query = db.text("SELECT u.email, min(a.kind) FROM core.users u JOIN core.memberships m ON m.user_id = u.id"
                    " JOIN core.accounts a ON a.id = m.account_id WHERE u.email = ANY(:known) GROUP BY 1")  # fmt: skip
    yield from ((email, kind) for email, kind in db.session.execute(query, {"known": list(LOGINS.values())}))
    db.session.rollback()


def _long_history(sales: int, clock: SetClock) -> dict[str, str]:
    """Give one publisher and one buyer that many sales, and return their addresses by kind."""
    now = clock.at
    made = {kind: make_account(kind, f"A large {kind}", f"large-{kind}@example.com", PASSWORD)
            for kind in ("publisher", "buyer")}  # fmt: skip
    publisher_id, buyer_id = (parse_id("acc", made[kind]["account_id"]) for kind in ("publisher", "buyer"))
    credit_by_hand(made["buyer"]["account_id"], "9000000.00", "EUR", "funds to measure with")
    body = {"name": "All leads", "vertical": "education", "price": {"amount": "60.00", "currency": "EUR"}}
    with transaction():
        place_order(buyer_id, convert(body, OrderBody), "system:bench", now)
    for person in ("10000000", "10000000"):  # one is sold, and the same again is refused
        lead = msgspec.json.decode(lead_body("FR-13", person)) | {"consent": _consent(clock.at)}
        desk().intake.take(convert(lead, Submission), Sender(publisher_id, None, by="bench"))
    _copy(publisher_id, sales, now)
    settle_due(now)
    return {kind: str(account["email"]) for kind, account in made.items()}


def _consent(at: datetime) -> dict[str, str]:
    return {"text": "Yes, schools may call me.", "given_at": at.isoformat()}


def _copy(publisher_id: UUID, sales: int, now: datetime) -> None:
    with driver_connection() as connection, connection.transaction():
        connection.execute("CREATE TEMPORARY TABLE crowd (lead_id uuid, sale_id uuid, at timestamptz, contact bytea,"
                           " is_sold boolean)")  # fmt: skip
        with connection.cursor().copy("COPY crowd FROM STDIN") as copy:
            for row in _rows(publisher_id, sales, now):
                copy.write_row(row)
        text = Path(__file__).with_name("crowd.sql").read_text()
        psycopg.ClientCursor(connection).execute(text, {"publisher": publisher_id, "now": now})


def _rows(publisher_id: UUID, sales: int, now: datetime) -> Iterator[Row]:
    """Yield leads spread evenly over the days, each with its contact sealed for it."""
    query = "SELECT id, contact, contact_key FROM marketplace.leads WHERE publisher_id = %s AND status = 'sold'"
    with driver_connection() as connection:
        [(first, sealed, key)] = connection.execute(query, (publisher_id,)).fetchall()
    vault, count = desk().vault, sales + sales // REFUSED_ONE_IN
    plain, step = vault.open(sealed, key, first), timedelta(days=DAYS) / count
    for number in range(count):
        at = now - timedelta(days=DAYS) + step * (number + 1)
        lead, sale = (UUID(int=first_id_at(at).int + (7 << 76) + (2 << 62) + 2 * number + extra) for extra in (0, 1))
        yield lead, sale, at, vault.seal(plain, lead), number % (REFUSED_ONE_IN + 1) > 0


def _settle_statistics() -> None:
    """Do what a server does by itself within minutes: gather statistics, and mark pages whose rows all may see."""
    with driver_connection() as connection:
        connection.execute("VACUUM (ANALYZE)")
