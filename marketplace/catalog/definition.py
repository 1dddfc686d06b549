"""The file of a vertical as an operator writes it, and everything that can be wrong with it, named at once."""

import re
from collections.abc import Iterator
from typing import Annotated, Literal

from msgspec import Meta, Struct

from core.defaults import Said, default, faults_in_said
from core.errors import Fault
from core.money import Money, is_currency
from core.schemas import Amount
from marketplace.catalog.dispute_rules import Narrowed, dispute_rules, narrowing_faults, nesting_faults
from marketplace.catalog.distribution import (
    Distribution,
    LeastPrice,
    MarginBand,
    distribution_faults,
    least_price_faults,
    margin_faults,
)
from marketplace.catalog.fields import FieldDefinition, faults_of_definition
from marketplace.catalog.prices import Outcome, Prices, outcome_faults, price_faults
from marketplace.catalog.regions import is_region

Slug = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9-]{0,62}$(?!\n)", description="small letters, digits and dashes")]
Language = Annotated[str, Meta(pattern=r"^[a-z]{2}$(?!\n)", description="an ISO 639-1 code, such as en")]
BasisPoints = Annotated[int, Meta(ge=0, le=10_000)]
# Wider than any limit: the operator's limits are judged when a file is applied, not when a stored one is read.
Days = Annotated[int, Meta(ge=1, le=36_500)]
Count = Annotated[int, Meta(ge=1, le=1_000_000)]
Buyers = Annotated[int, Meta(ge=1, le=5)]

ADDING = "new"
_TURNS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")  # ends a line, or turns what follows
# What a lead may say of the person, beside the ways to reach them; leads/submission.py has the shape (tested).
CONTACT_FIELDS = ("first_name", "last_name", "email", "phone", "profile_url", "postal_code", "city", "address",
                  "language", "best_time", "company", "position")  # fmt: skip
# Settings that have a field of their own in a vertical's file, so that each is written in one place only.
OWN_FIELDS = {
    "window.hours": "window_hours", "window.decision_days": "decision_days", "dedupe.vertical_days": "dedupe_days",
    "dedupe.buyer_days": "buyer_dedupe_days", "delivery.grace_minutes": "delivery_grace_minutes",
    "share.buyers": "share.buyers", "share.most_buyers": "share.buyers_ceiling",
    "consent.most_days": "consent.max_age_days",
}  # fmt: skip


class ConsentRule(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Whether a lead needs the person's consent, and how old that may be."""

    required: bool = True
    max_age_days: Days = default("consent.most_days")


class ShareRule(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How many buyers may share a lead, and what a new publisher gets of the price."""

    buyers: Buyers = default("share.buyers")
    buyers_ceiling: Buyers = default("share.most_buyers")
    new_publisher_bp: BasisPoints = default("tier.new.share_bp")


class VerticalDefinition(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The file of a vertical; the numbers left out are the exchange's defaults.

    `min_prices` raise `min_price` for some leads; `margin` says what the platform keeps, by bands of the price, where
    it is not what the publishers' terms leave. `prices` and `outcome` are seeds for suggestions, `verification` the
    proof of the contact that is preferred (leads are sold without it too), `settings` what else differs from the table
    of defaults, by its keys.
    """

    slug: Slug
    version: Annotated[int, Meta(ge=1, le=1_000_000)]
    names: Annotated[dict[Language, Annotated[str, Meta(min_length=1, max_length=100)]], Meta(min_length=1)]
    currency: str
    min_price: Amount
    min_prices: Annotated[tuple[LeastPrice, ...], Meta(max_length=500)] = ()
    margin: Annotated[tuple[MarginBand, ...], Meta(max_length=20)] = ()
    distribution: Distribution = Distribution()
    prices: Prices = Prices()
    outcome: Outcome | None = None
    window_hours: Count = default("window.hours")
    decision_days: Days = default("window.decision_days")
    dedupe_days: Days = default("dedupe.vertical_days")
    buyer_dedupe_days: Days = default("dedupe.buyer_days")
    delivery_grace_minutes: Count = default("delivery.grace_minutes")
    share: ShareRule = ShareRule()
    consent: ConsentRule = ConsentRule()
    verification: Literal["none", "sms_code", "email_link"] = "none"
    disputes: dict[str, Narrowed] = {}
    settings: dict[str, int | bool] = {}
    contact_required: Annotated[tuple[str, ...], Meta(max_length=12)] = ()
    example_region: str = "FR-IDF"
    example_contact: dict[str, Annotated[str, Meta(max_length=300)]] = {}
    fields: Annotated[tuple[FieldDefinition, ...], Meta(max_length=200)] = ()


def faults_of(definition: VerticalDefinition) -> list[Fault]:
    """Name everything that makes a well-typed definition unusable."""
    return [
        *_word_faults(definition),
        *_money_faults(definition),
        *nesting_faults(definition.window_hours, definition.decision_days, dispute_rules()),
        *narrowing_faults(definition.disputes, definition.window_hours, dispute_rules()),
        *distribution_faults(definition.distribution),
        *_share_faults(definition),
        *_setting_faults(definition),
        *_contact_faults(definition),
        *_field_faults(definition),
    ]


def said_in(definition: VerticalDefinition) -> Said:
    """Return what a vertical says of the exchange's settings, by key, wherever in its file it says so."""
    own = {
        key: getattr(getattr(definition, first), rest) if rest else getattr(definition, first)
        for key, (first, _, rest) in ((key, place.partition(".")) for key, place in OWN_FIELDS.items())
    }
    said: dict[str, int | bool] = {}
    for reason, narrowed in definition.disputes.items():
        parts = {"enabled": narrowed.enabled, "window_hours": narrowed.window_hours}
        said |= {f"dispute.{reason}.{part}": value for part, value in parts.items() if value is not None}
    return said | definition.settings | own


def _word_faults(definition: VerticalDefinition) -> Iterator[Fault]:
    if definition.slug == ADDING:
        yield Fault("slug", "not_allowed_value", f"Choose another name: at the address {ADDING} a vertical is added.")
    words = {f"names.{code}": name for code, name in definition.names.items()}
    words |= {f"fields.{place}.label": field.label for place, field in enumerate(definition.fields)}
    for place, word in words.items():
        if _TURNS.search(word) or not any(letter.isprintable() and not letter.isspace() for letter in word):
            yield Fault(place, "not_allowed_value", "Write one line of letters that can be seen, in their own order.")


def _money_faults(definition: VerticalDefinition) -> Iterator[Fault]:
    if not is_currency(definition.currency):
        yield Fault("currency", "unknown_currency", "Send the ISO 4217 code of a traded currency, such as EUR.")
        return
    if definition.min_price.currency != definition.currency:
        yield Fault("min_price.currency", "wrong_currency", f"Send {definition.currency}, as the vertical trades.")
    else:
        yield from _min_price_faults(definition)
    yield from price_faults(definition.prices, definition.currency)
    if definition.outcome:
        yield from outcome_faults(definition.outcome, definition.currency)


def _min_price_faults(definition: VerticalDefinition) -> Iterator[Fault]:
    try:
        price = Money.parse(definition.min_price.amount, definition.currency)
    except ValueError as error:
        yield Fault("min_price.amount", "bad_amount", f"Send an amount in {definition.currency}: {error}.")
    else:
        if price.minor < 0:
            yield Fault("min_price.amount", "negative", "Send an amount of 0 or more.")
        yield from least_price_faults(definition.min_prices, definition.currency, price)
        yield from margin_faults(definition.margin, definition.currency, price)


def _share_faults(definition: VerticalDefinition) -> Iterator[Fault]:
    if definition.share.buyers > definition.share.buyers_ceiling:
        yield Fault("share.buyers", "above_ceiling", "Send at most share.buyers_ceiling.")


def _setting_faults(definition: VerticalDefinition) -> Iterator[Fault]:
    for key in definition.settings:
        place = OWN_FIELDS.get(key) or ("disputes" if key.startswith("dispute.") else None)
        if place:
            yield Fault(f"settings.{key}", "written_elsewhere", f"Leave it out here and write it under {place}.")
    said = {key: value for key, value in said_in(definition).items() if not key.startswith("dispute.")}
    for fault in faults_in_said("vertical", said):
        yield Fault(OWN_FIELDS.get(fault.field, f"settings.{fault.field}"), fault.code, fault.message)


def _contact_faults(definition: VerticalDefinition) -> Iterator[Fault]:
    known = f"Choose from {', '.join(CONTACT_FIELDS)}."
    for place, name in enumerate(definition.contact_required):
        if name not in CONTACT_FIELDS:
            yield Fault(f"contact_required.{place}", "not_allowed_value", known)
    for name in definition.example_contact:
        if name not in CONTACT_FIELDS:
            yield Fault(f"example_contact.{name}", "not_allowed_value", known)
    if not is_region(definition.example_region):
        yield Fault("example_region", "unknown_region", "Send an ISO 3166 code, such as FR-IDF.")


def _field_faults(definition: VerticalDefinition) -> Iterator[Fault]:
    names = [field.name for field in definition.fields]
    for index, field in enumerate(definition.fields):
        if field.name in names[:index]:
            yield Fault(f"fields.{index}.name", "duplicate_field", f"{field.name} is already defined above.")
        yield from faults_of_definition(field, f"fields.{index}")
