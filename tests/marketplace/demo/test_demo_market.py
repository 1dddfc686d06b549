"""A small sample market is played against the product: its totals, its books, the same again, and no label told."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import text

from core.config import Settings
from core.db import db, pool_of, transaction
from core.errors import Conflict
from core.ids import parse_id
from core.postgres import create_database, drop_database
from marketplace.app import create_app
from marketplace.audit import audit_all
from marketplace.demo.behaviour import Known, Sold, deeds_of, reply_of
from marketplace.demo.cast import Cast
from marketplace.demo.figures import NOT_JUDGED
from marketplace.demo.labels import LabelBook
from marketplace.demo.market import LABELS, sample_market
from marketplace.demo.opening import Wanted, fill_in, next_opening
from marketplace.demo.report import lines_of, report
from marketplace.demo.scale import scaled
from marketplace.demo.set_clock import SetClock
from marketplace.demo.state import DemoState, Member, last_instant, locked, state_in, write_clock, write_state
from tests.conftest import TEMPLATE

OPENS = datetime(2026, 11, 26, 8, 30, tzinfo=UTC)  # a Thursday
FIRST_DAY = OPENS.date()
JUDGED = ("leads_weekday", "mistyped_refused_percent", "refused_percent", "sold_percent", "sales_weekday")
SHAPE = """
    SELECT l.external_id, l.status, l.reasons, l.received_at,
           (SELECT array_agg(s.price_minor ORDER BY s.price_minor) FROM marketplace.sales s WHERE s.lead_id = l.id)
    FROM marketplace.leads l ORDER BY l.external_id
"""
PAUSED = """
    INSERT INTO marketplace.events (subject_id, at, move, actor, why)
    VALUES (:subnet, :at, 'active>paused', 'system:breaker', :why)
"""


@contextmanager
def filled(postgres: str, folder: Path, days: int, scale: float, seed: int = 2026) -> Iterator[DemoState]:
    """Fill a small market in on a database of its own, and enter its application."""
    url, clock = create_database(postgres, "demo", TEMPLATE), SetClock(OPENS)
    app = create_app(Settings(data_folder=folder, database_url=url), url, clock)
    try:
        with app.app_context():
            yield fill_in(Wanted(days, scale, seed, OPENS), folder, clock, "a password", lambda *_: None)
            db.session.remove()
    finally:
        pool_of(app).close()
        drop_database(postgres, "demo")


def rows(query: str) -> list[Any]:
    found = [tuple(row) for row in db.session.execute(text(query))]
    db.session.rollback()
    return found


def test_a_small_market_shows_its_totals_and_its_books_hold(postgres: str, tmp_path: Path) -> None:
    with filled(postgres, tmp_path, 3, 0.25) as state:
        assert audit_all(db.session).ok
        assert state_in(tmp_path) == state and not state.filled
        shown = report(state)
        seen = {each["name"]: each for each in shown["figures"]}
        assert [name for name in JUDGED if not 0.6 < seen[name]["seen"] / seen[name]["expected"] < 1.4] == []
        assert shown["not_judged_yet"] == NOT_JUDGED and len(list(lines_of(shown))) > len(seen) + len(NOT_JUDGED)
        assert [(each["source"], each["seen_hours"]) for each in shown["paused"]] == [
            ("subnet-s9", None), ("turnbad", None),
        ]  # fmt: skip
        assert any("subnet-s9 paused" in line and "not paused" in line for line in lines_of(shown))
        at = datetime(2026, 11, 24, 6, tzinfo=UTC)
        with transaction():
            for source in ("subnet-s90", "subnet-s9"):
                db.session.execute(text(PAUSED), {"subnet": parse_id("acc", state.members["SubNet"].account_id), "at": at,
                                                  "why": f"source {source}: 3 of 9 sales went back"})  # fmt: skip
                at += timedelta(hours=1)
        assert [each["seen_hours"] for each in report(state)["paused"]] == [31.0, None]
        assert rows("SELECT count(*) FROM marketplace.dispositions")[0][0] > 50
        assert rows("SELECT count(*) FROM marketplace.disputes")[0][0] > 3
        first, last = rows("SELECT min(received_at), max(received_at) FROM marketplace.leads")[0]
        assert first.date().isoformat() >= state.first_day and last < OPENS


def test_the_same_seed_makes_the_same_market(postgres: str, tmp_path: Path) -> None:
    def shape_of(seed: int, folder: str) -> list[Any]:
        with filled(postgres, tmp_path / folder, 1, 0.05, seed):
            return rows(SHAPE)

    first = shape_of(1, "first")

    assert len(first) > 20
    assert shape_of(1, "again") == first
    assert shape_of(2, "other") != first


def test_no_true_label_is_in_what_is_posted_or_done() -> None:
    cast = Cast(FIRST_DAY, 0.2, 2026)
    words = {label for label in LABELS if label != "good"} | {"true_label", "caught"}
    for posting in cast.postings(1):
        sent, said = posting.sent, msgspec.json.encode(posting.sent.body).decode()
        # The names of kinds of pseudo-leads occur in no body, nor does an id that would tell.
        assert not [word for word in words - {"duplicate"} if word in said], said
        assert sent.body["external_id"].rsplit("-", 2)[0] == posting.publisher.slug


def test_deeds_are_the_same_whoever_asks() -> None:
    cast = Cast(FIRST_DAY, 1, 2026)
    buyer, rules = cast.buyer("ReturnKing"), cast.rules("car-insurance")
    sold = Sold("sale_1", "lead_1", "car-insurance", "warm", 1320, OPENS)

    def deeds(name: str, label: Any) -> list[Any]:
        return deeds_of(buyer, sold, Known(name, label), cast.market, rules, cast.bad_bp)

    names = [f"lead-{number}" for number in range(400)]
    assert [deeds(name, "good") for name in names] == [deeds(name, "good") for name in names]
    disputes = [deed for name in names for deed in deeds(name, "good") if deed.kind == "dispute"]
    assert 40 < len(disputes) < 140
    assert all(deed.at > OPENS for deed in disputes)


def test_a_dead_endpoint_is_dead_for_twenty_minutes_and_strange_at_times() -> None:
    does = Cast(FIRST_DAY, 1, 2026).buyer("DeadEndpoint").behaviour

    assert {reply_of(does, f"sale_{n}", "11:10", 1).status for n in range(50)} == {500}
    replies = [reply_of(does, f"sale_{n}", "12:10", 1) for n in range(500)]
    assert {reply.status for reply in replies} == {200}
    assert {reply.content_type for reply in replies} == {"application/json", "text/html"}


def test_an_insurer_refuses_whom_it_knows_however_often_it_is_asked() -> None:
    does = Cast(FIRST_DAY, 1, 2026).buyer("NordAssur").behaviour

    refused = [n for n in range(2000) if b"known customer" in reply_of(does, f"sale_{n}", "10:00", 1).body]

    assert 0.06 < len(refused) / 2000 < 0.12
    assert all(b"known" in reply_of(does, f"sale_{n}", "17:00", 1).body for n in refused)


def test_a_smaller_market_keeps_everybody() -> None:
    small = scaled(sample_market(), 0.05)

    assert all(publisher.leads_a_weekday >= 1 for publisher in small.publishers)
    assert small.size.weekday_leads == sum(each.leads_a_weekday for each in small.publishers) < 40
    assert scaled(sample_market(), 1) is sample_market()


def test_the_market_opens_in_the_morning_and_never_in_the_past() -> None:
    assert next_opening(OPENS) == OPENS
    for hour in range(24):
        now = datetime(2026, 11, 26, hour, 45, tzinfo=UTC)
        assert 0 <= (next_opening(now) - now).total_seconds() < 86_400


def test_notes_are_kept_for_the_next_start_and_for_their_owner_only(tmp_path: Path) -> None:
    state = DemoState("2026-10-27", 30, 1.0, 2026, OPENS, members={"A": Member("buyer", "acc_1", "a@example.com", "k")})
    write_state(tmp_path, state)
    write_clock(tmp_path, OPENS, 24)

    assert state_in(tmp_path) == state
    assert last_instant(tmp_path) == OPENS
    assert (tmp_path / "demo" / "state.json").stat().st_mode & 0o077 == 0


def test_labels_survive_a_process_that_was_killed_while_it_wrote(tmp_path: Path) -> None:
    book = LabelBook(tmp_path)
    book.write("lead_1", Known("comparo-0-1", "bot"))
    book.close()
    with (tmp_path / "demo" / "labels.ndjson").open("a") as torn:
        torn.write('["lead_2", "compa')

    again = LabelBook(tmp_path)

    assert again.find("lead_1") == Known("comparo-0-1", "bot")
    assert again.find("lead_2") is None
    again.close()


def test_one_demonstration_has_a_data_folder(tmp_path: Path) -> None:
    with locked(tmp_path), pytest.raises(Conflict) as refusal, locked(tmp_path):
        pass

    assert refusal.value.code == "demo_running"
