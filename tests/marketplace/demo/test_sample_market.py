"""The sample market's leads come at the rates of its table, are accepted by the product, and repeat no number."""

import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, timedelta
from random import Random
from zoneinfo import ZoneInfo

import pytest

from core.errors import Invalid
from core.schemas import convert
from marketplace.catalog.verticals import Vertical, read_shipped
from marketplace.demo.cast import Cast
from marketplace.demo.lanes import HOW_MANY as LANES
from marketplace.demo.lanes import lanes_of
from marketplace.demo.market import (
    LABELS,
    MARKET_FILE,
    PSEUDO,
    Publisher,
    bad_share,
    read_market,
    refused_share,
    sample_market,
)
from marketplace.demo.people import countries, email_of, person_in
from marketplace.demo.phones import HOW_MANY, RANGES, number_at
from marketplace.demo.traffic import FIRST_DAY, Sent, leads_of
from marketplace.demo.wallets import offered, playing
from marketplace.leads.addresses import FICTION_RANGES, read_email, read_phone
from marketplace.leads.submission import Submission
from marketplace.leads.validation import Judged, judge
from tests.house.tree import python_files, text_of

MARKET = sample_market()
SLUGS = [publisher.slug for publisher in MARKET.publishers]
SEED = MARKET.size.seed
DAYS = 30


def month_of(publisher: Publisher, first: int = 0) -> Iterator[Sent]:
    for day in range(first, first + DAYS):
        yield from leads_of(publisher, day, SEED)


def judged(sent: Sent, verticals: dict[str, Vertical]) -> Judged:
    slug = sent.body["vertical"]
    if slug not in verticals:
        verticals[slug] = read_shipped(slug)
    return judge(convert(sent.body, Submission), verticals[slug], sent.at)


def is_near(count: int, of: int, rate_bp: int) -> bool:
    """Tell whether a count is within five standard deviations of what its rate promises."""
    rate = rate_bp / 10_000
    return bool(abs(count - of * rate) <= 5 * max((of * rate * (1 - rate)) ** 0.5, 0.5))


@pytest.mark.parametrize("slug", SLUGS)
def test_a_publishers_rates_follow_its_profile(slug: str) -> None:
    publisher = MARKET.publisher(slug)
    labels = Counter(sent.true_label for sent in month_of(publisher))
    sent = labels.total()
    assert abs(sent / (publisher.leads_a_weekday * 26.1) - 1) < 0.06  # 21 weekdays, 9 days at 0.55 and noise
    for label in LABELS[1:]:
        assert is_near(labels[label], sent, publisher.rates_bp.get(label, 0)), (label, labels[label], sent)


@pytest.mark.parametrize("slug", SLUGS)
def test_every_lead_is_well_formed_and_shows_what_the_product_can_judge(slug: str) -> None:
    verticals: dict[str, Vertical] = {}
    counts: Counter[tuple[str, bool]] = Counter()
    for sent in month_of(MARKET.publisher(slug)):
        counts[sent.true_label, bool(judged(sent, verticals).reasons)] += 1
    for label in ("good", "bot", "hired", "prank", "competitor", "off_criteria", "duplicate"):
        assert counts[label, True] == 0
    for label in ("mistyped", "weak_consent"):
        both = counts[label, True] + counts[label, False]
        assert is_near(counts[label, True], both, MARKET.caught_bp[label])


def test_the_publisher_that_turns_bad_is_clean_for_thirty_days() -> None:
    publisher = MARKET.publisher("turnbad")
    after = Counter(sent.true_label for sent in month_of(publisher, first=30))
    assert is_near(after["bot"], after.total(), 3500) and is_near(after["hired"], after.total(), 1500)


def test_most_robots_of_the_opaque_network_come_from_one_sub_id() -> None:
    bots = [
        sent.body["source"]["sub"]["1"] for sent in month_of(MARKET.publisher("subnet")) if sent.true_label == "bot"
    ]
    assert is_near(bots.count("s9"), len(bots), 7000) and len(set(bots)) > 5


def test_a_duplicate_is_somebody_whom_the_publisher_sent_before() -> None:
    seen: dict[str, str] = {}
    repeated = Counter[bool]()
    for sent in month_of(MARKET.publisher("giftclub")):
        contact = sent.body["contact"]
        ways = {contact[way] for way in ("email", "phone") if contact[way]}
        if sent.true_label == "duplicate":
            repeated[any(seen.get(way) == sent.body["vertical"] for way in ways)] += 1
        seen |= dict.fromkeys(ways, sent.body["vertical"])
    assert is_near(repeated[True], repeated.total(), MARKET.caught_bp["duplicate"])


def test_the_same_seed_sends_the_same_and_another_seed_something_else() -> None:
    publisher = MARKET.publisher("comparo")
    first, again, other = (list(leads_of(publisher, 3, seed)) for seed in (1, 1, 2))
    assert first == again != other
    assert [sent.at for sent in first] == sorted(sent.at for sent in first)
    zone = ZoneInfo(publisher.zone)
    assert {sent.at.astimezone(zone).date() for sent in first} == {FIRST_DAY + timedelta(days=3)}
    assert all(sent.at.tzinfo is UTC for sent in first)


def test_weekends_are_quieter_and_the_late_morning_is_busiest() -> None:
    publisher = MARKET.publisher("socialboost")
    days = [len(list(leads_of(publisher, day, SEED, date(2026, 11, 23)))) for day in range(14)]
    assert sum(days[5:7] + days[12:14]) / 4 < 0.65 * sum(days[:5] + days[7:12]) / 10
    hours = Counter(sent.at.astimezone(ZoneInfo(publisher.zone)).hour for sent in month_of(publisher))
    assert min(hours[10], hours[11], hours[19]) > max(hours[13], hours[15], hours[3])


def test_no_number_is_anybody_elses_within_the_longest_window() -> None:
    owners: dict[str, str] = {}
    for publisher in MARKET.publishers:
        for day in (0, 45, 89):
            for sent in leads_of(publisher, day, SEED):
                phone = sent.body["contact"]["phone"]
                if phone and sent.true_label == "good":
                    assert owners.setdefault(phone, sent.body["external_id"]) == sent.body["external_id"]
    assert len(owners) > 800


def test_numbers_come_in_a_seeded_order_without_replacement_and_are_all_reserved_for_fiction() -> None:
    numbers = [number_at(index, 7) for index in range(HOW_MANY)]
    assert len({number.e164 for number in numbers}) == HOW_MANY == sum(10**each.digits for each in RANGES)
    assert number_at(HOW_MANY, 7) == numbers[0] and [number_at(index, 8) for index in range(9)] != numbers[:9]
    reserved = re.compile("|".join(pattern for pattern, _, _ in FICTION_RANGES))
    assert [number for number in numbers if not reserved.fullmatch(number.e164)] == []
    for each in RANGES:
        read = read_phone(f"{each.prefix}{'7' * each.digits}", "ES")
        assert read is not None and read.is_test and read.kind == each.kind


def test_a_name_and_a_number_make_a_quick_lead() -> None:
    verticals: dict[str, Vertical] = {}
    sent = [each for each in month_of(MARKET.publisher("comparo")) if each.true_label == "good"]
    classes = Counter(judged(each, verticals).contact_class for each in sent)
    for name, weight in MARKET.classes.items():
        assert abs(classes[name] / len(sent) - weight / 100) < 0.05, classes


@pytest.mark.parametrize("country", ["FR", "ES", "NL", "BE", "VN", "BA"])
def test_people_are_named_as_in_their_country_and_live_in_it(country: str) -> None:
    dice = Random(1)
    people = [person_in(city.region, number, dice) for number in range(60) for city in countries()[country].cities]
    names = "".join(person.first_name + person.last_name for person in people)
    assert any(ord(letter) > 127 for letter in names)
    assert len({person.email for person in people}) > 0.9 * len(people)
    for person in people:
        address = read_email(person.email)
        assert address is not None and address.is_test and person.city.region.startswith(country)


def test_addresses_are_in_plain_letters() -> None:
    assert re.fullmatch(r"[a-z._]+5@example\.(com|net|org)", email_of("Đặng", "N'Guyễn", 5, Random(1)))


def test_the_tables_own_consequences_hold() -> None:
    sent = MARKET.size.weekday_leads
    for publisher in MARKET.publishers:
        assert abs(refused_share(MARKET, publisher.rates_bp) * 10_000 - publisher.refused_bp) < 6
        assert abs(bad_share(MARKET, publisher.rates_bp) * 10_000 - publisher.bad_among_sold_bp) < 6

    def in_all(share: "list[float]") -> float:
        return sum(one * each.leads_a_weekday for one, each in zip(share, MARKET.publishers, strict=True)) / sent

    pseudo = in_all([sum(each.rates_bp.get(label, 0) for label in PSEUDO) for each in MARKET.publishers])
    refused = in_all([10_000 * refused_share(MARKET, each.rates_bp) for each in MARKET.publishers])
    assert abs(pseudo - MARKET.totals.pseudo_bp) < 10 and abs(refused - MARKET.totals.refused_bp) < 10
    assert sum(MARKET.classes.values()) == sum(MARKET.disputes.values()) == 100
    assert sum(warmth.share_bp for warmth in MARKET.temperatures.values()) == 10_000
    buys = sum(warmth.share_bp * warmth.buy_bp for warmth in MARKET.temperatures.values()) / 10_000
    assert abs(buys - 700) < 10


def test_buyers_want_what_is_traded_at_a_price_that_is_allowed() -> None:
    assert len(MARKET.buyers) == 28
    for buyer in MARKET.buyers:
        for order in buyer.orders:
            for vertical in map(read_shipped, order.verticals):
                if order.model == "cpl" and order.aged_days is None:  # which may be the less, the older they are
                    assert float(order.price[0]) >= vertical.min_price.minor / 100 or order.delivery == "ping"
                assert order.price or order.rate_bp


def test_a_file_that_is_no_market_is_refused_with_every_fault() -> None:
    text = MARKET_FILE.read_text(encoding="utf-8")
    bad = text.replace("zone: Europe/Sarajevo", "zone: Nowhere").replace("BA-BIH: 80", "XX-1: 80")
    with pytest.raises(Invalid) as refusal:
        read_market(bad.replace("weekday_leads: 660", "weekday_leads: 661"))
    assert {fault.code for fault in refusal.value.faults} == {"unknown_timezone", "unknown_region", "out_of_range"}
    with pytest.raises(Invalid):
        read_market(text.replace("unsold_bp", "unsolds"))


def test_the_product_never_reads_the_sample_market_nor_a_true_label() -> None:
    inside = "marketplace/demo/"
    readers = [
        path.as_posix()
        for path in python_files("core", "billing", "affiliates", "marketplace")
        if not path.as_posix().startswith(inside) and path.parts[:2] != ("marketplace", "cli")
        if re.search(r"marketplace\.demo\b|true_label", text_of(path))
    ]
    assert readers == []


def test_what_is_played_at_once_has_no_buyer_and_no_vertical_in_common() -> None:
    cast = Cast(FIRST_DAY, 1, SEED)
    lanes = lanes_of(cast)
    for buyer in playing(cast):
        assert len({lanes[slug] for _, slug in offered(buyer)}) == 1, buyer.name
    sent = Counter(lanes[posting.sent.body["vertical"]] for posting in cast.postings(0))
    assert set(sent) == set(range(LANES)) and min(sent.values()) > 0.35 * sent.total()
