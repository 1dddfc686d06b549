"""The book of orders against a plain scan of all of them."""

from datetime import UTC, datetime, timedelta
from fractions import Fraction
from math import floor
from typing import Any
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from marketplace.catalog.places import kilometres
from marketplace.leads import matching
from marketplace.leads.matching import Book, LeadFacts, Listed
from marketplace.orders.filters import Filter, compile_filter, lead_fields
from marketplace.orders.periods import Schedule, Window, is_open
from marketplace.orders.prices import Modifier
from marketplace.orders.terms import OrderTerms
from marketplace.orders.where import Radius

MONDAY = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
CHAINS = [("FR-75C", "FR-IDF", "FR"), ("FR-IDF", "FR"), ("FR-ARA", "FR"), ("ES-MD", "ES"), ("FR",)]
REGIONS = sorted({code for chain in CHAINS for code in chain})
VALUES: list[Any] = ["student", "STUDENT", "employed", "", None, 5, 5.0, 7, True, False, ["student", "retired"], []]
PLAIN: list[Any] = ["student", "Employed", "retired", 5, 7, True]


def make_terms(price: int = 1000, **more: Any) -> OrderTerms:
    return OrderTerms(name="An order", vertical="education", currency="EUR", price_minor=price, **more)


def make_order(number: int, price: int = 1000, **more: Any) -> Listed:
    return Listed(UUID(int=number), UUID(int=number % 3), 1, make_terms(price, **more))


def make_facts(regions: tuple[str, ...] = CHAINS[0], **more: Any) -> LeadFacts:
    attributes = more.pop("attributes", {})
    known = {"score": 50, "temperature": "warm", "contact_class": "quick"}
    judged = {name: more.pop(name, value) for name, value in known.items()}
    fields = lead_fields(regions=regions, channel=more.pop("channel", "search"), interest="request", source_name="x",
                         contact={"postal_code": more.pop("postal_code", "75011")}, subs={}, attributes=attributes,
                         verified=more.get("verified", False), **judged)  # fmt: skip
    if "place" in more:
        fields["place"] = more.pop("place")
    return LeadFacts(regions, fields, **judged, **more)


def found(book: Book, facts: LeadFacts, at: datetime = MONDAY) -> list[int]:
    return [listed.order_id.int for listed in book.candidates(facts, at)]


def wants(terms: OrderTerms, facts: LeadFacts, at: datetime) -> bool:
    """Judge one order the plain way: what the book must agree with."""
    return (
        terms.status == "active"
        and (not terms.regions or any(region in terms.regions for region in facts.regions))
        and facts.score >= terms.min_score
        and (not terms.temperatures or facts.temperature in terms.temperatures)
        and (not terms.contact_classes or facts.contact_class in terms.contact_classes)
        and (facts.verified or not terms.verified_only)
        and (terms.max_share == 1 or not facts.exclusive_only)
        and pays(terms, facts) >= facts.min_price_minor
        and lives_where_wanted(terms, facts)
        and is_open(terms.schedule, at)
        and all(compile_filter(each)(facts.fields) for each in terms.filters)
    )


def lives_where_wanted(terms: OrderTerms, facts: LeadFacts) -> bool:
    code, place = facts.regions[-1] + ":" + facts.fields["contact.postal_code"], facts.fields.get("place")
    near = terms.radius is None or (place is not None and kilometres(terms.radius.centre, place) <= terms.radius.km)
    return near and (not terms.postal_prefixes or any(map(code.startswith, terms.postal_prefixes)))


def pays(terms: OrderTerms, facts: LeadFacts) -> int:
    """Work the price out the plain way: exact, then rounded once, then within its bounds."""
    if not terms.modifiers:
        return terms.price_minor
    price, told = Fraction(terms.price_minor), set()
    for each in terms.modifiers:
        value = facts.fields[each.field]
        if each.field not in told and set(value if isinstance(value, tuple) else (value,)) & set(each.values):
            told.add(each.field)
            price += Fraction(terms.price_minor * each.percent, 100) + each.amount_minor
    rounded = floor(price + Fraction(1, 2))
    return max(min(rounded, terms.price_ceiling_minor or rounded), terms.price_floor_minor, terms.least_minor, 1)


def scan(orders: list[Listed], facts: LeadFacts, at: datetime) -> list[Listed]:
    wanting = [each for each in orders if wants(each.terms, facts, at)]
    priced = [structs.replace(each, offered_minor=pays(each.terms, facts)) if each.terms.modifiers else each
              for each in wanting]  # fmt: skip
    return sorted(priced, key=lambda each: (-each.price_minor, each.order_id.int))


filters = st.one_of(
    st.builds(Filter, st.sampled_from(["attributes.a", "attributes.b"]), st.sampled_from(["eq", "ne"]),
              st.sampled_from(PLAIN)),
    st.builds(Filter, st.sampled_from(["attributes.a", "attributes.b"]), st.sampled_from(["in", "not_in"]),
              st.lists(st.sampled_from(PLAIN), min_size=1, max_size=3)),
    st.builds(Filter, st.just("attributes.a"), st.just("exists"), st.sampled_from([True, False, None])),
    st.builds(Filter, st.just("attributes.a"), st.sampled_from(["gt", "gte", "lt", "lte"]),
              st.sampled_from([4, 5, 6.5, "m"])),
    st.builds(Filter, st.just("attributes.b"), st.just("between"), st.sampled_from([[4, 6], ["a", "f"]])),
    st.builds(Filter, st.just("attributes.b"), st.just("matches"), st.sampled_from(["^stu", "ed$"])),
    st.builds(Filter, st.just("region"), st.sampled_from(["eq", "ne"]), st.sampled_from(["FR-IDF", "fr"])),
)  # fmt: skip
schedules = st.sampled_from(
    [None, None, Schedule("Europe/Paris", (Window((0, 1, 2, 3, 4), 540, 1080),)),
     Schedule("Asia/Kolkata", (Window((0,), 1320, 120),)), Schedule("UTC")]
)  # fmt: skip
modifiers = st.builds(
    lambda what, how: Modifier(*what, **how),
    st.sampled_from([("temperature", ("hot",)), ("temperature", ("warm", "cold")), ("region", ("FR-IDF", "FR")),
                     ("region", ("FR",)), ("contact_class", ("quick",)), ("verified", (True,)), ("verified", (False,))]),
    st.sampled_from([{"percent": 25}, {"percent": -15}, {"percent": 1}, {"amount_minor": 99}, {"amount_minor": -250}]),
)  # fmt: skip
circles = st.sampled_from(
    [None, None, Radius("Paris", "FR", 30, 48.8534, 2.3488), Radius("Lyon", "FR", 500, 45.7491, 4.8479),
     Radius("The date line", "", 900, -16.5, 179.9), Radius("The pole", "", 800, 89.0, 0.0)]
)  # fmt: skip
terms = st.builds(
    make_terms,
    st.integers(1, 8).map(lambda price: price * 100),
    regions=st.lists(st.sampled_from(REGIONS), max_size=3, unique=True).map(tuple),
    max_share=st.sampled_from([1, 3]),
    filters=st.lists(filters, max_size=3).map(tuple),
    min_score=st.sampled_from([0, 30, 60]),
    temperatures=st.sampled_from([(), (), ("hot",), ("warm", "hot")]),
    contact_classes=st.sampled_from([(), (), ("quick",)]),
    verified_only=st.booleans(),
    schedule=schedules,
    modifiers=st.lists(modifiers, max_size=4).map(tuple),
    price_ceiling_minor=st.sampled_from([0, 0, 850]),
    price_floor_minor=st.sampled_from([0, 90]),
    postal_prefixes=st.sampled_from([(), (), ("FR:7",), ("ES:75", "FR:69", "FR:75011"), ("FR:750112",)]),
    radius=circles,
    status=st.sampled_from(["active", "active", "active", "paused"]),
)
books = st.lists(terms, max_size=40).map(
    lambda many: [Listed(UUID(int=number * 7 % 41), UUID(int=1), 1, each) for number, each in enumerate(many)]
)
leads = st.builds(
    make_facts,
    st.sampled_from(CHAINS),
    attributes=st.fixed_dictionaries({}, optional={"a": st.sampled_from(VALUES), "b": st.sampled_from(VALUES)}),
    score=st.integers(0, 100),
    temperature=st.sampled_from(["cold", "warm", "hot"]),
    contact_class=st.sampled_from(["quick", "registration"]),
    verified=st.booleans(),
    postal_code=st.sampled_from(["75011", "69003", "7", "1012AB"]),
    place=st.sampled_from([None, (48.8, 2.4), (45.7, 4.8), (-16.5, -179.8), (85.0, 100.0), (47.0, 3.5)]),
    exclusive_only=st.booleans(),
    min_price_minor=st.sampled_from([0, 0, 300]),
)
moments = st.integers(0, 7 * 24 * 60).map(lambda minutes: MONDAY + timedelta(minutes=minutes))


@settings(max_examples=300, deadline=None)
@given(books, st.lists(leads, min_size=1, max_size=4), moments, st.sampled_from([1, 3, 256]))
def test_the_book_finds_what_a_scan_finds(
    orders: list[Listed], asked: list[LeadFacts], at: datetime, page: int
) -> None:
    old, matching.PAGE = matching.PAGE, page
    try:
        book = Book(orders)
        for facts in asked:
            assert list(book.candidates(facts, at)) == scan(orders, facts, at)
    finally:
        matching.PAGE = old


@settings(max_examples=100, deadline=None)
@given(books, books, st.lists(leads, min_size=1, max_size=4), moments)
def test_a_rebuilt_book_finds_what_a_new_one_finds(
    before: list[Listed], after: list[Listed], asked: list[LeadFacts], at: datetime
) -> None:
    earlier = Book(before)
    for facts in asked:
        list(earlier.candidates(facts, at))
    book = Book(after, 2, earlier)
    for facts in asked:
        assert list(book.candidates(facts, at)) == scan(after, facts, at)
        assert list(earlier.candidates(facts, at)) == scan(before, facts, at)


@settings(max_examples=100, deadline=None)
@given(books, leads, moments)
def test_verdicts_name_every_order_and_want_what_the_book_wants(
    orders: list[Listed], facts: LeadFacts, at: datetime
) -> None:
    book = Book(orders)
    found = book.verdicts(facts, at)
    assert [each.order_id for each in found] == [each.order_id for each in book.orders]
    wanted = [each.order_id for each in found if each.outcome == "wanted"]
    assert wanted == [each.order_id for each in book.candidates(facts, at)]
    assert all((each.outcome == "wanted") is (each.detail == "") for each in found)


@given(books, leads, st.integers(1, 5))
def test_batches_hold_whole_price_tiers_and_all_candidates(
    orders: list[Listed], facts: LeadFacts, at_least: int
) -> None:
    expected = scan(orders, facts, MONDAY)
    shortlist = Book(orders).candidates(facts, MONDAY)
    taken: list[Listed] = []
    while True:
        batch, is_last = shortlist.batch(at_least)
        if taken and batch:
            assert taken[-1].terms.price_minor > batch[0].terms.price_minor
        taken += batch
        assert is_last or len(batch) >= at_least
        if is_last:
            break
    assert taken == expected


def test_the_best_price_comes_first_and_equal_prices_by_order_id() -> None:
    book = Book([make_order(3, 900), make_order(2, 1000), make_order(1, 900)])
    assert found(book, make_facts()) == [2, 1, 3]


def test_an_order_for_a_region_buys_in_all_that_it_holds_once() -> None:
    book = Book([make_order(1, regions=("FR", "FR-IDF")), make_order(2, regions=("ES",)), make_order(3)])
    assert found(book, make_facts(CHAINS[0])) == [1, 3]
    assert found(book, make_facts(("FR",))) == [1, 3]


def test_an_order_for_a_part_does_not_buy_in_the_whole() -> None:
    assert found(Book([make_order(1, regions=("FR-IDF",))]), make_facts(("FR",))) == []


def test_an_empty_book_has_one_empty_last_batch() -> None:
    assert Book([]).candidates(make_facts(), MONDAY).batch() == ([], True)


def test_verdicts_say_the_exact_reason() -> None:
    office = Schedule("Europe/Paris", (Window((0,), 540, 1080),))
    book = Book(
        [
            make_order(1, status="paused"),
            make_order(2, regions=("ES", "NL")),
            make_order(3, filters=(Filter("attributes.a", "in", ["student", "retired"]),), min_score=60),
            make_order(4, schedule=office),
            make_order(5, 400),
        ]
    )
    facts = make_facts(attributes={"a": "employed"}, min_price_minor=500)
    score = "The score is 50; the order asks for at least 60. "
    verdicts = book.verdicts(facts, MONDAY - timedelta(hours=3))
    assert [(each.outcome, each.detail) for each in verdicts] == [
        ("paused", "The order is paused."),
        ("region", "FR-75C lies in none of the order's regions: ES, NL."),
        ("filtered", score + 'attributes.a is "employed"; the order asks for one of "student", "retired".'),
        ("closed", "The order is closed; it opens 2026-11-23T09:00+01:00."),
        ("below_min", "The order bids 4.00 EUR; the lead asks for at least 5.00 EUR."),
    ]  # fmt: skip
