"""Leads by file: each sale in exactly one, at its slot, under one name however often it is tried, delivered when taken."""

import csv
import email
import io
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email import policy
from pathlib import Path
from typing import Any

import psycopg
import pytest
from flask import Flask

from core.db import transaction
from core.outbound import SftpDoor
from marketplace.jobs import run_due
from marketplace.leads.delivery.courier import deliver_due
from marketplace.leads.delivery.files import runner
from marketplace.leads.delivery.files.outgoing import Handed
from marketplace.leads.delivery.files.runner import deliver_files, run_files
from marketplace.leads.delivery.files.slots import latest_slot
from marketplace.leads.delivery.settings import CsvSchedule
from tests.at_once import ask, at_once, no_deadlocks, wait_until
from tests.conftest import START
from tests.factories import Market, Member
from tests.fakes.sftp import PASSWORD, FileServer, file_server

COLUMNS = {"E-mail": "contact.email", "Note": "comments", "Sale": "sale_id"}
NOON = START + timedelta(hours=2)
DAILY = {"hours": [12], "days": ["sun", "mon"], "timezone": "UTC"}  # START is a Sunday, 10:00 UTC


@pytest.fixture
def publisher(market: Market) -> Member:
    return market.make_publisher()


@pytest.fixture
def server(app: Flask, tmp_path: Path) -> Iterator[FileServer]:
    app.extensions["leadbourse_settings"] = replace(app.extensions["leadbourse_settings"], allow_private_targets=True)
    app.extensions["leadbourse_sftp"] = SftpDoor(allow_private=True)
    with file_server(tmp_path / "server") as served:
        yield served


def by_sftp(server: FileServer, **changes: Any) -> dict[str, Any]:
    said = {"kind": "csv", "columns": COLUMNS, "sftp_url": server.url, "password": PASSWORD,
            "host_key": server.host_key, "schedule": DAILY}  # fmt: skip
    return said | changes


def states(buyer: Member) -> list[str]:
    return [sale["state"] for sale in buyer.get("/sales")["items"]]


def rows_in(file: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(file.decode())))


def sell(market: Market, publisher: Member, count: int = 1) -> list[str]:
    """Sell some leads and let the courier set them aside; return their addresses."""
    leads = [market.lead() for _ in range(count)]
    for lead in leads:
        publisher.post("/leads", lead)
    deliver_due(market.clock.now())
    return [lead["contact"]["email"] for lead in leads]


# -- slots -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("hours", "zone", "at", "slot"),
    [((8,), "Europe/Paris", "2026-11-23T06:59:59+00:00", "2026-11-20T07:00:00+00:00"),  # Monday early: Friday's
     ((8,), "Europe/Paris", "2026-11-23T07:00:00+00:00", "2026-11-23T07:00:00+00:00"),
     ((8, 14), "America/New_York", "2026-11-23T20:00:00+00:00", "2026-11-23T19:00:00+00:00"),
     ((2,), "Europe/Paris", "2027-03-28T05:00:00+00:00", "2027-03-26T01:00:00+00:00"),  # a Sunday, not listed
     ((0,), "Pacific/Auckland", "2026-11-22T11:00:00+00:00", "2026-11-22T11:00:00+00:00"),  # Monday there
     ],
)  # fmt: skip
def test_the_latest_slot_is_by_the_wall_clock_of_the_zone(hours, zone: str, at: str, slot: str) -> None:
    schedule = CsvSchedule(hours=hours)
    assert latest_slot(schedule, zone, datetime.fromisoformat(at)) == datetime.fromisoformat(slot)


def test_an_hour_that_is_skipped_or_comes_twice_is_due_once() -> None:
    days = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    two = CsvSchedule(hours=(2,), days=days, timezone="Europe/Paris")
    spring = [latest_slot(two, "UTC", datetime(2027, 3, 28, hour, 30, tzinfo=UTC)) for hour in range(4)]
    autumn = [latest_slot(two, "UTC", datetime(2027, 10, 31, hour, 30, tzinfo=UTC)) for hour in range(4)]
    assert [slot.day for slot in spring] == [27, 28, 28, 28] and spring[-1].hour == 1
    assert set(autumn) == {datetime(2027, 10, 31, 0, tzinfo=UTC)}  # 02:00 comes again an hour later


# -- by SFTP -----------------------------------------------------------------------------------------------------------


def test_leads_wait_for_their_slot_and_are_delivered_when_their_file_is_taken(
    market: Market, publisher: Member, server: FileServer
) -> None:
    buyer = market.make_buyer()
    market.make_order(buyer, delivery=by_sftp(server))
    addresses = sell(market, publisher, 3)
    assert states(buyer) == ["held"] * 3
    assert deliver_files(NOON - timedelta(seconds=1)) == 0 and server.files == {}
    assert deliver_files(NOON) == 1
    ((name, content),) = server.files.items()
    header, *rows = rows_in(content)
    assert name.startswith("leads-20261122-1200-file_") and name.endswith(".csv")
    assert header == list(COLUMNS) and [row[0] for row in rows] == addresses
    assert states(buyer) == ["delivered"] * 3
    sale = buyer.get("/sales")["items"][0]
    (attempt,) = buyer.get(f"/sales/{sale['id']}/deliveries")["items"]
    assert (attempt["number"], attempt["outcome"]) == (1, "accepted")
    assert sale["delivered_at"] == "2026-11-22T12:00:00Z"


def test_an_empty_slot_sends_nothing_and_the_next_takes_what_came_since(
    market: Market, publisher: Member, server: FileServer, clock: Any
) -> None:
    buyer = market.make_buyer()
    market.make_order(buyer, delivery=by_sftp(server))
    assert deliver_files(NOON) == 0
    clock.instant = NOON  # at the slot itself: the next one's
    (address,) = sell(market, publisher)
    assert deliver_files(NOON + timedelta(hours=23)) == 0
    assert deliver_files(NOON + timedelta(days=1)) == 1
    ((name, content),) = server.files.items()
    assert "20261123-1200" in name and rows_in(content)[1][0] == address


def test_what_is_sold_at_the_slot_itself_goes_with_the_next_one(
    market: Market, publisher: Member, server: FileServer, clock: Any
) -> None:
    market.make_order(market.make_buyer(), delivery=by_sftp(server))
    before = sell(market, publisher)
    clock.instant = NOON
    sell(market, publisher)
    deliver_files(NOON)
    (content,) = server.files.values()
    assert [row[0] for row in rows_in(content)[1:]] == before


def test_run_due_does_due_files(market: Market, publisher: Member, server: FileServer) -> None:
    buyer = market.make_buyer()
    market.make_order(buyer, delivery=by_sftp(server))
    publisher.post("/leads", market.lead())
    assert run_due(NOON + timedelta(hours=1))["files"] == 1
    assert states(buyer) == ["delivered"] and len(server.files) == 1


def test_the_worker_s_loop_delivers_files_and_ends_when_told(
    market: Market, publisher: Member, server: FileServer, app: Flask, monkeypatch: pytest.MonkeyPatch, clock: Any
) -> None:
    monkeypatch.setattr(runner, "LOOK_SECONDS", 0.05)
    buyer = market.make_buyer()
    market.make_order(buyer, delivery=by_sftp(server))
    sell(market, publisher, 2)
    clock.instant = NOON
    ended = threading.Event()
    loop = threading.Thread(target=run_files, args=(app, ended))
    loop.start()
    try:
        wait_until(lambda: states(buyer) == ["delivered"] * 2)
    finally:
        ended.set()
        loop.join()
    assert len(server.files) == 1


def test_separator_encoding_header_and_formulas(market: Market, publisher: Member, server: FileServer) -> None:
    market.app.json.sort_keys = False  # type: ignore[attr-defined]  # as the test client would
    buyer = market.make_buyer()
    market.make_order(buyer, delivery=by_sftp(server, separator=";", encoding="windows-1252", header=False,
                                              columns={"Note": "comments", "Name": "contact.first_name"}))  # fmt: skip
    lead = market.lead(comments="=HYPERLINK(1)")
    lead["contact"]["first_name"] = "Élodie \u0416"
    publisher.post("/leads", lead)
    deliver_due(START)
    deliver_files(NOON)
    assert list(server.files.values()) == ["'=HYPERLINK(1);Élodie ?\r\n".encode("cp1252")]


def test_two_workers_at_one_slot_make_one_file_and_no_sale_is_in_two(
    market: Market, publisher: Member, server: FileServer, app: Flask, database_url: str
) -> None:
    buyer = market.make_buyer()
    market.make_order(buyer, delivery=by_sftp(server))
    sell(market, publisher, 12)

    def work() -> int:
        with app.app_context():
            return deliver_files(NOON)

    with no_deadlocks(database_url, app):
        assert sum(at_once([work] * 6)) == 1
    assert len(server.files) == 1 and states(buyer) == ["delivered"] * 12
    assert ask(database_url, "SELECT count(*), count(DISTINCT file_id) FROM marketplace.filed_sales") == [(12, 1)]


def test_a_sale_never_leaves_its_file(market: Market, publisher: Member, server: FileServer, database_url: str) -> None:
    market.make_order(market.make_buyer(), delivery=by_sftp(server))
    sell(market, publisher)
    deliver_files(NOON)
    for sql in ("UPDATE marketplace.filed_sales SET file_id = NULL RETURNING 1",
                "DELETE FROM marketplace.filed_sales RETURNING 1"):  # fmt: skip
        with pytest.raises(psycopg.errors.RestrictViolation):
            ask(database_url, sql)


def test_a_worker_that_dies_between_the_upload_and_its_record_leaves_one_file(
    market: Market, publisher: Member, server: FileServer, monkeypatch: pytest.MonkeyPatch, database_url: str
) -> None:
    buyer = market.make_buyer()
    market.make_order(buyer, delivery=by_sftp(server))
    addresses = sell(market, publisher, 2)
    with monkeypatch.context() as dying:
        dying.setattr(runner, "_record", lambda *_: None)
        deliver_files(NOON)
    assert states(buyer) == ["held"] * 2
    ((name, content),) = server.files.items()
    assert deliver_files(NOON + timedelta(minutes=1)) == 0  # another may still have it in hand
    ask(database_url, "UPDATE marketplace.delivery_files SET lease_until = now() - interval '1 s' RETURNING id")
    sell(market, publisher)  # what comes later is not in it
    assert deliver_files(NOON + timedelta(minutes=1)) == 1
    assert server.files == {name: content} and [row[0] for row in rows_in(content)[1:]] == addresses
    assert sorted(states(buyer)) == ["delivered", "delivered", "held"]


def test_who_answers_after_his_lease_was_taken_over_changes_nothing(
    market: Market, publisher: Member, server: FileServer, database_url: str
) -> None:
    buyer = market.make_buyer()
    order = market.make_order(buyer, delivery=by_sftp(server))
    sell(market, publisher)
    deliver_files(NOON)
    ((file_id,),) = ask(database_url, "SELECT id FROM marketplace.delivery_files")
    with transaction():
        runner._record(file_id, Handed("refused", "late"), NOON + timedelta(minutes=6))
    assert states(buyer) == ["delivered"] and buyer.get(f"/orders/{order['id']}")["status"] == "active"


def test_a_server_that_fails_is_tried_at_its_times_and_takes_the_same_file_in_the_end(
    market: Market, publisher: Member, server: FileServer, database_url: str
) -> None:
    buyer = market.make_buyer()
    market.make_order(buyer, delivery=by_sftp(server))
    sell(market, publisher)
    server.refuses = "open"
    tries = [deliver_files(NOON + timedelta(seconds=after)) for after in (0, 4, 5, 29, 30)]
    assert tries == [1, 0, 1, 0, 1] and server.files == {}
    told = [row[0] for row in ask(database_url, "SELECT payload FROM core.outbox")]
    news = [one["data"] for one in told if one["event"] == "order.file_not_taken"]
    assert [(one["given_up"], one["why"][:8]) for one in news] == [(False, "refused:")]
    server.refuses = ""
    assert deliver_files(NOON + timedelta(seconds=120)) == 1
    sale = buyer.get("/sales")["items"][0]
    tried = buyer.get(f"/sales/{sale['id']}/deliveries")["items"]
    assert [one["outcome"] for one in tried] == ["error", "error", "error", "accepted"]


def test_after_six_hours_the_leads_go_to_the_next_buyers_and_the_order_is_paused(
    market: Market, publisher: Member, server: FileServer
) -> None:
    first, second = market.make_buyer("100.00"), market.make_buyer()
    order = market.make_order(first, "30.00", delivery=by_sftp(server))
    market.make_order(second, "20.00")
    sell(market, publisher, 2)
    other = by_sftp(server, host_key=server.host_key.replace("AAAA", "AAAB", 1))
    first.request("PATCH", f"/orders/{order['id']}", {"delivery": other})
    for after in runner.TRIES:
        deliver_files(NOON + timedelta(seconds=after))
    assert states(first) == ["failed"] * 2 and server.sign_ins == []
    assert first.get("/wallet")["available"]["amount"] == "100.00"
    assert first.get(f"/orders/{order['id']}")["status"] == "paused"
    deliver_due(NOON + timedelta(hours=7))
    assert states(second) == ["delivered"] * 2


def test_a_mended_order_s_waiting_file_goes_by_its_new_settings(
    market: Market, publisher: Member, server: FileServer
) -> None:
    buyer = market.make_buyer()
    order = market.make_order(buyer, delivery=by_sftp(server, password="wrong"))
    sell(market, publisher)
    deliver_files(NOON)
    assert server.files == {}
    buyer.request("PATCH", f"/orders/{order['id']}", {"delivery": by_sftp(server)})
    deliver_files(NOON + timedelta(seconds=5))
    assert len(server.files) == 1
    buyer.request("PATCH", f"/orders/{order['id']}", {"delivery": {"kind": "none"}})  # what is filed stays filed
    assert states(buyer) == ["delivered"]


# -- credentials -------------------------------------------------------------------------------------------------------


def test_the_password_is_sealed_never_shown_and_kept_when_a_change_brings_none(
    market: Market, publisher: Member, server: FileServer, database_url: str
) -> None:
    buyer = market.make_buyer()
    order = market.make_order(buyer, delivery=by_sftp(server))
    assert "password" not in order["delivery"]
    stored = ask(
        database_url, "SELECT v.terms::text, c.sealed FROM marketplace.order_versions v, marketplace.file_credentials c"
    )
    assert PASSWORD not in stored[0][0] and PASSWORD.encode() not in stored[0][1]
    changed = buyer.request("PATCH", f"/orders/{order['id']}", {"price": {"amount": "21.00", "currency": "EUR"}})
    assert changed.status_code == 200, changed.text
    without = by_sftp(server, password=None, separator=";")
    assert buyer.request("PATCH", f"/orders/{order['id']}", {"delivery": without}).status_code == 200
    sell(market, publisher)
    deliver_files(NOON)
    assert len(server.files) == 1


def test_a_password_is_never_led_to_another_server(market: Market, server: FileServer) -> None:
    buyer = market.make_buyer()
    order = market.make_order(buyer, delivery=by_sftp(server))
    for change in (
        {"sftp_url": "sftp://leads@evil.example/in"},
        {"host_key": server.host_key.replace("AAAA", "AAAB", 1)},
    ):
        moved = by_sftp(server, password=None, **change)
        answer = buyer.request("PATCH", f"/orders/{order['id']}", {"delivery": moved})
        assert (answer.status_code, answer.json["errors"][0]["field"]) == (422, "delivery.password"), change
    assert buyer.get(f"/orders/{order['id']}")["version"] == 1


@pytest.mark.parametrize(
    ("change", "fault"),
    [({"password": None}, "delivery.password required"), ({"host_key": None}, "delivery.host_key required"),
     ({"host_key": "ssh-ed25519 nonsense!"}, "delivery.host_key invalid_value"),
     ({"private_key": "x"}, "delivery.password one_source"),
     ({"password": None, "private_key": "x"}, "delivery.private_key invalid_value"),
     ({"to": "a@crm.example"}, "delivery.to one_source"), ({"sftp_url": None}, "delivery.password invalid_value"),
     ({"sftp_url": "sftp://leads:pw@files.example/in"}, "delivery.sftp_url invalid_url")],
)  # fmt: skip
def test_a_server_that_cannot_be_used_is_refused_when_it_is_saved(
    market: Market, server: FileServer, change: dict[str, Any], fault: str
) -> None:
    body = {"name": "x", "vertical": "education", "price": {"amount": "9.00", "currency": "EUR"},
            "delivery": by_sftp(server, **change)}  # fmt: skip
    answer = market.make_buyer().request("POST", "/orders", body)
    assert answer.status_code == 422, answer.text
    assert fault in [f"{one['field']} {one['code']}" for one in answer.json["errors"]]


def test_a_server_inside_is_refused_unless_it_is_allowed(market: Market, server: FileServer, app: Flask) -> None:
    app.extensions["leadbourse_sftp"] = SftpDoor(allow_private=False)
    body = {"name": "x", "vertical": "education", "price": {"amount": "9.00", "currency": "EUR"},
            "delivery": by_sftp(server)}  # fmt: skip
    answer = market.make_buyer().request("POST", "/orders", body)
    assert [f"{one['field']} {one['code']}" for one in answer.json["errors"]] == ["delivery.sftp_url target_refused"]


# -- by mail -----------------------------------------------------------------------------------------------------------


def test_a_file_goes_by_mail_and_what_comes_back_pauses_its_order(
    market: Market, publisher: Member, tmp_path: Path
) -> None:
    buyer = market.make_buyer()
    order = market.make_order(buyer, delivery={"kind": "csv", "columns": COLUMNS, "schedule": DAILY})
    addresses = sell(market, publisher, 2)
    deliver_files(NOON)
    (path,) = (tmp_path / "mail").glob("*.eml")
    mail: Any = email.message_from_bytes(path.read_bytes(), policy=policy.default)
    (attached,) = mail.iter_attachments()
    assert [row[0] for row in rows_in(attached.get_content().encode())[1:]] == addresses
    assert attached.get_filename().endswith(".csv") and states(buyer) == ["delivered"] * 2
    token = mail["Message-ID"].strip("<>").partition("@")[0]
    report = tmp_path / "mail" / "bounces" / "1.eml"
    report.parent.mkdir()
    report.write_text(
        f"From: mailer-daemon@mx.example\nTo: x+{token}@localhost\n\n<{mail['To']}>: 550 5.1.1 no such person\n"
    )
    assert run_due(NOON + timedelta(minutes=5))["bounces"] == 1
    assert states(buyer) == ["delivered"] * 2 and buyer.get(f"/orders/{order['id']}")["status"] == "paused"
    sale = buyer.get("/sales")["items"][0]
    assert buyer.get(f"/sales/{sale['id']}/deliveries")["items"][0]["bounce"].startswith("bounced 5.1.1")
