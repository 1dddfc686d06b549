"""Filters kept under names: each person's own, a chip beside the list, and refused where they cannot be kept."""

import threading
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask
from lxml import html

from core.db import db, transaction
from core.errors import Invalid
from core.saved_views import MOST_VIEWS, keep_view
from tests.at_once import ask, at_once, wait_until
from tests.conftest import START
from tests.core.test_sign_in import email_of
from tests.factories import Market
from tests.marketplace.test_portal_pages import MOST_QUERIES, queries
from tests.visitor import Visitor, words_of

ODD = "<b>שלום \u202e & 'x'</b>"
LISTS = {
    "buyer": {"/buyer/leads": "state=held", "/buyer/orders": "status=paused", "/buyer/deliveries": "outcome=refused",
              "/buyer/disputes": "state=open"},
    "publisher": {"/publisher/today": "status=sold", "/publisher/leads": "status=sold&sort=-score",
                  "/publisher/disputes": "state=open"},
    "operator": {"/operator/disputes": "state=rejected", "/operator/log": "kind=dispute",
                 "/operator/journal": "kind=fee"},
}  # fmt: skip


def visitor_for(market: Market, kind: str) -> Visitor:
    visitor = Visitor(market.app)
    visitor.sign_in(email_of(market, kind))
    return visitor


@pytest.fixture(name="visitor")
def _visitor(market: Market) -> Visitor:
    market.make_order(market.make_buyer())
    return visitor_for(market, "buyer")


def keep(visitor: Visitor, name: str, query: str = "state=held", of_list: str = "buyer.leads") -> Any:
    return visitor.send("/views/new", "/account", list=of_list, query=query, name=name)


def chips(visitor: Visitor, path: str = "/buyer/leads") -> list[tuple[str, str, bool]]:
    found = visitor.read(path).xpath("//span[@class='kept']/a")
    return [(one.text_content().strip(), one.get("href"), one.get("aria-current") == "true") for one in found]


@pytest.mark.parametrize(("kind", "path", "query"), [(k, p, q) for k, lists in LISTS.items() for p, q in lists.items()])
def test_every_list_keeps_its_filters_by_the_form_that_it_shows(
    market: Market, kind: str, path: str, query: str
) -> None:
    market.make_order(market.make_buyer())
    visitor = visitor_for(market, kind)
    assert not visitor.read(path).xpath("//details[@class='keep']")
    [form] = visitor.read(f"{path}?{query}").xpath("//details[@class='keep']/form")
    hidden = {one.get("name"): one.get("value") for one in form.xpath(".//input[@type='hidden']")}
    answer = visitor.open(form.get("action"), "POST", {**hidden, "name": "mine"})
    assert answer.status_code == 302 and urlsplit(answer.location).path == path
    assert parse_qs(urlsplit(answer.location).query) == parse_qs(query)
    [(name, href, is_current)] = chips(visitor, path)
    assert (name, href, is_current) == ("mine", answer.location, False)
    assert chips(visitor, href) == [("mine", href, True)]
    assert not visitor.read(href).xpath("//details[@class='keep']")
    with queries(market.app) as said:
        assert visitor.open(href).status_code == 200
    assert len(said) <= MOST_QUERIES, said


def test_names_are_text_and_told_apart_from_the_page(visitor: Visitor) -> None:
    assert keep(visitor, f"  {ODD}  two   words ").status_code == 302
    assert keep(visitor, "x" * 60, "state=settled").status_code == 302
    assert [name for name, *_ in chips(visitor)] == [f"{ODD} two words", "x" * 60]
    assert "<b>שלום" not in visitor.open("/buyer/leads").text


@pytest.mark.parametrize(
    ("name", "query", "fault"),
    [("", "state=held", "Give the filters a name."), (" \t ", "state=held", "Give the filters a name."),
     ("x" * 61, "state=held", "at most 60 letters."), (ODD * 20, "state=held", "at most 60 letters."),
     ("a\0b", "state=held", "Remove the NUL character"), ("kept", "state=held", "You keep other filters under this name"),
     ("new", "", "Narrow the list before"), ("new", "cursor=x", "Narrow the list before"),
     ("new", "state=" + "x" * 1000, "Narrow by less")],
)  # fmt: skip
def test_what_cannot_be_kept_is_said_at_the_field_and_keeps_what_was_typed(
    visitor: Visitor, name: str, query: str, fault: str
) -> None:
    keep(visitor, "kept")
    answer = keep(visitor, name, query)
    assert answer.status_code == 200 and fault in words_of(answer)
    assert len(chips(visitor)) == 1
    if "\0" not in name and name.strip():
        assert html.fromstring(answer.text).xpath("//input[@name='name']/@value") == [name]


def test_at_most_twenty_a_list_however_many_are_sent_at_once(visitor: Visitor, app: Flask, database_url: str) -> None:
    for number in range(MOST_VIEWS - 1):
        assert keep(visitor, f"view {number}").status_code == 302
    [(user_id,)] = ask(database_url, "SELECT DISTINCT user_id FROM core.saved_views")
    is_kept, ended = threading.Event(), threading.Event()
    waits = "SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"

    def first() -> str:
        with app.app_context(), transaction():
            keep_view(user_id, "buyer.leads", "the last", "state=held", START)
            is_kept.set()
            wait_until(lambda: ended.is_set() or ask(database_url, waits))
        return "kept"

    def second() -> str:
        assert is_kept.wait(30)
        try:
            with app.app_context(), transaction():
                keep_view(user_id, "buyer.leads", "one too many", "state=held", START)
        except Invalid as refused:
            return refused.faults[0].code
        finally:
            ended.set()
        return "kept"

    assert at_once([first, second]) == ["kept", "too_many"]
    assert "Delete one first" in words_of(keep(visitor, "one too many"))
    assert len(chips(visitor)) == MOST_VIEWS
    assert keep(visitor, "of another list", "status=paused", "buyer.orders").status_code == 302


def test_one_is_deleted_by_its_own_button_and_the_list_keeps_its_filters(visitor: Visitor) -> None:
    keep(visitor, "first")
    keep(visitor, "second", "state=settled")
    [form, _] = visitor.read("/buyer/leads?temperature=hot").xpath("//span[@class='kept']/form")
    assert form.xpath(".//button/@aria-label") == ["Delete first"]
    hidden = {one.get("name"): one.get("value") for one in form.xpath(".//input")}
    assert visitor.open(form.get("action"), "POST", hidden).location == "/buyer/leads?temperature=hot"
    assert [name for name, *_ in chips(visitor)] == ["second"]
    assert visitor.open(form.get("action"), "POST", hidden).status_code == 404


def test_each_persons_are_their_own(market: Market, visitor: Visitor) -> None:
    keep(visitor, "mine")
    [form] = visitor.read("/buyer/leads").xpath("//span[@class='kept']/form/@action")
    market.make_publisher()
    other = visitor_for(market, "publisher")
    assert other.send(form, "/account").status_code == 404
    assert keep(other, "theirs").status_code == 404
    assert keep(other, "theirs", of_list="publisher.balance").status_code == 404
    assert [name for name, *_ in chips(visitor)] == ["mine"]


def test_nothing_is_kept_without_a_token_or_a_sign_in(market: Market, visitor: Visitor) -> None:
    said = {"list": "buyer.leads", "query": "state=held", "name": "x"}
    assert visitor.open("/views/new", "POST", said).status_code == 400
    assert Visitor(market.app).send("/views/new", "/login", **said).status_code in (302, 401)
    assert chips(visitor) == []


def test_an_address_leads_nowhere_else(visitor: Visitor) -> None:
    answer = keep(visitor, "odd", "_external=1&_scheme=evil&endpoint=x&next=//evil.example&state=held")
    assert answer.location.startswith("/buyer/leads?")
    db.session.rollback()
