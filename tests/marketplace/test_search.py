"""The search: everybody finds their own by id or name, nobody what is another's, and no contact is ever scanned."""

from urllib.parse import urlencode

import pytest
from lxml import html

from core.db import db
from core.ids import new_id, show_id
from tests.deals import Deal
from tests.factories import Market
from tests.marketplace.test_portal_pages import MOST_QUERIES, queries, visitor_of
from tests.visitor import Visitor

NONSENSE = (
    "",
    " ",
    "%",
    "_",
    "lead_",
    "x" * 5000,
    "\x00",
    "lead_" + "z" * 26,
    "7" + "z" * 25,
    "\\",
    "<b>",
    "a@b",
    "+",
    "' OR 1=1",
)


def found(visitor: Visitor, wanted: str, *, post: bool = False) -> list[str]:
    """Return the addresses of what somebody finds; each of them opens."""
    answer = visitor.send("/search", q=wanted) if post else visitor.open("/search?" + urlencode({"q": wanted}))
    assert answer.status_code == 200, answer.text
    links = [str(one) for one in html.fromstring(answer.text).xpath("//ul[@id='found']//a/@href")]
    assert all(visitor.open(link).status_code == 200 for link in links), links
    return links


def test_everybody_finds_their_own_by_id_with_its_prefix_or_without(deal: Deal, market: Market) -> None:
    opened = deal.dispute()
    sale = deal.buyer.get("/sales")["items"][0]
    lead, order = deal.publisher.get("/leads")["items"][0]["id"], deal.buyer.get("/orders")["items"][0]["id"]
    publisher, buyer, operator = (visitor_of(market, one) for one in (deal.publisher, deal.buyer, deal.operator))
    dispute = f"disputes/{opened['id']}"
    theirs = f"/operator/buyers/{deal.buyer.id}"
    for prefix in (True, False):
        ids = [one if prefix else one.partition("_")[2] for one in (lead, sale["id"], order, opened["id"])]
        assert [found(publisher, one) for one in ids] == [
            [f"/publisher/leads/{lead}"], [f"/publisher/leads/{lead}", f"/publisher/{dispute}"], [],
            [f"/publisher/{dispute}"]]  # fmt: skip
        assert [found(buyer, one) for one in ids] == [
            [], [f"/buyer/leads/{sale['id']}"], [f"/buyer/orders/{order}"], [f"/buyer/leads/{sale['id']}"]]  # fmt: skip
        assert [found(operator, one) for one in ids] == [
            [f"/operator/publishers/{deal.publisher.id}", theirs], [theirs, f"/operator/{dispute}"], [theirs],
            [f"/operator/{dispute}"]]  # fmt: skip
    assert found(operator, deal.buyer.id) == [theirs]
    assert found(operator, show_id("lead", new_id())) == []


def test_somebody_elses_id_or_name_finds_nothing(deal: Deal, market: Market) -> None:
    opened = deal.dispute()
    ids = [deal.buyer.get("/sales")["items"][0]["id"], deal.publisher.get("/leads")["items"][0]["id"],
           deal.buyer.get("/orders")["items"][0]["id"], opened["id"], deal.buyer.id, deal.publisher.id, "an order", "buyer",
           "publisher"]  # fmt: skip
    for stranger in (visitor_of(market, market.make_publisher()), visitor_of(market, market.make_buyer("0"))):
        assert [found(stranger, one) for one in ids] == [[] for _ in ids]


def test_orders_and_accounts_are_found_by_name(deal: Deal, market: Market) -> None:
    market.make_order(deal.buyer, name="<b>Élèves</b> 100%")
    [order] = found(visitor_of(market, deal.buyer), "éLÈVES")
    assert order.startswith("/buyer/orders/ord_")
    operator = visitor_of(market, deal.operator)
    assert found(operator, "BUYER") == [f"/operator/buyers/{deal.buyer.id}"]
    assert found(operator, "uyer") == found(operator, "%uyer") == found(operator, "buye_") == []


def test_a_publisher_finds_a_source_by_part_of_its_name(market: Market) -> None:
    publisher = market.make_publisher()
    source = publisher.post("/sources", {"dialect": "leadbyte", "name": "Spring fair", "vertical": "education",
                                         "region": "FR"})  # fmt: skip
    visitor = visitor_of(market, publisher)
    assert found(visitor, "FAIR") == [f"/publisher/sources/{source['id']}"]
    assert found(visitor_of(market, market.make_publisher()), "FAIR") == []


def test_an_operator_finds_a_person_by_the_whole_address_or_number_and_only_when_posted(market: Market) -> None:
    publisher, operator = market.make_publisher(), visitor_of(market, market.make_operator())
    market.make_order(market.make_buyer())
    body = market.lead()
    body["contact"]["phone"] = "+33199001234"
    lead = publisher.post("/leads", body)
    assert lead["status"] == "sold"
    story = [f"/operator/publishers/{publisher.id}"]
    for whole in (body["contact"]["email"].upper(), body["contact"]["phone"]):
        assert found(operator, whole, post=True) == story
        assert found(operator, whole) == []
        assert found(operator, whole[:-1], post=True) == []
        assert found(visitor_of(market, publisher), whole, post=True) == []


@pytest.mark.parametrize("kind", ["publisher", "buyer", "operator"])
def test_nonsense_finds_nothing_and_few_queries_are_asked(deal: Deal, market: Market, kind: str) -> None:
    member = {"publisher": deal.publisher, "buyer": deal.buyer, "operator": deal.operator}[kind]
    visitor = visitor_of(market, member)
    for wanted in NONSENSE:
        assert found(visitor, wanted) == found(visitor, wanted, post=True) == [], wanted
    sale = deal.buyer.get("/sales")["items"][0]["id"]
    with queries(market.app) as said:
        visitor.open(f"/search?q={sale}")
    assert len(said) <= MOST_QUERIES, said
    assert Visitor(market.app).open("/search?q=x").location.startswith("/login")


def test_the_names_of_accounts_are_found_by_their_index(market: Market) -> None:
    market.make_buyer("0")
    db.session.execute(db.text("SET LOCAL enable_seqscan = off"))
    like = "EXPLAIN SELECT id FROM core.accounts WHERE lower(name) LIKE lower('Buy') || '%'"
    plan = "\n".join(db.session.scalars(db.text(like)))
    db.session.rollback()
    assert "accounts_name_idx" in plan, plan


def test_a_publisher_finds_his_leads_by_a_whole_sub_id(deal: Deal, market: Market) -> None:
    deal.publisher.post("/leads", market.lead(source={"name": "quiz", "sub": {"9": "s9 & <b>", "1": "x"}}))
    publisher, other = visitor_of(market, deal.publisher), visitor_of(market, market.make_publisher())
    assert found(publisher, "s9 & <b>") == ["/publisher/leads?sub=s9+%26+%3Cb%3E"]
    assert found(publisher, "s9") == found(other, "s9 & <b>") == []
