"""The publisher's balance on pages: pending by week, the reserve by day, and the movements with their stories."""

from core.ids import new_id, show_id
from marketplace.jobs import run_due
from tests.conftest import SetClock
from tests.deals import make_deal
from tests.factories import Market
from tests.marketplace.test_portal_pages import visitor_of
from tests.visitor import words_of


def test_a_sale_is_pending_in_its_week_then_payable_and_in_reserve(market: Market, clock: SetClock) -> None:
    deal = make_deal(market)
    visitor = visitor_of(market, deal.publisher)
    page = words_of(visitor.open("/publisher/balance"))
    assert "€0.00 payable now; €14.00 pending" in page and "21 Dec 2026 – 27 Dec 2026 1 0 14.00" in page
    deal.dispute()
    assert "once delivered" not in page
    assert " 1 1 14.00" in words_of(visitor.open("/publisher/balance"))


def test_what_is_released_becomes_movements_and_a_reserve(market: Market, clock: SetClock) -> None:
    deal = make_deal(market)
    run_due(clock.advance(days=31))
    visitor = visitor_of(market, deal.publisher)
    page = visitor.read("/publisher/balance")
    text = " ".join(page.text_content().split())
    assert "€11.20 payable now; €0.00 pending" in text and "1 Feb 2027 – 7 Feb 2027000.002.802.80" in text
    assert "12.80" in text and "Sale settled" in text
    [story, *_] = page.xpath("//a[@class='opens']/@href")
    told = words_of(visitor.open(story))
    assert "Payable €11.20" in told and "Reserve €2.80" in told
    stranger = visitor_of(market, market.make_publisher())
    for path in (story, f"/publisher/balance/{show_id('txn', new_id())}", "/publisher/balance/x"):
        assert stranger.open(path).status_code == 404
    assert stranger.open("/publisher/balance?cursor=x").status_code == 404


def test_an_empty_balance_says_what_comes(market: Market) -> None:
    page = words_of(visitor_of(market, market.make_publisher()).open("/publisher/balance"))
    assert "Nothing is pending" in page and "Nothing is kept in reserve" in page and "Nothing moved yet" in page
