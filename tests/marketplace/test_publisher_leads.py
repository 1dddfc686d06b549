"""The publisher's leads on pages: narrowed down, saved as a sheet, and each with the story of why it sold or not."""

import csv
import io

import pytest

from core.ids import new_id, show_id
from tests.deals import make_deal
from tests.factories import Market, Member
from tests.marketplace.test_portal_pages import queries, visitor_of
from tests.visitor import Visitor, words_of

NASTY = '=HYPERLINK("http://evil.example")'


def shown(visitor: Visitor, query: str = "") -> list[str]:
    """Return the addresses of the leads that a list shows."""
    return [str(one) for one in visitor.read(f"/publisher/leads{query}").xpath("//a[@class='opens']/@href")]


@pytest.fixture
def sender(market: Market) -> Member:
    """Make a publisher with one sold lead, one refused as a duplicate and one that nobody wanted."""
    publisher, buyer = market.make_publisher(), market.make_buyer()
    market.make_order(buyer, regions=["FR"])
    sold = market.lead(source={"name": NASTY, "sub": {"2": "ab"}})
    for lead in (sold, sold, market.lead(region="DE"), market.lead(test=True)):
        publisher.post("/leads", lead)
    return publisher


@pytest.mark.parametrize(
    ("query", "rows"),
    [("", 3), ("?status=sold", 1), ("?reason=duplicate", 1), ("?source=default", 1), ("?sub=ab", 2), ("?sub=b", 0),
     ("?test=true", 1), ("?since=2026-11-22&until=2026-11-22", 3), ("?since=2026-11-23", 0), ("?until=2026-11-21", 0),
     ("?reason=&source=&sub=&since=&until=", 3), ("?sort=score", 3)],
)  # fmt: skip
def test_the_list_is_narrowed_down(market: Market, sender: Member, query: str, rows: int) -> None:
    visitor = visitor_of(market, sender)
    assert len(shown(visitor, query)) == rows
    sheet = visitor.open(f"/publisher/leads.csv{query}").text
    assert len(list(csv.reader(io.StringIO(sheet)))) == rows + 1


@pytest.mark.parametrize(
    "query", ["since=soon", "until=2026-02-30", "reason=x", "status=x", "test=1", "source=%00", "sort=x"]
)
def test_a_filter_that_says_nothing_is_refused_by_name(market: Market, sender: Member, query: str) -> None:
    for path in ("/publisher/leads", "/publisher/leads.csv"):
        if "sort" not in query or path == "/publisher/leads":
            assert visitor_of(market, sender).open(f"{path}?{query}").status_code == 400


def test_the_sheet_holds_every_lead_and_no_formula(
    market: Market, sender: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("marketplace.reports.publisher_leads._AT_ONCE", 1)
    answer = visitor_of(market, sender).open("/publisher/leads.csv")
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert answer.mimetype == "text/csv" and "attachment" in answer.headers["Content-Disposition"]
    assert [row["status"] for row in rows] == ["unsold", "rejected", "sold"]
    assert [row["source"] for row in rows] == ["default", "'" + NASTY, "'" + NASTY]
    assert (rows[2]["payout"], rows[2]["subs"], rows[1]["reasons"]) == ("14.00", "2=ab", "duplicate")
    assert "example.com" not in "".join(row["id"] for row in rows)


def test_a_story_says_why_a_lead_sold_or_did_not(market: Market, sender: Member) -> None:
    visitor = visitor_of(market, sender)
    unsold, refused, sold = (words_of(visitor.open(story)) for story in shown(visitor))
    assert "Not sold: none of the orders of the vertical took it. Orders looked at: 1." in unsold
    assert "The order does not buy in this region. Orders: 1" in unsold
    assert "This person was sold here within the vertical's window" in refused
    assert "Sold: it pays you €14.00. Buyers who have it: 1." in sold and "Bought the lead. Orders: 1" in sold
    assert "Ada" in sold and "@example.com" in sold and "Sub id 2 ab" in sold


def test_a_story_of_a_sale_that_came_back_says_so_and_names_no_buyer(market: Market) -> None:
    deal = make_deal(market)
    dispute = deal.dispute()
    deal.decide(dispute, "uphold", note="a robot")
    visitor = visitor_of(market, deal.publisher)
    [story] = shown(visitor)
    page = words_of(visitor.open(story))
    assert "Its sales came back, so it pays nothing." in page and "dispute upheld" in page
    assert "buyer " not in page and deal.buyer.id not in page


def test_a_lead_of_somebody_else_is_not_there(market: Market, sender: Member) -> None:
    [first, *_] = shown(visitor_of(market, sender))
    stranger = visitor_of(market, market.make_publisher())
    for path in (first, f"/publisher/leads/{show_id('lead', new_id())}", "/publisher/leads/x"):
        assert stranger.open(path).status_code == 404
    assert shown(stranger) == []


def test_a_story_takes_few_queries(market: Market, sender: Member) -> None:
    visitor = visitor_of(market, sender)
    for story in shown(visitor):
        with queries(market.app) as said:
            visitor.read(story)
        assert len(said) <= 12, said


def test_a_list_is_continued_without_losing_a_lead(
    market: Market, sender: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.keyset.Asked.__init__.__defaults__", (None, 1))
    visitor, path, seen = visitor_of(market, sender), "/publisher/leads", list[str]()
    while path:
        page = visitor.read(path)
        seen += page.xpath("//a[@class='opens']/@href")
        path = next(iter(page.xpath("//nav[@class='pager']/a[@rel='next']/@href")), "")
    assert len(seen) == len(set(seen)) == 3
