"""The door for posted leads answers as the view behind it does, and hands on what is not plain."""

import psycopg
import pytest
from flask import Flask

from marketplace.leads.intake import Intake
from marketplace.web.door import LeadDoor
from tests.at_once import ask
from tests.factories import Market, Member


@pytest.fixture
def publisher(market: Market) -> Member:
    """Give a publisher whose key the process has seen: others go to the view."""
    made = market.make_publisher()
    assert made.request("POST", "/leads", market.lead()).status_code == 201
    return made


def shape(document: object) -> object:
    return {name: shape(value) for name, value in document.items()} if isinstance(document, dict) else type(document)


def test_a_lead_is_answered_alike_at_the_door_and_by_the_view(
    app: Flask, market: Market, publisher: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    market.make_order(market.make_buyer())
    door = app.wsgi_app
    assert isinstance(door, LeadDoor)
    handed_on, behind = [], door._behind

    def count(environ: dict[str, str], start: object) -> object:
        handed_on.append(environ.get("HTTP_ACCEPT"))
        return behind(environ, start)  # type: ignore[arg-type]

    monkeypatch.setattr(door, "_behind", count)
    at_the_door = publisher.request("POST", "/leads", market.lead())
    by_the_view = publisher.request("POST", "/leads", market.lead(), Accept="application/json, text/plain")
    assert handed_on == ["application/json, text/plain"]
    assert at_the_door.json["status"] == by_the_view.json["status"] == "sold"
    assert shape(at_the_door.json) == shape(by_the_view.json)
    assert (at_the_door.status, dict(at_the_door.headers).keys()) == (
        by_the_view.status, dict(by_the_view.headers).keys())  # fmt: skip
    assert at_the_door.headers["Content-Type"] == by_the_view.headers["Content-Type"]


def test_what_is_no_lead_is_judged_and_counted_once(market: Market, publisher: Member, database_url: str) -> None:
    refused = publisher.request("POST", "/leads", market.lead(region="Paris"))
    assert (refused.status_code, refused.json["errors"][0]["code"]) == (422, "unknown_region")
    assert ask(database_url, "SELECT field, code, refused FROM marketplace.refusals") == [
        ("region", "unknown_region", 1)
    ]


def test_a_revoked_key_is_refused(market: Market, publisher: Member, database_url: str) -> None:
    ask(database_url, "UPDATE core.api_keys SET revoked_at = now() RETURNING id")
    for _ in range(2):
        assert publisher.request("POST", "/leads", market.lead()).json["code"] == "unknown_key"


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [(psycopg.OperationalError("gone"), 503, "database_away"), (RuntimeError("a bug"), 500, "internal_error")],
)
def test_whatever_fails_is_a_problem_document_and_nothing_is_tried_twice(
    market: Market, publisher: Member, monkeypatch: pytest.MonkeyPatch, error: Exception, status: int, code: str
) -> None:
    calls = []

    def fail(*_: object) -> None:
        calls.append(1)
        raise error

    monkeypatch.setattr(Intake, "post", fail)
    answer = publisher.request("POST", "/leads", market.lead())
    assert (answer.status_code, answer.json["code"], len(calls)) == (status, code, 1)
    assert answer.headers["Content-Type"] == "application/problem+json"
