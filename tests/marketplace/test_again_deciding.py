"""Whether a lead may be offered again, as what and until when: every rule by itself."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from marketplace.leads.again.deciding import Chance, Limits, PastSale, chance_of, ends, next_step
from marketplace.orders.ages import (
    DAY,
    AgeBody,
    Ages,
    Aging,
    age_body,
    age_faults,
    ages_of,
    band_of,
    bands_within,
    not_of_age,
    paid_for,
)

AT = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
LIMITS = Limits(consent_days=90, most_days=120, unsold_days=90, sold_months=13, most_resales=2, returned_bp=5000)
YES: dict[str, Any] = {"consent": {"given_at": "2026-11-01T10:00:00Z", "resale": True}}


def sale(number: int = 1, state: str = "settled", **more: Any) -> PastSale:
    return PastSale(UUID(int=number), more.pop("buyer_id", UUID(int=100 + number)), state, 4000, AT - timedelta(days=20),
                    more.pop("window_ends_at", AT - timedelta(days=10)), **more)  # fmt: skip


def chance(*sales: PastSale, details: Any = YES, limits: Limits = LIMITS, bp: int = 2000) -> Chance:
    return chance_of(AT - timedelta(days=20), details, sales, limits, bp, AT)


@dataclass(frozen=True)
class Case:
    says: str
    sales: tuple[PastSale, ...]
    details: dict[str, Any]
    found: Chance


OPEN = sale(window_ends_at=AT + timedelta(days=2))
CASES = [
    Case("nobody bought it", (), YES, Chance()),
    Case("every sale came to nothing", (sale(state="refused"), sale(2, "failed")), YES, Chance()),
    Case("somebody has it", (sale(),), YES, Chance(kind="resale", ceiling_minor=800)),
    Case("no consent", (sale(),), {}, Chance(ended="sold")),
    Case("a consent that says no", (sale(),), {"consent": {"resale": False}}, Chance(ended="sold")),
    Case("exclusive", (sale(),), YES | {"exclusive_only": True}, Chance(ended="made_for_one")),
    Case("a deal", (sale(is_deal=True),), YES, Chance(ended="made_for_one")),
    Case("inside the window", (sale(), OPEN), YES, Chance(later=AT + timedelta(days=2), reason="inside_window")),
    Case("on its way", (sale(state="held"),), YES, Chance(later=AT + timedelta(days=1), reason="not_delivered")),
    Case("disputed", (sale(state="disputed"),), YES, Chance(later=AT + timedelta(days=1), reason="disputed")),
    Case("claimed late", (sale(is_contested=True),), YES, Chance(later=AT + timedelta(days=1), reason="disputed")),
    Case("a robot", (sale(state="returned", claim="bot"),), YES, Chance(ended="pseudo_lead")),
    Case("dead number, half credited", (sale(claim="mistyped"),), YES, Chance(ended="pseudo_lead")),
    Case("sent back", (sale(state="returned", claim="unreachable"),), YES,
         Chance(kind="returned", ceiling_minor=400, returned="unreachable")),
    Case("sent back, within what was its window", (replace(OPEN, state="returned", claim="duplicate"),), YES,
         Chance(kind="returned", ceiling_minor=400, returned="duplicate")),
    Case("resold once", (sale(), sale(2, resale=1)), YES, Chance(kind="resale", ceiling_minor=800)),
    Case("resold twice", (sale(), sale(2, resale=1), sale(3, resale=2)), YES, Chance(ended="resold_out")),
    Case("one resale was refused", (sale(), sale(2, resale=1), sale(3, "refused", resale=2)), YES,
         Chance(kind="resale", ceiling_minor=800)),
    Case("two may have it", (sale(), sale(2)), {"consent": YES["consent"] | {"most_recipients": 2}},
         Chance(ended="recipients_reached")),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.says)
def test_what_may_be_done_with_a_lead(case: Case) -> None:
    assert chance(*case.sales, details=case.details) == case.found


@pytest.mark.parametrize(
    ("is_sold", "given", "limits", "days", "why"),
    [(False, "2026-11-22T10:00:00Z", LIMITS, 90, "consent_expired"),
     (False, "2026-11-12T10:00:00Z", LIMITS, 80, "consent_expired"),
     (False, None, LIMITS, 90, "retention_over"), (True, None, LIMITS, 120, "too_old"),
     (True, None, replace(LIMITS, most_days=700), 390, "retention_over"),
     (False, None, replace(LIMITS, most_days=30), 30, "too_old")],
)  # fmt: skip
def test_it_is_over_with_whatever_ends_first(
    is_sold: bool, given: str | None, limits: Limits, days: int, why: str
) -> None:
    details = {"consent": {"given_at": given}} if given else {}
    assert ends(AT, details, is_sold, limits) == (AT + timedelta(days=days), why)
    assert chance_of(AT, details, [sale()] if is_sold else [], limits, 1, AT + timedelta(days=days)).ended == why


@pytest.mark.parametrize(
    ("minutes", "band"),
    [(0, None), (DAY - 1, None), (DAY, "aged.week_bp"), (8 * DAY - 1, "aged.week_bp"), (8 * DAY, "aged.month_bp"),
     (31 * DAY - 1, "aged.month_bp"), (31 * DAY, "aged.quarter_bp"), (91 * DAY - 1, "aged.quarter_bp"),
     (91 * DAY, "aged.later_bp"), (700 * DAY, "aged.later_bp")],
)  # fmt: skip
def test_ages_fall_into_bands(minutes: int, band: str | None) -> None:
    assert band_of(minutes) == band


def test_the_bands_that_an_order_touches() -> None:
    assert bands_within(Ages(2 * DAY, 40 * DAY)) == [
        "aged.week_bp",
        "aged.month_bp",
        "aged.quarter_bp",
        "aged.quarter_bp",
    ]
    assert bands_within(Ages(0, DAY - 1)) == [None, None]


def test_it_is_looked_at_when_its_price_falls_or_an_order_begins() -> None:
    assert next_step(AT, 0, []) == AT + timedelta(days=1)
    assert next_step(AT, 0, [90]) == AT + timedelta(minutes=90)
    assert next_step(AT, 31 * DAY, [DAY]) == AT + timedelta(days=91)
    assert next_step(AT, 91 * DAY, [DAY]) is None


@given(st.integers(1, 10**6), st.integers(0, 10_000), st.none() | st.integers(0, 10**6), st.booleans())
def test_nobody_pays_more_than_he_bids_or_than_the_ceiling(bid: int, bp: int, ceiling: int | None, falls: bool) -> None:
    paid = paid_for(bid, Ages(0 if falls else DAY, 90 * DAY), Aging(DAY, bp, ceiling))
    assert paid <= bid and (ceiling is None or paid <= ceiling)
    assert paid == min(bid * bp // 10_000 if falls else bid, *([] if ceiling is None else [ceiling]), 10**7)


@given(st.integers(0, 700), st.integers(1, 700), st.sampled_from(["days", "hours", "minutes"]), st.booleans())
def test_ages_are_written_as_they_are_read(first: int, more: int, unit: str, resold: bool) -> None:
    body = AgeBody(to=min(first + more, 730), from_=first, unit=unit, resold=resold, returned=["duplicate"])
    ages = ages_of(body)
    assert list(age_faults(body, has_ladder=False)) == [] and ages is not None
    assert ages_of(age_body(ages)) == ages


@pytest.mark.parametrize(
    ("body", "has_ladder", "fault"),
    [(AgeBody(to=0), False, ("age.to", "out_of_range")), (AgeBody(to=1, from_=2), False, ("age.to", "out_of_range")),
     (AgeBody(to=731), False, ("age.to", "out_of_range")), (AgeBody(to=1, from_=-1), False, ("age.to", "out_of_range")),
     (AgeBody(to=1, unit="weeks"), False, ("age.unit", "unknown_value")),
     (AgeBody(to=1, returned=["bot"]), False, ("age.returned.0", "never_resold")),
     (AgeBody(to=1), True, ("age", "age_and_ladder"))],
)  # fmt: skip
def test_what_is_wrong_with_ages_is_named(body: AgeBody, has_ladder: bool, fault: tuple[str, str]) -> None:
    assert [(one.field, one.code) for one in age_faults(body, has_ladder)] == [fault]


def test_an_order_says_why_it_does_not_buy_an_age() -> None:
    ages, old = Ages(DAY, 7 * DAY), Aging(8 * DAY, 2000)
    assert not_of_age(None, None) == "" and not_of_age(ages, Aging(DAY, 5000)) == ""
    assert "as they come" in not_of_age(None, old) and "1 day to 7 days" in not_of_age(ages, old)
    assert "just come" in not_of_age(ages, None) and not_of_age(None, old, has_place=True) == ""
    assert "none that was sold" in not_of_age(ages, Aging(DAY, 5000, ceiling_minor=5))
    assert not_of_age(Ages(DAY, 7 * DAY, resold=True), Aging(DAY, 5000, ceiling_minor=5)) == ""
    assert "sent the lead back" in not_of_age(Ages(DAY, 7 * DAY, resold=True), Aging(DAY, 5000, 5, "unreachable"))
