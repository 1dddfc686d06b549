"""An operator's publishers and buyers on pages: their figures, their stories, and what changes how they stand."""

import pytest

from core.ids import new_id, show_id
from tests.deals import Deal
from tests.factories import Market
from tests.marketplace.test_portal_pages import MOST_QUERIES, queries, visitor_of
from tests.visitor import Visitor, words_of


def rows_of(visitor: Visitor, path: str) -> list[list[str]]:
    """Return the figures of a list, a row an account."""
    rows = visitor.read(path).xpath("//tbody/tr")
    return [[cell.text_content() for cell in row.xpath("td[@class='num']")] for row in rows]


def test_each_publisher_and_buyer_is_listed_with_figures(deal: Deal, market: Market) -> None:
    market.make_publisher()
    market.make_buyer("0")
    opened = deal.dispute()
    visitor, nothing = visitor_of(market, deal.operator), ["0.00", "0.00", "0.00", "0", "0", "0", "–"]
    held = ["80.00", "20.00", "20.00", "1", "1", "1", "–"]
    assert rows_of(visitor, "/operator/buyers?sort=opened") == [held, nothing]
    deal.decide(opened, "uphold")
    back = ["100.00", "0.00", "0.00", "1", "1", "1", "–"]
    assert rows_of(visitor, "/operator/buyers?sort=opened") == [back, nothing]
    figures = [["1", "1", "1", "0.00", "0.00"], ["0", "0", "0", "0.00", "0.00"]]
    assert rows_of(visitor, "/operator/publishers?sort=opened") == figures


def test_stories_take_few_queries_and_are_of_their_kind(deal: Deal, market: Market) -> None:
    visitor = visitor_of(market, deal.operator)
    for path, says in ((f"publishers/{deal.publisher.id}", "1 posted, 1 sold, 0 claims upheld"),
                       (f"buyers/{deal.buyer.id}", "1 bought for €20.00, 0 claims, 0 sent back")):  # fmt: skip
        with queries(market.app) as said:
            answer = visitor.open(f"/operator/{path}")
        assert answer.status_code == 200 and len(said) <= MOST_QUERIES and says in words_of(answer), words_of(answer)
    assert "an order Active" in words_of(visitor.open(f"/operator/buyers/{deal.buyer.id}"))
    for wrong in (deal.publisher.id, show_id("acc", new_id()), "acc_x", "%00"):
        assert visitor.open(f"/operator/buyers/{wrong}").status_code == 404
    for wrong in (deal.buyer.id, show_id("acc", new_id()), "acc_x"):
        assert visitor.open(f"/operator/publishers/{wrong}").status_code == 404
        assert visitor.send(f"/operator/publishers/{wrong}", "/account", source="x", note="x").status_code == 404


def test_a_publisher_is_paused_and_readmitted(deal: Deal, market: Market) -> None:
    visitor, path = visitor_of(market, deal.operator), f"/operator/publishers/{deal.publisher.id}"
    for standing, status in (("paused", "rejected"), ("paused", "rejected"), ("active", "sold")):
        assert visitor.send(f"{path}/standing", path, standing=standing).status_code == 302
        assert deal.publisher.post("/leads", market.lead())["status"] == status
    assert visitor.send(f"{path}/standing", path, standing="gone").status_code == 422
    assert visitor.send(f"{path}/standing", path).status_code == 422


def test_a_source_is_paused_and_readmitted_with_a_reason(deal: Deal, market: Market) -> None:
    visitor, path = visitor_of(market, deal.operator), f"/operator/publishers/{deal.publisher.id}"
    assert visitor.send(path, source="default", standing="paused", note="a bot farm").status_code == 302
    assert deal.publisher.post("/leads", market.lead())["status"] == "rejected"
    assert "default Paused now a bot farm" in words_of(visitor.open(path))
    assert visitor.send(path, source="default", standing="active", note="cleaned").status_code == 302
    assert deal.publisher.post("/leads", market.lead())["status"] == "sold"


@pytest.mark.parametrize(
    ("said", "fault"),
    [({"source": ""}, "Name the source"), ({"note": ""}, "Say why"), ({"note": "x" * 1001}, "at most 1000"),
     ({"standing": "gone"}, "Choose active or paused"), ({"source": "x" * 101}, "at most 100")],
)  # fmt: skip
def test_a_source_that_cannot_be_changed_keeps_what_was_typed(
    deal: Deal, market: Market, said: dict[str, str], fault: str
) -> None:
    form = {"source": "default", "standing": "paused", "note": "typed here"} | said
    path = f"/operator/publishers/{deal.publisher.id}"
    answer = visitor_of(market, deal.operator).send(path, **form)
    assert answer.status_code == 200 and fault in words_of(answer)
    assert form["note"] in answer.text and form["source"] in answer.text
