"""The portals' pages: each for its kind of account and its own rows, in few queries, with numbers that are true."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from flask import Flask
from sqlalchemy import event

from core.db import db
from core.ids import new_id, show_id
from tests.conftest import SetClock
from tests.core.test_sign_in import email_of
from tests.factories import Market, Member
from tests.shown_payouts import shown_payouts
from tests.visitor import Visitor, words_of

MOST_QUERIES = 12
PAGES = {
    "publisher": [
        "/publisher/today",
        "/market/now",
        "/publisher/today?status=sold&sort=score",
        "/publisher/leads",
        "/publisher/leads?status=sold&sort=-score",
        "/publisher/sources",
        "/publisher/briefs",
        "/publisher/sources/new",
        "/publisher/sources/rules",
        "/publisher/specification/education",
        "/publisher/upload",
        "/publisher/upload?sort=rows",
        "/publisher/disputes",
        "/publisher/disputes?state=open&sort=decide",
        "/publisher/balance",
        "/publisher/payouts",
        "/publisher/payouts/place",
        "/publisher/payouts/{payout}",
        "/publisher/pending",
        "/publisher/statements",
        "/publisher/statements/2026-11",
        "/publisher/statements/2026-11?currency=USD",
        "/publisher/billing-details",
        "/publisher/terms",
        "/programs",
        "/programs/keys/new",
        "/programs/webhooks/new",
        "/search?q=an",
        "/account",
    ],
    "buyer": [
        "/buyer/orders",
        "/market/now",
        "/market/now?vertical=education&region=FR",
        "/buyer/briefs",
        "/buyer/briefs/new",
        "/buyer/orders?status=paused",
        "/buyer/orders/new",
        "/buyer/orders/sheet",
        "/buyer/orders/sheet/read",
        "/buyer/limits",
        "/buyer/deliveries",
        "/buyer/deliveries?outcome=refused",
        "/buyer/deliveries.csv",
        "/views/new?list=buyer.orders&query=status%3Dpaused",
        "/buyer/disputes",
        "/buyer/disputes?state=open&reason=bot&sort=decide",
        "/buyer/wallet",
        "/buyer/wallet/top-up",
        "/buyer/wallet/refund",
        "/buyer/wallet/transfers",
        "/buyer/credit",
        "/buyer/credit.csv",
        "/buyer/wallet/cards",
        "/buyer/wallet/cards?saved=1",
        "/buyer/wallet/recharge",
        "/buyer/documents",
        "/buyer/documents?kind=credit_note",
        "/buyer/billing-details",
        "/buyer/invoices",
        "/buyer/documents.csv",
        "/buyer/lists",
        "/buyer/lists/new",
        "/buyer/addresses/delete",
        "/buyer/addresses/new",
        "/programs",
        "/search?q=an",
        "/account",
    ],
    "operator": [
        "/design",
        "/market/now",
        "/account",
        "/operator/disputes",
        "/operator/dispute-groups",
        "/operator/review",
        "/operator/log",
        "/operator/log?kind=dispute&day=2026-11-27&actor=cli",
        "/operator/publishers?sort=name",
        "/operator/buyers",
        "/operator/credit",
        "/operator/credits",
        "/programs",
        "/search?q=publisher",
        "/operator/verticals",
        "/operator/verticals/education",
        "/operator/verticals/education/distribution",
        "/operator/verticals/new",
        "/operator/verticals/education/edit",
        "/operator/verticals/new/text",
        "/operator/verticals/education/text",
        "/operator/books",
        "/operator/forecast",
        "/operator/export",
        "/operator/documents",
        "/operator/documents?kind=statement",
        "/operator/card-money",
        "/operator/bank",
        "/operator/bank/account",
        "/operator/payouts",
        "/operator/payouts/{payout}",
        "/operator/payout-files/{file}",
        "/operator/payout-results/{result}",
        "/operator/owed/{publisher}/EUR",
        "/operator/suspense",
        "/operator/what-if",
        "/operator/jobs",
        "/operator/settings",
        "/operator/settings/contact.order_minutes",
        "/operator/journal?kind=hold&on=2026-11-22",
    ],
}


@contextmanager
def queries(app: Flask) -> Iterator[list[str]]:
    """Collect the statements of the session while something is done."""
    said: list[str] = []

    def hear(_: object, __: object, statement: str, *___: object) -> None:
        said.append(statement)

    event.listen(db.engine, "before_cursor_execute", hear)
    yield said
    event.remove(db.engine, "before_cursor_execute", hear)


def visitor_of(market: Market, member: Member) -> Visitor:
    """Sign in as the owner of an account."""
    email = db.session.scalar(
        db.text("SELECT email FROM core.users u JOIN core.memberships m ON m.user_id = u.id"
                " JOIN core.api_keys k ON k.account_id = m.account_id WHERE k.hint = :hint"), {"hint": member.key[-4:]}
    )  # fmt: skip
    db.session.rollback()
    visitor = Visitor(market.app)
    visitor.sign_in(str(email))
    return visitor


@pytest.fixture
def publisher(market: Market) -> Member:
    """Make a publisher with four leads sold and one refused."""
    publisher, buyer = market.make_publisher(), market.make_buyer()
    market.make_order(buyer, name="an order")
    twice = market.lead()
    for lead in (market.lead(), market.lead(), market.lead(), twice, twice):
        publisher.post("/leads", lead)
    return publisher


@pytest.mark.parametrize("kind", PAGES)
def test_each_page_takes_few_queries_and_keeps_out_who_is_not_signed_in(
    market: Market, publisher: Member, kind: str
) -> None:
    stranger, visitor = Visitor(market.app), Visitor(market.app)
    email = email_of(market, kind)
    visitor.sign_in(email)
    named = shown_payouts(email if kind == "publisher" else email_of(market, "publisher"))
    for path in (path.format_map(named) for path in PAGES[kind]):
        if path != "/design":
            assert stranger.open(path).location.startswith("/login?next="), path
        with queries(market.app) as said:
            answer = visitor.open(path)
        assert answer.status_code == 200 and len(said) <= MOST_QUERIES, (path, said)
        assert answer.headers["Cache-Control"] == "private, no-store", path


def test_a_page_of_another_kind_of_account_is_refused(market: Market) -> None:
    for kind, path in (("publisher", "/buyer/wallet"), ("buyer", "/publisher/today"), ("operator", "/buyer/wallet")):
        visitor = Visitor(market.app)
        visitor.sign_in(email_of(market, kind))
        assert visitor.open(path).status_code == 403
    assert Visitor(market.app).open("/design").status_code == 404


def test_a_publisher_sees_the_day_and_why_leads_were_refused(
    market: Market, publisher: Member, clock: SetClock
) -> None:
    page = words_of(visitor_of(market, publisher).open("/publisher/today"))
    assert "5 leads today, 4 sold, 1 refused, €56.00 to you" in page
    assert "duplicate This person was sold here within the vertical's window" in page
    clock.advance(days=1)
    page = words_of(visitor_of(market, publisher).open("/publisher/today"))
    assert "0 leads today, 0 sold, 0 refused, €0.00 to you" in page and "-5 on yesterday" in page
    assert "No lead was refused today" in page


def test_yesterday_is_compared_at_the_same_time_of_day(market: Market, clock: SetClock) -> None:
    publisher = market.make_publisher()
    publisher.post("/leads", market.lead())
    clock.advance(hours=5)
    publisher.post("/leads", market.lead())
    clock.advance(hours=20)
    publisher.post("/leads", market.lead())
    assert "Posted 1 0 on yesterday" in words_of(visitor_of(market, publisher).open("/publisher/today"))


def test_a_list_is_sorted_filtered_and_continued_without_losing_a_row(
    market: Market, publisher: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    visitor, shown = visitor_of(market, publisher), []
    monkeypatch.setattr("core.keyset.Asked.__init__.__defaults__", (None, 2))
    path = "/publisher/today?sort=-score"
    while path:
        page = visitor.read(path)
        shown += page.xpath("//table//span[@class='ident']/code/@title")
        path = next(iter(page.xpath("//nav[@class='pager']/a[@rel='next']/@href")), "")
    assert len(shown) == len(set(shown)) == 5
    sold = visitor.read("/publisher/today?status=sold").xpath("//table//span[@class='ident']/code")
    assert len(sold) == 2


@pytest.mark.parametrize("query", ["sort=secret", "cursor=%00", "cursor=WyJ4Iiwi", "status=nothing", "sort=--score"])
def test_a_list_that_cannot_be_read_is_refused_as_a_page(market: Market, publisher: Member, query: str) -> None:
    answer = visitor_of(market, publisher).open(f"/publisher/today?{query}")
    assert (answer.status_code, answer.mimetype) == (400, "text/html")


def test_a_buyer_sees_the_wallet_and_the_story_of_each_movement_of_their_own(market: Market, publisher: Member) -> None:
    buyer, other = market.make_buyer("75.50"), market.make_buyer("20.00")
    visitor = visitor_of(market, buyer)
    page = visitor.read("/buyer/wallet")
    assert "€75.50 to spend; nothing was bought" in page.text_content()
    [story] = page.xpath("//a[@class='opens']/@href")
    assert "Credit by hand" in words_of(visitor.open(story)) and "€75.50" in words_of(visitor.open(story))
    stranger = visitor_of(market, other)
    assert stranger.open(story).status_code == 404
    for nonsense in (show_id("txn", new_id()), "txn_" + "z" * 26, "txn_7zzzzzzzzzzzzzzzzzzzzzzzzz", "x", "%00"):
        assert stranger.open(f"/buyer/wallet/{nonsense}").status_code == 404


def test_how_long_a_wallet_lasts_is_judged_by_the_last_seven_days(market: Market, clock: SetClock) -> None:
    publisher, buyer = market.make_publisher(), market.make_buyer("160.00")
    market.make_order(buyer)
    publisher.post("/leads", market.lead())
    visitor = visitor_of(market, buyer)
    assert "€140.00 to spend, which lasts 49 days" in words_of(visitor.open("/buyer/wallet"))
    clock.advance(days=8)
    assert "nothing was bought in the last seven days" in words_of(visitor.open("/buyer/wallet"))


def test_names_with_markup_are_text(market: Market) -> None:
    visitor = Visitor(market.app)
    visitor.sign_in(email_of(market, "operator"))
    page = visitor.open("/design").text
    assert "&lt;b&gt;Markup &amp; Sons&lt;/b&gt;" in page and "<b>Markup" not in page


def test_the_language_is_the_persons_own_then_the_cookies_then_the_browsers(market: Market) -> None:
    visitor = Visitor(market.app)
    assert 'lang="nl"' in visitor.open("/login", Accept_Language="nl-BE, en;q=0.5").text
    assert 'lang="en"' in visitor.open("/login", Accept_Language="xx").text
    visitor.sign_in(email_of(market, "buyer"))
    visitor.open("/preferences", "POST", {"language": "fr", "back": "/account"})
    page = visitor.open("/buyer/wallet", Accept_Language="nl").text
    assert 'lang="fr"' in page and "0,00\xa0€" in page
    elsewhere = Visitor(market.app)
    assert 'lang="en"' in elsewhere.open("/login").text


def test_what_stands_around_a_page_is_drawn_for_its_reader_and_place(market: Market) -> None:
    def seen(visitor: Visitor, path: str, language: str) -> tuple[list[str], list[str], int, int]:
        visitor.open("/preferences", "POST", {"language": language, "back": "/account"})
        page = visitor.read(path)
        here = page.xpath("//nav[@class='places']//a[@aria-current='page']/@href")
        return here, page.xpath("//nav[@class='places']/@aria-label"), len(page.xpath("//nav[@class='bar']//a")), \
            len(page.xpath("//input[@form='finder-form']"))  # fmt: skip

    buyer, operator = Visitor(market.app), Visitor(market.app)
    buyer.sign_in(email_of(market, "buyer"))
    operator.sign_in(email_of(market, "operator"))
    for _ in range(2):
        assert seen(buyer, "/buyer/wallet", "en") == (["/buyer/wallet"], ["Places"], 11, 0)
        assert seen(buyer, "/market/now", "en") == (["/market/now"], ["Places"], 11, 0)
        assert seen(buyer, "/account", "nl") == ([], ["Plaatsen"], 11, 0)
        assert seen(operator, "/market/now", "fr") == (["/market/now"], ["Rubriques"], 17, 1)
    for theme in ("dark", "light"):
        buyer.open("/preferences", "POST", {"theme": theme, "back": "/account"})
        chosen = "//form[@id='reading']//button[@name='theme'][@aria-current]/@value"
        assert buyer.read("/buyer/wallet").xpath(chosen) == [theme]


def test_the_theme_is_kept_in_a_cookie(client: object, app: Flask) -> None:
    visitor = Visitor(app)
    assert "data-bs-theme" not in visitor.open("/login").text
    assert visitor.open("/preferences", "POST", {"theme": "dark", "back": "/login"}).location == "/login"
    assert 'data-bs-theme="dark"' in visitor.open("/login").text
    visitor.open("/preferences", "POST", {"theme": "<x>", "back": "/login"})
    assert "data-bs-theme" not in visitor.open("/login").text


@pytest.mark.parametrize("path", ["/nothing", "/api/v1/nothing", "/login"])
def test_a_refusal_is_a_page_for_people_and_a_document_for_programs(app: Flask, path: str) -> None:
    visitor = Visitor(app)
    method = "DELETE" if path == "/login" else "GET"
    assert visitor.open(path, method).mimetype == ("application/problem+json" if "/api/" in path else "text/html")
    assert visitor.open(path, method, Accept="*/*").mimetype == "application/problem+json"
