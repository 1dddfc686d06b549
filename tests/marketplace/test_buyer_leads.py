"""Bought leads on pages: the hot ones first, whose contact is shown to whom, and reports with one key or in words."""

from typing import Any

import pytest

from core.clock import as_rfc3339
from core.db import db
from marketplace.reports import buyer_leads
from tests.conftest import SetClock
from tests.factories import Market, Member
from tests.marketplace.endpoint import open_endpoint
from tests.marketplace.test_buyer_orders import faults
from tests.marketplace.test_portal_pages import queries, visitor_of
from tests.visitor import Visitor, words_of


@pytest.fixture
def buyer(market: Market) -> Member:
    return market.make_buyer()


@pytest.fixture
def visitor(market: Market, buyer: Member) -> Visitor:
    return visitor_of(market, buyer)


@pytest.fixture
def sale(market: Market, buyer: Member) -> str:
    """Sell the buyer a lead of a person whose name is markup, and return the sale's id."""
    market.make_order(buyer)
    contact = {"first_name": "<b>Zoé</b>", "email": "zoe@example.com"}
    market.make_publisher().post("/leads", market.lead(contact=contact))
    return str(buyer.get("/sales")["items"][0]["id"])


def report(visitor: Visitor, sale: str, **fields: Any) -> Any:
    return visitor.send(f"/buyer/leads/{sale}", **fields)


def reports(buyer: Member, sale: str) -> list[Any]:
    return list(buyer.get(f"/sales/{sale}/dispositions")["items"])


def test_a_bought_lead_is_shown_with_its_contact_and_its_story(visitor: Visitor, sale: str) -> None:
    listed = visitor.read("/buyer/leads")
    assert "<b>Zoé</b>" in listed.text_content() and "zoe@example.com" in listed.text_content()
    story = words_of(visitor.open(f"/buyer/leads/{sale}"))
    for part in ("<b>Zoé</b>", "Yes, schools may call me.", "First contact due", "€20.00", "an order", "business"):
        assert part in story, part
    assert not visitor.read(f"/buyer/leads/{sale}").xpath("//article//b")


def test_hot_leads_come_first_and_no_lead_is_lost_between_the_pages(
    market: Market, buyer: Member, visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    market.make_order(buyer)
    publisher = market.make_publisher()
    for interest in ("download", "callback", "newsletter", "callback", "request", "download", "callback"):
        publisher.request("POST", "/leads", market.lead(interest=interest))
    db.session.execute(db.text("""
        WITH leads AS (SELECT id, row_number() OVER (ORDER BY id) AS n FROM marketplace.leads)
        UPDATE marketplace.leads l SET temperature = (ARRAY['cold', 'hot', 'warm'])[n % 3 + 1] FROM leads WHERE leads.id = l.id"""))  # fmt: skip
    db.session.commit()
    everything = {one["id"] for one in buyer.get("/sales")["items"]}
    for rows in (1, 2, 50):
        monkeypatch.setattr(buyer_leads, "ROWS", rows)
        path, links, heats = "/buyer/leads", [], []
        while path:
            page = visitor.read(path)
            links += page.xpath("//a[@class='opens']/@href")
            heats += [row.xpath("string(td[2])").strip() for row in page.xpath("//tbody/tr")]
            path = next(iter(page.xpath("//nav[@class='pager']/a[@rel='next']/@href")), "")
        assert len(links) == len(set(links)) == len(everything) == len(heats) >= 5
        assert heats == sorted(heats, key=["Hot", "Warm", "Cold"].index)


@pytest.mark.parametrize(
    "query",
    ["cursor=hot-x", "cursor=x", "state=x", "temperature=x", "work=x", "cursor=tepid-sale_01m8d7y93sfa6af80hr6fy0gyb"],
)
def test_a_list_that_cannot_be_read_is_refused(visitor: Visitor, query: str) -> None:
    assert visitor.open(f"/buyer/leads?{query}").status_code == 400


def test_one_key_reports_and_pressing_it_twice_reports_once(
    visitor: Visitor, buyer: Member, sale: str, clock: SetClock
) -> None:
    page = visitor.read(f"/buyer/leads/{sale}")
    assert page.xpath("//button[@name='status']/@data-key") == ["a", "c", "q", "u", "w"]
    for _ in range(2):
        assert report(visitor, sale, status="contacted").location == f"/buyer/leads/{sale}"
        clock.advance(seconds=4)
    assert [one["status"] for one in reports(buyer, sale)] == ["contacted"]
    clock.advance(minutes=1)
    assert report(visitor, sale, status="contacted").status_code == 302
    assert len(reports(buyer, sale)) == 2
    assert "Reported: Contacted." in words_of(visitor.open("/buyer/leads"))
    assert "Contacted" in visitor.read("/buyer/leads").text_content()


def test_a_report_from_the_list_returns_to_its_place(visitor: Visitor, sale: str) -> None:
    place = "/buyer/leads?temperature=warm"
    sent = {"csrf_token": visitor.token(f"/buyer/leads/{sale}"), "status": "attempted"}
    answer = visitor.open(f"/buyer/leads/{sale}", "POST", sent, Referer=f"http://localhost{place}")
    assert answer.location == place
    elsewhere = visitor.open(f"/buyer/leads/{sale}", "POST", sent, Referer="http://elsewhere.example/buyer/leads")
    assert elsewhere.location == f"/buyer/leads/{sale}"


def test_a_loss_needs_its_reason_and_what_was_typed_stays(visitor: Visitor, buyer: Member, sale: str) -> None:
    answer = report(visitor, sale, status="lost", note="<i>they said</i> no")
    assert answer.status_code == 200 and "Choose one of never_reached" in faults(answer)[0]
    assert "&lt;i&gt;they said&lt;/i&gt; no" in answer.text and reports(buyer, sale) == []
    assert report(visitor, sale, status="lost", lost_reason="no_budget", note="no").status_code == 302
    assert reports(buyer, sale)[0]["lost_reason"] == "no_budget"
    assert "No budget: no" in words_of(visitor.open(f"/buyer/leads/{sale}"))


@pytest.mark.parametrize(
    ("sent", "says"),
    [
        ({"status": "x"}, "Choose one of attempted"),
        ({"status": "won", "lost_reason": "other"}, "Leave it out unless"),
        ({"status": "contacted", "follow_up_at": "tomorrow"}, "such as 2026-11-28T10:00"),
        ({"status": "contacted", "follow_up_at": "2020-01-01T10:00"}, "after `at`"),
        ({"status": "contacted", "follow_up_at": "9999-12-31T23:59", "zone": "America/New_York"}, "730 days"),
        ({"status": "contacted", "follow_up_at": "0001-01-01T00:00", "zone": "Asia/Tokyo"}, "after `at`"),
        ({"status": "contacted", "note": "x" * 4001}, "at most 4000"),
    ],
)  # fmt: skip
def test_a_report_that_cannot_be_kept_says_why_at_its_field(
    visitor: Visitor, buyer: Member, sale: str, sent: dict[str, str], says: str
) -> None:
    answer = report(visitor, sale, **sent)
    assert answer.status_code == 200 and any(says in one for one in faults(answer)), faults(answer)
    assert reports(buyer, sale) == []


def test_a_follow_up_is_read_by_the_orders_clock_and_found_when_it_is_due(
    visitor: Visitor, buyer: Member, sale: str, clock: SetClock
) -> None:
    wall = {"follow_up_at": "2026-11-22T14:30", "zone": "Europe/Paris"}
    assert report(visitor, sale, status="contacted", **wall).status_code == 302
    assert reports(buyer, sale)[0]["follow_up_at"] == "2026-11-22T13:30:00Z"
    assert not visitor.read("/buyer/leads?work=follow_up").xpath("//tbody/tr")
    clock.advance(hours=4)
    assert visitor.read("/buyer/leads?work=follow_up").xpath("//tbody/tr")


def test_what_is_untouched_is_found_until_it_is_touched(visitor: Visitor, sale: str) -> None:
    assert visitor.read("/buyer/leads?work=untouched").xpath("//tbody/tr")
    report(visitor, sale, status="attempted")
    assert not visitor.read("/buyer/leads?work=untouched").xpath("//tbody/tr")


def test_work_after_an_outcome_is_refused_in_words(visitor: Visitor, sale: str, clock: SetClock) -> None:
    report(visitor, sale, status="won")
    clock.advance(minutes=5)
    assert "was reported won or lost" in words_of(report(visitor, sale, status="contacted"))


def test_a_lead_of_somebody_else_is_not_there(market: Market, visitor: Visitor, sale: str) -> None:
    stranger = visitor_of(market, market.make_buyer())
    token = {"csrf_token": stranger.token("/buyer/orders/new"), "status": "won"}
    for path in (f"/buyer/leads/{sale}", "/buyer/leads/sale_x", "/buyer/leads/%00"):
        assert stranger.open(path).status_code == 404
        assert stranger.open(path, "POST", token).status_code == 404
    assert stranger.open(f"/buyer/leads/{sale}/send", "POST", token).status_code == 404


def test_a_lead_that_went_back_shows_nobody(market: Market, visitor: Visitor, buyer: Member, sale: str) -> None:
    dispute = buyer.post(f"/sales/{sale}/disputes", {"reason": "mistyped", "note": "dead"})
    market.make_operator().post(f"/disputes/{dispute['id']}/resolve", {"decision": "uphold"})
    for path in ("/buyer/leads", f"/buyer/leads/{sale}"):
        page = visitor.open(path).text
        assert "zoe@example.com" not in page and "Zoé" not in page and "Returned" in page
    assert "Given back" in words_of(visitor.open(f"/buyer/leads/{sale}"))
    assert "there is nothing to report" in words_of(report_without_form(visitor, sale))


def report_without_form(visitor: Visitor, sale: str) -> Any:
    sent = {"csrf_token": visitor.token("/buyer/orders/new"), "status": "won"}
    return visitor.open(f"/buyer/leads/{sale}", "POST", sent)


def test_deliveries_are_shown_and_sent_again_by_hand(market: Market, visitor: Visitor, buyer: Member) -> None:
    with open_endpoint() as endpoint:
        market.make_order(buyer, delivery={"kind": "email", "to": "sales@example.com"})
        assert endpoint.url
    market.make_publisher().post("/leads", market.lead())
    [sale] = [one["id"] for one in buyer.get("/sales")["items"]]
    answer = visitor.send(f"/buyer/leads/{sale}/send", f"/buyer/leads/{sale}")
    assert answer.location == f"/buyer/leads/{sale}"
    assert "Nothing was sent yet" in words_of(visitor.open(f"/buyer/leads/{sale}"))


def test_what_is_read_here_is_not_sent(visitor: Visitor, sale: str) -> None:
    page = visitor.open(f"/buyer/leads/{sale}")
    assert "Send it again" not in page.text
    visitor.open(f"/buyer/leads/{sale}/send", "POST", {"csrf_token": visitor.token(f"/buyer/leads/{sale}")})
    assert "it was never to be sent" in words_of(visitor.open(f"/buyer/leads/{sale}"))


def test_a_story_takes_few_queries(market: Market, visitor: Visitor, buyer: Member, sale: str, clock: SetClock) -> None:
    for _ in range(5):
        report(visitor, sale, status="attempted")
        clock.advance(minutes=1)
    with queries(market.app) as said:
        visitor.read(f"/buyer/leads/{sale}")
    assert len(said) <= 12, said
    assert as_rfc3339(clock.now())
