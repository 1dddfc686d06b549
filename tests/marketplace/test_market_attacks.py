"""A rival who reads the market to learn another's bids, volume and private deals, and who finds nothing."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.db import db
from marketplace.market.withholding import Cell, told_in
from tests.conftest import SetClock
from tests.factories import Market, Member
from tests.marketplace.market_days import Trade, count, make_trade
from tests.marketplace.test_order_losses import by_outcome, losses
from tests.marketplace.test_portal_pages import visitor_of
from tests.visitor import words_of

EVERYWHERE, LEAST_SALES, LEAST_BUYERS = "*", 10, 3


def told(member: Member, region: str = "") -> Any:
    db.session.rollback()
    return member.get(f"/market/now?vertical=education&region={region}")


def suggested(member: Member, query: str, region: str = "FR-IDF") -> Any:
    db.session.rollback()
    return member.get(f"/market/suggestion?vertical=education&region={region}{query}")


def reasons(shown: Any) -> dict[str, str]:
    return {one["figure"]: one["reason"] for one in shown["withheld"]}


def test_no_bid_is_found_by_asking_what_one_price_after_the_other_would_have_won(
    market: Market, clock: SetClock
) -> None:
    trade = make_trade(market, ("30.13", "24.87", "20.41"), caps={"day": 4})
    trade.post(12)
    count(clock.now())
    for bid in (3013, 2487, 2041):
        below, at_it = (
            suggested(trade.buyers[0], f"&price={minor / 100:.2f}")["own_win_rate"] for minor in (bid, bid + 1)
        )
        assert below == at_it, bid


def test_a_suggestion_tells_of_a_thin_region_no_more_than_the_market_does(market: Market, clock: SetClock) -> None:
    trade = make_trade(market, caps={"day": 9})
    trade.post(18)
    trade.post(5, region="FR-ARA")
    count(clock.now())
    assert told(trade.publisher, "FR-ARA")["offered"] is None
    shown = suggested(trade.buyers[0], "&leads_a_day=2", "FR-ARA")
    assert shown["withheld"] == "few_decisions"
    assert "offered_in_days" not in {one["name"] for factor in shown["factors"] for one in factor["figures"]}


def test_what_a_country_has_less_its_told_regions_shows_no_withheld_one(market: Market, clock: SetClock) -> None:
    trade = make_trade(market, caps={"day": 40})
    for region, leads in (("FR-IDF", 12), ("FR-ARA", 15), ("FR-BRE", 4)):
        for buyer_order in trade.orders:
            change(trade, buyer_order, caps={"day": 40})
        spread(trade, leads, region)
    count(clock.now())
    shown = {region: told(trade.publisher, region) for region in ("FR", "FR-IDF", "FR-ARA", "FR-BRE")}
    assert shown["FR"]["sold"] == 31 and shown["FR-ARA"]["sold"] == 15
    assert reasons(shown["FR-BRE"])["offered"] == "few_leads"
    assert shown["FR-IDF"]["offered"] is shown["FR-IDF"]["sold"] is shown["FR-IDF"]["average_price"] is None
    assert set(reasons(shown["FR-IDF"]).values()) >= {"few_beside"}
    assert shown["FR-IDF"]["days"] == []
    page = words_of(visitor_of(market, trade.publisher).open("/market/now?vertical=education&region=FR-IDF"))
    assert "the rest of the region around it would show" in page
    assert suggested(trade.buyers[0], "")["withheld"] == "few_decisions"


def change(trade: Trade, order: Any, **terms: Any) -> None:
    buyer = trade.buyers[trade.orders.index(order)]
    assert buyer.request("PATCH", f"/orders/{order['id']}", terms).status_code == 200


def spread(trade: Trade, leads: int, region: str) -> None:
    """Let the leads of a region go to each buyer in turn: whoever is next bids most."""
    for turn in range(leads):
        for place, order in enumerate(trade.orders):
            change(trade, order, status="active" if place == turn % len(trade.orders) else "paused")
        trade.post(1, region=region)


TREE = {"FR": EVERYWHERE, "ES": EVERYWHERE, "FR-A": "FR", "FR-B": "FR", "FR-C": "FR", "FR-A1": "FR-A", "FR-A2": "FR-A",
        "ES-M": "ES"}  # fmt: skip
OWN = st.builds(
    lambda offered, sold, buyers: (offered, min(sold, offered), set(buyers[: min(sold, offered)])),
    st.sampled_from([0, 0, 1, 5, 9, 10, 30]), st.sampled_from([0, 0, 1, 5, 10, 30]),
    st.lists(st.sampled_from("abcdef"), min_size=1, max_size=5, unique=True),
)  # fmt: skip


def lineage(place: str) -> list[str]:
    return [place] if place == EVERYWHERE else [place, *lineage(TREE[place])]


@given(st.dictionaries(st.sampled_from(list(TREE)), OWN, min_size=1))
def test_whatever_is_added_and_taken_away_nothing_thin_remains(own: dict[str, Any]) -> None:
    own = {place: (offered, sold, buyers if sold else set()) for place, (offered, sold, buyers) in own.items()}
    cells = {
        place: Cell(
            sum(own[one][0] for one in own if place in lineage(one)),
            sum(own[one][1] for one in own if place in lineage(one)),
            frozenset(own[place][2]) if place in own else frozenset(),
        )
        for place in [*TREE, EVERYWHERE]
    }
    found = told_in(cells, lambda place: lineage(place)[1:], LEAST_SALES, LEAST_BUYERS)
    assert found.sold <= found.offered
    for places, is_thin in ((found.offered, few_leads), (found.sold, few_sales)):
        for place in places:
            below = [one for one in places if one != place and place in lineage(one)]
            front = [one for one in below if not any(other in below for other in lineage(one)[1:])]
            rest = [one for one in own if place in lineage(one) and not any(each in lineage(one) for each in front)]
            assert not is_thin(sum(own[one][0] for one in rest), sum(own[one][1] for one in rest),
                               {buyer for one in rest for buyer in own[one][2]})  # fmt: skip
    if own and all(value[0] >= 30 and value[1] >= 10 and len(value[2]) >= 3 for value in own.values()):
        assert found.sold == {place for place in cells if cells[place].offered}  # nothing is withheld without need


def few_leads(offered: int, _sold: int, _buyers: set[str]) -> bool:
    return 0 < offered < LEAST_SALES


def few_sales(_offered: int, sold: int, buyers: set[str]) -> bool:
    return sold > 0 and (sold < LEAST_SALES or len(buyers) < LEAST_BUYERS)


def test_how_much_went_to_private_deals_of_others_is_not_found_out_by_what_was_lost(
    market: Market, clock: SetClock
) -> None:
    buyer, other, publisher = market.make_buyer(), market.make_buyer(), market.make_publisher()
    order = market.make_order(buyer, "50.00")
    wanted = {"name": "mine", "vertical": "education", "price": {"amount": "9.00", "currency": "EUR"}}
    ends = (clock.now() + timedelta(days=5)).isoformat()
    brief = other.post("/briefs", {"order": wanted, "volume": 3, "starts_at": clock.now().isoformat(), "ends_at": ends})
    publisher.post(f"/briefs/{brief['id']}/accept", {"leads": 3})
    for _ in range(5):
        publisher.post("/leads", market.lead())
    sample = losses(buyer, order)["sample"]
    assert by_outcome(sample) == {"won": 2}
    assert (sample["offered"], sample["looked_at"], sample["is_whole"]) == (2, 2, True)
    assert losses(other, brief_order(other))["sample"]["offered"] == 5


def brief_order(buyer: Member) -> Any:
    [order] = buyer.get("/orders")["items"]
    return order


@pytest.mark.parametrize(
    "terms",
    [
        {"caps": {"day": 5, "weekday": {"sun": 1}}},
        {"caps": {"day": 24}, "pacing": True, "schedule": {"timezone": "UTC"}},
        {"age": {"from": 1, "to": 60}},
        {},
    ],
)
def test_the_depth_counts_nobody_who_could_not_buy_now(market: Market, clock: SetClock, terms: dict[str, Any]) -> None:
    clock.instant = clock.instant.replace(hour=0, minute=1)
    trade = make_trade(market, ("30.00", "25.00", "20.00", "19.00"))
    held, publisher = market.make_buyer(), trade.publisher
    market.make_order(held, "40.00", **terms)
    if not terms:
        market.make_order(held, "41.00")
        assert held.request("PUT", "/buyer-limits", {"caps": {"day": 1}}).status_code == 200
    trade.post(2)
    count(clock.now())
    depth = told(publisher)["depth"]
    assert (depth["orders"], depth["buyers"]) == (4, 4)


def test_the_depths_of_two_regions_show_no_single_order_by_their_difference(market: Market, clock: SetClock) -> None:
    trade = make_trade(market, regions=["FR"])
    lone = market.make_buyer()
    market.make_order(lone, "26.00", regions=["ES"])
    trade.post(1)
    count(clock.now())
    everywhere, france = told(trade.publisher)["depth"], told(trade.publisher, "FR")["depth"]
    assert everywhere["orders"] == 4 and france is None
    assert reasons(told(trade.publisher, "FR"))["depth"] == "few_beside"
    assert not {"orders", "buyers"} & {
        one["name"] for factor in suggested(trade.buyers[0], "", "FR")["factors"] for one in factor["figures"]
    }
