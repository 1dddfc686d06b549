"""What was declined before declines were kept with the charges still counts, and what was paid or resumed is free."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from flask_migrate import upgrade
from sqlalchemy import text

from core.config import Settings
from core.db import db, pool_of, transaction
from core.ids import new_id
from core.postgres import create_database, drop_database
from marketplace.app import create_app
from tests.conftest import SetClock

MIGRATIONS = Path(__file__).resolve().parents[3] / "migrations"


@pytest.fixture
def before(postgres: str, clock: SetClock, tmp_path: Path) -> Iterator[SetClock]:
    """Provide a database as it was before, in the application's context."""
    url = create_database(postgres, "before_tries")
    app = create_app(Settings(data_folder=tmp_path, database_url=url), url, clock)
    with app.app_context():
        upgrade(directory=str(MIGRATIONS), revision="0036")
        yield clock
        db.session.remove()
    pool_of(app).close()
    drop_database(postgres, "before_tries")


def run(statement: str, **values: Any) -> list[Any]:
    with transaction() as session:
        done: Any = session.execute(text(statement), values)
        return list(done) if done.returns_rows else []


def wallet(at: Any, declines: int, asked: int | None, *codes: str) -> UUID:
    """Add a wallet that tops itself up, with charges that ended so, an hour apart."""
    account, card = new_id(), new_id()
    run("INSERT INTO billing.saved_cards (id, account_id, customer_id, method_id, brand, last4, exp_month, exp_year, "
        "saved_at) VALUES (:card, :id, :id, :card, 'visa', '4242', 12, 2034, :at)", card=card, id=account, at=at)  # fmt: skip
    run("INSERT INTO billing.recharges (account_id, currency, is_on, daily_most_minor, version, declines, paused_why, "
        "paused_at, asked_minor, actor, changed_at) VALUES (:id, 'EUR', true, 900, 1, :declines, :why, :paused, :asked, "
        "'x', :at)", id=account, declines=declines, why="authentication" if asked else None,
        paused=at if asked else None, asked=asked, at=at)  # fmt: skip
    for number, code in enumerate(codes):
        run("WITH t AS (INSERT INTO billing.top_ups (id, account_id, currency, amount_minor, state, actor, opened_at, "
            "ended_at, card_id) VALUES (:top, :id, 'EUR', 100, 'refused', 'x', :at, :at, :card)) "
            "INSERT INTO billing.recharge_log (id, account_id, currency, at, code, top_up_id, says, actor) "
            "VALUES (:note, :id, 'EUR', :at, :code, :top, 'x', 'x')", top=new_id(), note=new_id(), id=account, card=card,
            at=at.replace(hour=number), code=code)  # fmt: skip
    return account


def test_declines_are_kept_and_what_was_resumed_or_paid_is_free(before: SetClock) -> None:
    at = before.now()
    declined = wallet(at, 2, None, "declined", "not_sent", "declined")
    resumed = wallet(at, 0, None, "declined")
    asked = wallet(at, 0, 100, "authentication_required")
    paid = wallet(at, 0, 100, "authentication_required")
    run("INSERT INTO billing.top_ups (id, account_id, currency, amount_minor, state, payment_id, actor, opened_at, "
        "ended_at) VALUES (:top, :id, 'EUR', 100, 'paid', 'pi_x', 'x', :at, CAST(:at AS timestamptz) + interval '1 h')",
        top=new_id(), id=paid, at=at)  # fmt: skip
    upgrade(directory=str(MIGRATIONS))

    def kept(account: UUID) -> tuple[list[str | None], bool, int | None]:
        lost = run("SELECT declined_as FROM billing.top_ups WHERE account_id = :id AND card_id IS NOT NULL ORDER BY "
                   "opened_at", id=account)  # fmt: skip
        [row] = run("SELECT resumed_after, asked_minor FROM billing.recharges WHERE account_id = :id", id=account)
        return [one.declined_as for one in lost], row.resumed_after is not None, row.asked_minor

    assert kept(declined) == (["declined", None, "declined"], False, None)
    assert kept(resumed) == (["declined"], True, None)
    assert kept(asked) == (["authentication"], False, 100)
    assert kept(paid) == (["authentication"], False, None)
