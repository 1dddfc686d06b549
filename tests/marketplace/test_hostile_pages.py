"""What a hostile publisher and a stingy buyer try on their pages: others' ids, odd values, floods, double clicks."""

import io
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from flask import Flask

from core.db import transaction
from core.ids import parse_id
from marketplace.leads.source_breaker import set_standing
from marketplace.web.buyer.claim import _instant
from tests.conftest import SetClock
from tests.deals import Deal, make_deal
from tests.factories import Market, Member
from tests.marketplace.test_dispute_rules import apply, vertical
from tests.marketplace.test_portal_pages import visitor_of
from tests.marketplace.test_upload_pages import SAID, file_of, upload, uploaded
from tests.visitor import Visitor, words_of

URL = "https://hooks.example.com/in"
# What forms want to be said before they ask the domain.
FILLED = {"note": "no", "reason": "bot", "name": "x", "accept": "no", "url": URL,
          "address": "a@example.com"}  # fmt: skip


@pytest.fixture
def sender(market: Market) -> Member:
    """Make a publisher."""
    return market.make_publisher()


@pytest.fixture
def reader(market: Market, sender: Member) -> Visitor:
    """Sign in as the publisher."""
    return visitor_of(market, sender)


def test_a_version_that_is_no_number_is_refused_in_words(market: Market, reader: Visitor) -> None:
    path = uploaded(reader, market)
    for version in ("x", "", "²", "9" * 5000):
        answer = reader.send(path, **SAID | {"version": version})
        assert answer.status_code == 200 and "Somebody changed what the columns mean" in words_of(answer), version


def test_a_source_paused_before_the_start_is_told_on_the_check(
    market: Market, sender: Member, reader: Visitor, clock: SetClock
) -> None:
    path = uploaded(reader, market)
    reader.send(path, **SAID)
    with transaction():
        set_standing(parse_id("acc", sender.id), "files", "paused", "too much went back", "system:test", clock.now())
    answer = reader.send(f"{path}/run/1", form_at=f"{path}/check")
    assert answer.location == f"{path}/check"
    assert "ask an operator to readmit it" in words_of(reader.open(answer.location))


def test_a_start_by_an_older_check_shows_the_check_as_it_is_now(market: Market, reader: Visitor) -> None:
    path = uploaded(reader, market)
    reader.send(path, **SAID)
    reader.send(path, **SAID | {"version": "1", "country": "BE"})
    answer = reader.send(f"{path}/run/1", form_at=f"{path}/check")
    assert answer.location == f"{path}/check"
    assert "Somebody changed what the columns mean" in words_of(reader.open(answer.location))
    assert reader.send(f"{path}/run/2", form_at=f"{path}/check").location == path


def test_long_names_and_cells_do_not_swell_the_pages(market: Market, reader: Visitor) -> None:
    data = file_of(market).split(b"\n", 1)
    head = data[0] + b"," + b"n" * 100_000
    rows = [row + b"," + b"v" * 100_000 for row in data[1].split(b"\n")[:3]]
    path = upload(reader, b"\n".join([head, *rows])).location
    everywhere = {f"contact-{name}-column": "3" for name in ("city", "address", "company", "position", "last_name")}
    assert len(reader.open(path).text) < 1_000_000
    checked = reader.send(path, **SAID | everywhere)
    assert checked.status_code == 302, words_of(checked)[:3000]
    assert len(reader.open(checked.location).text) < 200_000


def test_calls_with_a_zone_of_their_own_keep_it() -> None:
    assert _instant("2026-11-28T10:00+05:00", ZoneInfo("Europe/Paris")) == datetime(2026, 11, 28, 5, tzinfo=UTC)
    assert _instant("2026-11-28 10:00", ZoneInfo("Europe/Paris")) == datetime(2026, 11, 28, 9, tzinfo=UTC)


@pytest.mark.parametrize("text", ["0001-01-01T00:00", "9999-12-31T23:59", "2026-11-28T10:00+05:00"])
@pytest.mark.parametrize("zone", ["Asia/Tokyo", "America/Lima"])
def test_a_follow_up_at_the_end_of_time_is_refused_or_kept(deal: Deal, market: Market, text: str, zone: str) -> None:
    visitor = visitor_of(market, deal.buyer)
    answer = visitor.send(f"/buyer/leads/{deal.sale}", status="attempted", follow_up_at=text, zone=zone)
    assert answer.status_code in (200, 302)


def test_a_flood_of_lines_that_are_no_calls_is_answered_shortly(market: Market, clock: SetClock) -> None:
    apply(vertical({"disputes": {"unreachable": {"enabled": True}}}))
    deal = make_deal(market)
    clock.advance(hours=97)
    visitor, path = visitor_of(market, deal.buyer), f"/buyer/leads/{deal.sale}/dispute"
    answer = visitor.send(path, reason="unreachable", calls="x\n" * 20_000)
    assert answer.status_code == 200 and 1 < answer.text.count("as 2026-11-28 10:00") < 30
    assert "Name at most 20 calls" in answer.text


def test_a_form_for_a_new_secret_that_is_sent_twice_makes_one(market: Market) -> None:
    buyer = market.make_buyer()
    visitor = visitor_of(market, buyer)
    hook = visitor.send("/programs/webhooks/new", url=URL).location.removesuffix("/made")
    after = ""
    for _ in range(2):
        [after] = visitor.read(hook).xpath("//input[@name='after']/@value")
        assert visitor.send(f"{hook}/secret", hook, after=after).location == f"{hook}/made"
    again = visitor.send(f"{hook}/secret", hook, after=after)
    assert again.location == hook and "made meanwhile" in words_of(visitor.open(hook))


def test_evidence_that_is_refused_leaves_no_bytes(deal: Deal, market: Market, tmp_path: Path) -> None:
    visitor = visitor_of(market, deal.buyer)
    path, good = f"/buyer/leads/{deal.sale}/dispute", [(io.BytesIO(b"words"), "a.txt"), (io.BytesIO(b"more"), "b.txt")]
    bad = [*good, (io.BytesIO(bytes(range(256))), "c.txt")]
    assert visitor.send(path, reason="bot", note="n", file=bad).status_code == 200
    assert list((tmp_path / "evidence").glob("*")) == []
    flood = [(io.BytesIO(bytes(range(256))), f"{number}.txt") for number in range(300)]
    answer = visitor.send(path, reason="bot", note="n", file=flood)
    assert "at most" in words_of(answer) and "299.txt" not in answer.text
    assert list((tmp_path / "evidence").glob("*")) == []
    assert visitor.send(path, reason="bot", note="n", file=[(io.BytesIO(b"words"), "a.txt")]).status_code == 302
    assert len(list((tmp_path / "evidence").glob("*"))) == 1


def test_a_keys_secret_is_not_shown_as_a_webhooks(market: Market) -> None:
    visitor = visitor_of(market, market.make_buyer())
    hook = visitor.send("/programs/webhooks/new", url=URL).location
    visitor.read(hook)
    made = visitor.send("/programs/keys/new", name="CRM", scopes=["orders:read"]).location
    assert "lb_" not in visitor.open(hook).text
    assert "lb_" in visitor.open(made).text


def test_nothing_of_an_account_is_there_for_another(app: Flask, market: Market, deal: Deal) -> None:
    """Walk every page that takes an id, as somebody of the same kind whose it is not."""
    ids, walked = owned(market, deal), set()
    for kind in ("buyer", "publisher"):
        stranger = visitor_of(market, market.make(kind))
        token = stranger.token("/programs/keys/new")
        for rule in app.url_map.iter_rules():
            room = rule.endpoint.partition(".")[0]
            if room not in (kind, "programs") or not rule.arguments & set(ids):
                continue
            values = {name: ids.get(f"{room} {name}", ids.get(name, "")) for name in rule.arguments}
            path = app.url_map.bind("localhost").build(rule.endpoint, values)
            for method in (rule.methods or set()) & {"GET", "POST"}:
                sent = {"csrf_token": token, "status": "paused", **FILLED}
                answer = stranger.open(path, method, dict(sent) if method == "POST" else None)
                assert answer.status_code == 404, (method, path, answer.status_code, answer.location)
                walked.add((rule.endpoint, method))
    assert len(walked) > 40, sorted(walked)


def owned(market: Market, deal: Deal) -> dict[Any, Any]:
    visitor, publisher = visitor_of(market, deal.buyer), visitor_of(market, deal.publisher)
    hook = visitor.send("/programs/webhooks/new", url=URL).location.split("/")[3]
    visitor.send(f"/programs/webhooks/{hook}/test", form_at=f"/programs/webhooks/{hook}")
    key = deal.buyer.get("/keys")["items"][0]["id"]
    made = visitor.send("/buyer/lists/new", name="mine", country="", file=(io.BytesIO(b"a@example.com"), "l.txt"))
    listed = made.location.rpartition("/")[2]
    evidence = (io.BytesIO(b"words of the lead"), "a.txt")
    said = visitor.send(f"/buyer/leads/{deal.sale}/dispute", reason="bot", note="no", file=evidence)
    dispute = said.location.rpartition("/")[2]
    file = visitor.read(said.location).xpath("//a[contains(@href, '/files/')]/@href")[0].rpartition("/")[2]
    delivery = str(visitor.read(f"/programs/webhooks/{hook}").xpath("//form[contains(@action, '/replay')]/@action")[0])
    return {"webhook": hook, "key": key, "wanted": listed, "dispute": dispute, "file": file, "sale": str(deal.sale),
            "delivery": delivery.split("/")[5], "what": "test", "version": 1,
            "upload": uploaded(publisher, market).rpartition("/")[2], "order": deal.buyer.get("/orders")["items"][0]["id"],
            "lead": deal.publisher.get("/leads")["items"][0]["id"]}  # fmt: skip
