"""Meta's lead ads: the subscription is verified, events are signed, each lead is fetched once and taken."""

import hashlib
import hmac
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from core.outbound import Answer, NoAnswer, Request
from marketplace.jobs import fetch_meta_leads
from marketplace.leads.sources.announced import PAUSES
from marketplace.leads.sources.fetching import fetch_due
from tests.at_once import ask, at_once
from tests.conftest import SetClock
from tests.factories import Market
from tests.marketplace.dialects.speaking import Source, a_person, make_source

DATA = Path(__file__).parents[2] / "data" / "inbound" / "meta"
ACCESS = {"app_secret": "the app's secret", "access_token": "the page's token"}


class FakeGraph:
    """A Graph API that answers what it was told, lead by lead; an int is the code of an error."""

    def __init__(self, **leads: Any) -> None:
        self.leads = leads
        self.asked: list[str] = []

    def send(self, request: Request, *, timeout_seconds: float, most_bytes: int = 1 << 20) -> Answer:
        lead_id = request.url.partition("?")[0].rpartition("/")[2]
        self.asked.append(lead_id)
        assert request.url.startswith("https://graph.facebook.com/") and "access_token=" in request.url
        said = self.leads[f"n{lead_id}"]
        if isinstance(said, str):
            raise NoAnswer(said, said)
        if isinstance(said, int):
            error = json.loads((DATA / "error.json").read_text())
            error["error"]["code"] = said
            return Answer(400, {}, json.dumps(error).encode(), 5)
        return Answer(200, {}, json.dumps(said).encode(), 5)


def lead(person: str, **changes: Any) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((DATA / "lead_answer.json").read_text())
    document["created_time"] = "2026-11-22T09:58:14+0000"
    document["field_data"][1]["values"] = [person]
    return document | changes


def event(*lead_ids: int) -> bytes:
    document = json.loads((DATA / "leadgen_webhook.json").read_text())
    (change,) = document["entry"][0]["changes"]
    changes = [{**change, "value": {**change["value"], "leadgen_id": one}} for one in lead_ids]
    return json.dumps({**document, "entry": [{**document["entry"][0], "changes": changes}]}).encode()


def announce(source: Source, raw: bytes, secret: str = ACCESS["app_secret"]) -> Any:
    signature = "sha256=" + hmac.new(secret.encode(), raw, hashlib.sha256).hexdigest()
    return source.send(data=raw, content_type="application/json", headers={"X-Hub-Signature-256": signature})


@pytest.fixture
def source(market: Market) -> Source:
    return make_source(market, "meta", meta=ACCESS)


def rows(database_url: str) -> list[tuple[Any, ...]]:
    return ask(database_url, "SELECT leadgen_id, state, attempts, reason FROM marketplace.meta_leads ORDER BY 1")


def test_the_subscription_is_verified_by_its_token(source: Source) -> None:
    query = {
        "hub.mode": "subscribe",
        "hub.challenge": "1158201444",
        "hub.verify_token": source.credentials["verify_token"],
    }
    good = source.send("GET", query_string=query)
    assert (good.status_code, good.text, good.mimetype) == (200, "1158201444", "text/plain")
    for wrong in ({"hub.verify_token": "another"}, {"hub.mode": "unsubscribe"}):
        bad = source.send("GET", query_string=query | wrong)
        assert (bad.status_code, bad.json["code"]) == (403, "wrong_verify_token")


def test_an_announced_lead_is_fetched_and_sold(
    source: Source, market: Market, clock: SetClock, database_url: str
) -> None:
    market.make_order(market.make_buyer())
    person = a_person()
    assert announce(source, event(123)).json == {"announced": 1, "new": 1}
    assert fetch_due(FakeGraph(n123=lead(person)), clock.now()) == 1
    (shown,) = source.member.get("/leads")["items"]
    taken = source.member.get(f"/leads/{shown['id']}")
    assert (taken["status"], taken["contact"]["email"], taken["external_id"]) == ("sold", person, "123")
    assert (taken["channel"], taken["consent"]["given_at"]) == ("social", "2026-11-22T09:58:14Z")
    assert rows(database_url) == [("123", "taken", 1, None)]


def test_an_event_that_comes_again_is_one_lead(source: Source, clock: SetClock, database_url: str) -> None:
    graph = FakeGraph(n123=lead(a_person()), n124=lead(a_person()))
    assert announce(source, event(123, 124, 123)).json == {"announced": 2, "new": 2}
    assert announce(source, event(124, 123)).json == {"announced": 2, "new": 0}
    assert fetch_due(graph, clock.now()) == 2
    assert announce(source, event(123)).json == {"announced": 1, "new": 0}
    assert fetch_due(graph, clock.advance(days=2)) == 0
    assert sorted(graph.asked) == ["123", "124"]
    assert len(source.member.get("/leads")["items"]) == 2


def test_a_lead_fetched_again_after_a_crash_is_one_lead(source: Source, clock: SetClock, database_url: str) -> None:
    announce(source, event(123))
    graph = FakeGraph(n123=lead(a_person()))
    fetch_due(graph, clock.now())
    ask(
        database_url,
        "UPDATE marketplace.meta_leads SET state = 'waiting', lead_id = NULL, next_attempt_at = now() RETURNING 1",
    )
    assert fetch_due(graph, clock.advance(days=400)) == 1
    assert len(source.member.get("/leads")["items"]) == 1
    assert rows(database_url) == [("123", "taken", 2, None)]


@pytest.mark.parametrize("error", [1, 2, 4, 17, 341, "timeout"])
def test_a_passing_error_is_tried_again_later(
    source: Source, clock: SetClock, database_url: str, error: int | str
) -> None:
    announce(source, event(123))
    fetch_due(FakeGraph(n123=error), clock.now())
    reason = f"graph_{error}" if isinstance(error, int) else "no_answer_timeout"
    assert rows(database_url) == [("123", "waiting", 1, reason)]
    graph = FakeGraph(n123=lead(a_person()))
    assert fetch_due(graph, clock.now()) == 0
    assert fetch_due(graph, clock.advance(seconds=30)) == 1
    assert [row[1] for row in rows(database_url)] == ["taken"]


@pytest.mark.parametrize("error", [190, 100, 10])
def test_a_lasting_error_is_given_up_with_its_reason(
    source: Source, clock: SetClock, database_url: str, error: int
) -> None:
    announce(source, event(123))
    fetch_due(FakeGraph(n123=error), clock.now())
    assert rows(database_url) == [("123", "given_up", 1, f"graph_{error}")]
    (counted,) = source.member.get("/refusals")["items"]
    assert (counted["code"], counted["refused"]) == ("meta_lead_given_up", 1)


def test_a_new_token_fetches_what_the_old_one_could_not(source: Source, clock: SetClock, database_url: str) -> None:
    announce(source, event(123, 124))
    fetch_due(FakeGraph(n123=190, n124=100), clock.now())
    answer = source.member.request("PATCH", f"/sources/{source.id}", {"meta": ACCESS | {"access_token": "new"}})
    assert answer.status_code == 200
    assert fetch_due(FakeGraph(n123=lead(a_person())), clock.now()) == 1
    assert [row[1] for row in rows(database_url)] == ["taken", "given_up"]


def test_pauses_grow_and_end(source: Source, clock: SetClock, database_url: str) -> None:
    announce(source, event(123))
    graph = FakeGraph(n123="timeout")
    for pause in (timedelta(0), *PAUSES):
        assert fetch_due(graph, clock.advance(seconds=pause.total_seconds())) == 1
    assert rows(database_url) == [("123", "given_up", len(PAUSES) + 1, "no_answer_timeout")]
    assert list(PAUSES) == sorted(PAUSES) and fetch_due(graph, clock.advance(days=30)) == 0


def test_a_lead_that_is_none_is_refused_and_counted(source: Source, clock: SetClock, database_url: str) -> None:
    announce(source, event(123))
    fetch_due(FakeGraph(n123=lead("", field_data=[])), clock.now())
    assert rows(database_url) == [("123", "refused", 1, "no_contact_channel")]
    assert [one["code"] for one in source.member.get("/refusals")["items"]] == ["no_contact_channel"]


def test_leads_of_the_testing_tool_are_tests(source: Source, market: Market, clock: SetClock) -> None:
    market.make_order(market.make_buyer())
    dummy = [
        {"name": "full_name", "values": ["<test lead: dummy data for full_name>"]},
        {"name": "email", "values": [a_person()]},
    ]
    announce(source, event(123))
    fetch_due(FakeGraph(n123=lead("", field_data=dummy)), clock.now())
    assert [one["test"] for one in source.member.get("/leads?test=true")["items"]] == [True]


def test_a_paused_source_s_leads_wait(source: Source, clock: SetClock, database_url: str) -> None:
    path = f"/sources/{source.id}"
    source.member.request("PATCH", path, {"status": "paused"})
    assert announce(source, event(123)).status_code == 200
    assert fetch_due(FakeGraph(), clock.now()) == 0
    source.member.request("PATCH", path, {"status": "active"})
    assert fetch_due(FakeGraph(n123=lead(a_person())), clock.now()) == 1


def test_a_suspended_account_s_leads_are_tried_again(source: Source, clock: SetClock, database_url: str) -> None:
    announce(source, event(123))
    ask(database_url, "UPDATE core.accounts SET standing = 'suspended' RETURNING id")
    graph = FakeGraph(n123=lead(a_person()))
    assert fetch_due(graph, clock.now()) == 1
    assert rows(database_url) == [("123", "waiting", 1, "source_paused")]
    ask(database_url, "UPDATE core.accounts SET standing = 'active' RETURNING id")
    assert fetch_due(graph, clock.advance(seconds=30)) == 1
    assert [row[1] for row in rows(database_url)] == ["taken"]


def test_an_unsigned_or_altered_event_is_refused(source: Source, database_url: str) -> None:
    raw = event(123)
    for answer in (
        announce(source, raw, "another secret"),
        source.send(data=raw, content_type="application/json"),
        source.send(data=raw, headers={"X-Hub-Signature-256": "sha256=ü"}),
    ):
        assert (answer.status_code, answer.json["code"]) == (401, "bad_signature")
    assert rows(database_url) == []


@pytest.mark.parametrize("raw", [b"", b"[" * 100_000, b"{", b"null", b'{"entry":[{"changes":[{"field":"leadgen"}]}]}',
                                 b'{"entry":[{"changes":[{"field":"leadgen","value":{"leadgen_id":"../me"}}]}]}'])  # fmt: skip
def test_a_signed_event_that_cannot_be_read_is_refused(source: Source, database_url: str, raw: bytes) -> None:
    assert announce(source, raw).status_code == 400
    assert rows(database_url) == []


@pytest.mark.parametrize(
    "raw", [b"{}", b'{"entry":5}', b'{"entry":[5,{"changes":[null,{"field":"feed","value":{}}]}]}']
)
def test_other_events_announce_nothing(source: Source, database_url: str, raw: bytes) -> None:
    assert announce(source, raw).json == {"announced": 0, "new": 0}


def test_several_workers_share_the_work(app: Flask, source: Source, clock: SetClock, database_url: str) -> None:
    graph = FakeGraph(**{f"n{number}": lead(a_person()) for number in range(100, 130)})
    announce(source, event(*range(100, 130)))

    def work() -> int:
        with app.app_context():
            return fetch_due(graph, clock.now())

    assert sum(at_once([work] * 4)) == 30
    assert sorted(graph.asked) == [str(number) for number in range(100, 130)]
    assert {row[1:] for row in rows(database_url)} == {("taken", 1, None)}


def test_one_event_many_times_at_once_is_one_lead(source: Source, clock: SetClock, database_url: str) -> None:
    answers = at_once([lambda: announce(source, event(123, 124))] * 8)
    assert sum(answer.json["new"] for answer in answers) == 2
    assert len(rows(database_url)) == 2


def test_secrets_are_sealed_and_never_shown(source: Source, database_url: str) -> None:
    assert source.member.get("/sources")["items"][0]["credentials"] == {"verify_token": None}
    ((sealed, terms),) = ask(database_url, "SELECT sealed, terms::text FROM marketplace.sources")
    assert ACCESS["access_token"].encode() not in bytes(sealed) and ACCESS["access_token"] not in terms


def test_the_job_fetches_with_the_application_s_client(app: Flask, source: Source) -> None:
    graph = FakeGraph(n123=lead(a_person()))
    announce(source, event(123))
    app.extensions["leadbourse_outbound"] = graph
    fetch_meta_leads()
    assert graph.asked == ["123"]
