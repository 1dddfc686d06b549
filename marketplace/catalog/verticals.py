"""A vertical as data: what a lead of it may say, in which currency it trades, and the rules it trades by."""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any

import msgspec
import yaml
from msgspec import Meta, Struct

from core.clock import as_rfc3339
from core.errors import Fault, Invalid, Malformed
from core.money import Money, is_currency
from core.schemas import ROOT, Amount, convert
from marketplace.catalog.dispute_rules import (
    Narrowed,
    Reason,
    base_hold_days,
    dispute_rules,
    narrowing_faults,
    nesting_faults,
    reason_in,
)
from marketplace.catalog.fields import (
    Check,
    FieldDefinition,
    compile_check,
    example_of,
    faults_of_definition,
    json_schema_of,
)
from marketplace.catalog.regions import is_region

DATA_FOLDER = Path(__file__).parent / "data"

Slug = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9-]{0,62}$(?!\n)", description="small letters, digits and dashes")]
Language = Annotated[str, Meta(pattern=r"^[a-z]{2}$(?!\n)", description="an ISO 639-1 code, such as en")]
Days = Annotated[int, Meta(ge=1, le=730)]
BasisPoints = Annotated[int, Meta(ge=0, le=10_000)]


class ConsentRule(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Whether a lead needs the person's consent, and how old that may be."""

    required: bool = True
    max_age_days: Days = 90


class ShareRule(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How many buyers may share a lead, and what a new publisher gets of the price."""

    buyers: Annotated[int, Meta(ge=1, le=5)] = 3
    buyers_ceiling: Annotated[int, Meta(ge=1, le=5)] = 5
    new_publisher_bp: BasisPoints = 7000


class VerticalDefinition(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The file of a vertical, as an operator writes it; the numbers left out are the exchange's defaults."""

    slug: Slug
    version: Annotated[int, Meta(ge=1, le=1_000_000)]
    names: Annotated[dict[Language, Annotated[str, Meta(min_length=1, max_length=100)]], Meta(min_length=1)]
    currency: str
    min_price: Amount
    window_hours: Annotated[int, Meta(ge=48, le=720)] = 168
    decision_days: Annotated[int, Meta(ge=1, le=30)] = 5
    dedupe_days: Days = 30
    buyer_dedupe_days: Days = 90
    delivery_grace_minutes: Annotated[int, Meta(ge=1, le=1440)] = 15
    share: ShareRule = ShareRule()
    consent: ConsentRule = ConsentRule()
    disputes: dict[str, Narrowed] = {}
    example_region: str = "FR-IDF"
    fields: Annotated[tuple[FieldDefinition, ...], Meta(max_length=200)] = ()


class Vertical:
    """A vertical ready for use: its definition, checked as a whole, and its fields compiled into one check."""

    def __init__(self, definition: VerticalDefinition) -> None:
        """Compile a definition that is known to be sound; `load` and `read` are the ways to get one."""
        self.definition = definition
        self.slug = definition.slug
        self.version = definition.version
        self.names = definition.names
        self.currency = definition.currency
        self.min_price = Money.parse(definition.min_price.amount, definition.currency)
        self.window_hours = definition.window_hours
        self.decision_days = definition.decision_days
        self.hold_days = base_hold_days(definition.window_hours, definition.decision_days)
        self.dedupe_days = definition.dedupe_days
        self.buyer_dedupe_days = definition.buyer_dedupe_days
        self.share = definition.share
        self.consent = definition.consent
        self.fields = definition.fields
        self.asked_fields = tuple(field.name for field in definition.fields if field.asked)
        self._checks: dict[str, Check] = {field.name: compile_check(field) for field in definition.fields}
        self._required = tuple(field.name for field in definition.fields if field.required)

    @classmethod
    def load(cls, mapping: Mapping[str, Any]) -> "Vertical":
        """Make a vertical from plain values; Invalid `invalid_vertical` names every fault of the definition."""
        try:
            definition = convert(mapping, VerticalDefinition)
        except Malformed as error:
            raise Invalid("invalid_vertical", "The vertical's definition has faults.", error.faults) from None
        if faults := _faults_of(definition):
            raise Invalid("invalid_vertical", "The vertical's definition has faults.", faults)
        return cls(definition)

    @classmethod
    def read(cls, text: str) -> "Vertical":
        """Make a vertical from a YAML or JSON text; Invalid as `load`, also when the text is neither."""
        try:
            return cls.load(yaml.load(text, _PlainLoader))  # noqa: S506  # a SafeLoader with fewer types
        except (yaml.YAMLError, ValueError, RecursionError) as error:
            faults = [Fault(ROOT, "not_yaml", f"Send YAML or JSON: {str(error)[:300]}")]
            raise Invalid("invalid_vertical", "The vertical's file cannot be read.", faults) from None

    def as_mapping(self) -> dict[str, Any]:
        """Show the definition as plain JSON values; `load` makes the same vertical of it."""
        plain: dict[str, Any] = msgspec.to_builtins(self.definition)
        return plain

    def check(self, attributes: Mapping[str, Any]) -> list[Fault]:
        """Name every attribute that this vertical refuses; null means not given."""
        faults: list[Fault] = []
        checks = self._checks
        for name, value in attributes.items():
            check = checks.get(name)
            if check is None:
                faults.append(Fault(f"attributes.{name}", "unknown_attribute", self._known_attributes))
            elif value is not None and (verdict := check(value)) is not None:
                faults.append(Fault(f"attributes.{name}", *verdict))
        missing = (name for name in self._required if attributes.get(name) is None)
        return faults + [Fault(f"attributes.{name}", "missing", "Send this attribute.") for name in missing]

    def dispute_reason(self, name: str) -> Reason | None:
        """Find the rule of a dispute's reason as it holds here; None for a reason nobody knows."""
        reason = dispute_rules().reasons.get(name)
        return reason and reason_in(reason, self.definition.disputes, name)

    def json_schema(self) -> dict[str, Any]:
        """Describe the attributes in JSON Schema (draft 2020-12); it accepts what `check` accepts."""
        return {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "title": self.names.get("en") or next(iter(self.names.values())),
            "type": "object",
            "properties": {field.name: json_schema_of(field) for field in self.fields},
            "required": list(self._required),
            "additionalProperties": False,
        }

    def example(self, at: datetime) -> dict[str, Any]:
        """Write a complete body for POST /leads that is fresh at `at`.

        E-mail and phone follow the instant, so that the example of another moment is another person and no duplicate.
        """
        moment = int(at.timestamp() * 1000)
        body = json.loads(_EXAMPLE)
        body["vertical"] = self.slug
        body["region"] = self.definition.example_region
        body["contact"]["email"] = f"ada.martin.{moment}@example.com"
        body["contact"]["phone"] = f"{_EXAMPLE_PHONES[moment // 10_000 % 5]}{moment % 10_000:04}"
        body["attributes"] = {
            field.name: example_of(field) for field in self.fields if field.required or field.example is not None
        }
        body["consent"]["given_at"] = as_rfc3339(at - timedelta(minutes=1))
        body["min_price"] = self.min_price.as_json()
        return body  # type: ignore[no-any-return]

    @cached_property
    def _known_attributes(self) -> str:
        return f"Remove it; {self.slug} knows: {', '.join(self._checks)}."


def read_shipped(slug: str) -> Vertical:
    """Read one of the verticals that come with the program; FileNotFoundError when it does not."""
    return Vertical.read((DATA_FOLDER / f"{slug}.yaml").read_text(encoding="utf-8"))


def shipped_slugs() -> list[str]:
    """List the slugs of the verticals that come with the program."""
    return sorted(path.stem for path in DATA_FOLDER.glob("*.yaml"))


class _PlainLoader(yaml.SafeLoader):
    """YAML without aliases: they could make a document that contains itself or grows without bounds."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.events.AliasEvent):
            raise yaml.YAMLError("aliases (*name) are not supported")
        return super().compose_node(parent, index)


def _faults_of(definition: VerticalDefinition) -> list[Fault]:
    faults = list(_price_faults(definition))
    faults += nesting_faults(definition.window_hours, definition.decision_days, dispute_rules())
    faults += narrowing_faults(definition.disputes, definition.window_hours, dispute_rules())
    if definition.share.buyers > definition.share.buyers_ceiling:
        faults.append(Fault("share.buyers", "above_ceiling", "Send at most share.buyers_ceiling."))
    if not is_region(definition.example_region):
        faults.append(Fault("example_region", "unknown_region", "Send an ISO 3166 code, such as FR-IDF."))
    names = [field.name for field in definition.fields]
    for index, field in enumerate(definition.fields):
        if field.name in names[:index]:
            faults.append(Fault(f"fields.{index}.name", "duplicate_field", f"{field.name} is already defined above."))
        faults += faults_of_definition(field, f"fields.{index}")
    return faults


def _price_faults(definition: VerticalDefinition) -> list[Fault]:
    if not is_currency(definition.currency):
        return [Fault("currency", "unknown_currency", "Send the ISO 4217 code of a traded currency, such as EUR.")]
    if definition.min_price.currency != definition.currency:
        return [Fault("min_price.currency", "wrong_currency", f"Send {definition.currency}, as the vertical trades.")]
    try:
        price = Money.parse(definition.min_price.amount, definition.currency)
    except ValueError as error:
        return [Fault("min_price.amount", "bad_amount", f"Send an amount in {definition.currency}: {error}.")]
    return [Fault("min_price.amount", "negative", "Send an amount of 0 or more.")] if price.minor < 0 else []


# The five French ranges reserved for fiction (ARCEP's numbering plan).
_EXAMPLE_PHONES = ("+3319900", "+3326191", "+3335301", "+3346571", "+3353649")
_EXAMPLE = """{
  "contact": {"first_name": "Ada", "last_name": "Martin", "email": null, "phone": null, "profile_url": null,
    "postal_code": "75011", "city": "Paris", "address": null, "language": "fr", "best_time": null,
    "company": null, "position": null},
  "comments": null, "interest": "request", "channel": "search",
  "source": {"name": "default", "click_id": null, "sub": {"1": "campaign-7"}, "page_url": "https://example.com/form",
    "referrer": null, "utm": {}, "gclid": null, "cost": null, "ip": "203.0.113.9",
    "user_agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "form_seconds": 41},
  "consent": {"text": "I agree that my data is passed on to schools that offer such courses, so that they contact me.",
    "given_at": null, "page_url": "https://example.com/form", "ip": "203.0.113.9", "recipients": ["*"]},
  "external_id": null, "exclusive_only": false, "min_price": null, "ping_id": null, "test": false
}"""
