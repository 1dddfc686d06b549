"""Lists and addresses on pages: whom a buyer knows, uploaded and deleted, and addresses confirmed with their code."""

import hashlib
from io import BytesIO
from typing import Any

import pytest
from lxml import html
from werkzeug.test import TestResponse

from core.db import db
from core.ids import parse_id
from marketplace.leads.delivery.mail.addresses import MailAddress, code_of
from marketplace.web.buyer import lists
from tests.factories import Market, Member
from tests.marketplace.test_portal_pages import queries, visitor_of
from tests.visitor import Visitor, words_of

NEW = "/buyer/lists/new"


@pytest.fixture
def buyer(market: Market) -> Member:
    return market.make_buyer()


@pytest.fixture
def visitor(market: Market, buyer: Member) -> Visitor:
    return visitor_of(market, buyer)


def upload(visitor: Visitor, data: bytes, file: str = "known.txt", **fields: str) -> TestResponse:
    return visitor.send(NEW, file=(BytesIO(data), file), **{"name": "known", "country": ""} | fields)


def faults(answer: TestResponse) -> str:
    return " ".join(one.text_content() for one in html.fromstring(answer.text).xpath("//p[@class='fault']"))


@pytest.mark.parametrize(
    ("file", "data", "entries"),
    [("a.txt", b"ada@example.com\n+33612345678\nnobody\nada@example.com\n", 2),
     ("a.CSV", b"name;email\nx;ada@example.com\n", 1),
     ("a.ndjson", b'{"email": "ada@example.com"}\n', 1),
     ("a.txt", hashlib.sha256(b"ada@example.com").hexdigest().encode(), 1)],
)  # fmt: skip
def test_a_list_is_uploaded_in_each_form_with_its_counts(
    buyer: Member, visitor: Visitor, file: str, data: bytes, entries: int
) -> None:
    answer = upload(visitor, data, file, name="<b>known</b>")
    [kept] = buyer.get("/suppression-lists")["items"]
    assert answer.location == f"/buyer/lists/{kept['id']}" and (kept["name"], kept["entries"]) == (
        "<b>known</b>",
        entries,
    )
    page = visitor.open(answer.location).text
    assert "&lt;b&gt;known" in page and ("Send a usable number" in page) == bool(kept["bad"])
    assert "ada@example.com" not in page and "&lt;b&gt;known" in visitor.open("/buyer/lists").text


def test_a_number_without_a_prefix_is_dialled_in_the_country_named(buyer: Member, visitor: Visitor) -> None:
    upload(visitor, b"0612345678\n")
    upload(visitor, b"0612345678\n", country="FR")
    assert [one["entries"] for one in buyer.get("/suppression-lists")["items"]] == [1, 0]


@pytest.mark.parametrize(
    ("fields", "says"),
    [({"name": ""}, "Name the list"), ({"name": "x" * 101}, "at most 100"), ({"name": "a\0"}, "printable"),
     ({"name": " "}, "printable"), ({"country": "fr"}, "two capitals"), ({"country": "FR\n"}, "two capitals"),
     ({"file": "known.csv"}, "header")],
)  # fmt: skip
def test_a_list_that_cannot_be_kept_says_why_at_its_field(
    buyer: Member, visitor: Visitor, fields: dict[str, str], says: str
) -> None:
    sent: dict[str, Any] = {"name": "typed", "country": "BE"} | fields
    answer = upload(visitor, b"ada@example.com\n", **sent)
    assert answer.status_code == 200 and says in faults(answer), faults(answer)
    assert "typed" in answer.text or "name" in fields
    assert buyer.get("/suppression-lists")["items"] == []


def test_without_a_file_it_says_so(visitor: Visitor) -> None:
    assert "Choose a file" in faults(visitor.send(NEW, name="typed", country=""))


def test_a_list_is_deleted_only_after_the_question(buyer: Member, visitor: Visitor) -> None:
    path = upload(visitor, b"ada@example.com\n").location
    assert "proves nothing" in visitor.open(f"{path}/delete").text and visitor.open(path).status_code == 200
    assert visitor.send(f"{path}/delete").location == "/buyer/lists"
    assert visitor.open(path).status_code == 404 and buyer.get("/suppression-lists")["items"] == []


def test_a_list_of_somebody_else_is_not_there(market: Market, buyer: Member, visitor: Visitor) -> None:
    path = upload(visitor, b"ada@example.com\n").location
    stranger = visitor_of(market, market.make_buyer())
    token = {"csrf_token": stranger.token(NEW)}
    for one in (path, f"{path}/delete", "/buyer/lists/x", "/buyer/lists/%00"):
        assert stranger.open(one).status_code == 404
    assert stranger.open(f"{path}/delete", "POST", token).status_code == 404
    assert len(buyer.get("/suppression-lists")["items"]) == 1


def test_the_lists_are_continued_without_losing_one(
    market: Market, visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        upload(visitor, b"ada@example.com\n", name=f"list {number}")
    for rows in (1, 2, 3):
        monkeypatch.setattr(lists, "ROWS", rows)
        path, seen = "/buyer/lists", []
        while path:
            with queries(market.app) as said:
                page = visitor.read(path)
            assert len(said) <= 12, said
            seen += page.xpath("//a[@class='opens']/@href")
            path = next(iter(page.xpath("//nav[@class='pager']/a[@rel='next']/@href")), "")
        assert len(seen) == len(set(seen)) == 3
    assert visitor.open("/buyer/lists?cursor=x").status_code == 404


def test_an_address_is_asked_and_confirmed_with_its_code(market: Market, buyer: Member, visitor: Visitor) -> None:
    answer = visitor.send("/buyer/addresses/new", address="Leads@Example.com")
    assert answer.location == "/buyer/addresses/confirm?address=leads@example.com"
    assert "Waits for its code" in words_of(visitor.open("/buyer/lists"))
    wrong = visitor.send("/buyer/addresses/confirm", address="leads@example.com", code="NO")
    assert "Send the code of the last mail" in faults(wrong) and 'value="leads@example.com"' in wrong.text
    with market.app.app_context():
        code = code_of(db.session.get_one(MailAddress, (parse_id("acc", buyer.id), "leads@example.com")))
        db.session.rollback()
    assert visitor.send("/buyer/addresses/confirm", address="leads@example.com", code=code).location == "/buyer/lists"
    assert "Confirmed" in words_of(visitor.open("/buyer/lists"))
    again = visitor.send("/buyer/addresses/confirm", address="leads@example.com", code=code)
    assert "Ask for a new code" in words_of(again)


def test_an_address_that_is_none_or_asked_too_often_is_refused(visitor: Visitor) -> None:
    for wrong in ("", "nobody", "a\0@example.com", "x" * 300):
        assert faults(visitor.send("/buyer/addresses/new", address=wrong))
    visitor.send("/buyer/addresses/new", address="leads@example.com")
    assert visitor.send("/buyer/addresses/new", address="leads@example.com").status_code == 429
