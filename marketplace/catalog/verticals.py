"""A vertical as data: what a lead of it may say, in which currency it trades, and the rules it trades by."""

from collections.abc import Mapping
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec
import yaml

from core.defaults import NOTHING, Said, setting
from core.errors import Fault, Invalid, Malformed
from core.money import Money
from core.schemas import ROOT, convert, learned
from marketplace.catalog.definition import VerticalDefinition, faults_of, said_in
from marketplace.catalog.dispute_rules import Reason, base_hold_days, reason_in, rules_with
from marketplace.catalog.distribution import bands_of, least_minor_of
from marketplace.catalog.example import example_body
from marketplace.catalog.fields import Check, compile_check, example_of, json_schema_of

DATA_FOLDER = Path(__file__).parent / "data"


class Vertical:
    """A vertical ready for use: its definition, checked as a whole, and its fields, compiled into one check once."""

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
        self.distribution = definition.distribution
        self.bands = bands_of(definition.margin, definition.currency)
        self.contact_required = definition.contact_required
        self.fields = definition.fields
        self.asked_fields = tuple(field.name for field in definition.fields if field.asked)
        self._required = tuple(field.name for field in definition.fields if field.required)

    @classmethod
    def load(cls, mapping: Mapping[str, Any]) -> "Vertical":
        """Make a vertical from plain values; Invalid `invalid_vertical` names every fault of the definition."""
        try:
            definition = convert(mapping, VerticalDefinition)
        except Malformed as error:
            raise Invalid("invalid_vertical", "The vertical's definition has faults.", error.faults) from None
        return cls.judged(definition)

    @classmethod
    def judged(cls, definition: VerticalDefinition) -> "Vertical":
        """Make a vertical of a well-typed definition; Invalid as `load`."""
        if faults := faults_of(definition):
            raise Invalid("invalid_vertical", "The vertical's definition has faults.", faults)
        return cls(definition)

    @classmethod
    def stored(cls, mapping: Mapping[str, Any]) -> "Vertical":
        """Make a vertical of a definition that was accepted when it was stored.

        It is not judged anew: a limit that the operator tightened since must not stop what is traded already.
        """
        return cls(msgspec.convert(mapping, learned(VerticalDefinition)))

    @classmethod
    def read(cls, text: str) -> "Vertical":
        """Make a vertical from a YAML or JSON text; Invalid as `load`, also when the text is neither."""
        try:
            return cls.load(yaml.load(text, _PlainLoader))  # noqa: S506  # a SafeLoader with fewer types
        except (yaml.YAMLError, ValueError, RecursionError) as error:
            faults = [Fault(ROOT, "not_yaml", f"Send YAML or JSON: {str(error)[:300]}")]
            raise Invalid("invalid_vertical", "The vertical's file cannot be read.", faults) from None

    def as_mapping(self) -> dict[str, Any]:
        """Show the definition as plain JSON values with every number in it; `load` makes the same vertical of it.

        What is stored this way stays as it is when a default changes later.
        """
        plain: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(self.definition))  # to_builtins keeps tuples
        return plain

    def least_minor(self, regions: tuple[str, ...], contact_class: str) -> int:
        """Return the least that an order must bid for a lead of a class, whose regions hold one another."""
        dearer = self.definition.min_prices
        return least_minor_of(dearer, self.currency, regions, contact_class) if dearer else 0

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

    def setting(self, key: str, country: Said = NOTHING, order: Said = NOTHING, exchange: Said = NOTHING) -> int | bool:
        """Return what one of the exchange's settings is here; KeyError for an unknown one."""
        value = setting(key, said_in(self.definition), country, order, exchange=exchange)
        assert not isinstance(value, list), f"{key} is a list, which no vertical changes"
        return value

    def dispute_reasons(
        self, country: Said = NOTHING, order: Said = NOTHING, exchange: Said = NOTHING
    ) -> dict[str, Reason]:
        """Return the rule of each reason of disputes as it holds here."""
        said = said_in(self.definition)
        rules = rules_with(lambda key: setting(key, said, country, order, exchange=exchange))
        return {name: reason_in(one, self.definition.disputes, name) for name, one in rules.reasons.items()}

    def dispute_reason(self, name: str) -> Reason | None:
        """Find the rule of a dispute's reason as the vertical has it; None for a reason nobody knows."""
        return self.dispute_reasons().get(name)

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
        """Write a complete body for POST /leads that is fresh at `at` and accepted as it is."""
        attributes = {
            field.name: example_of(field) for field in self.fields if field.required or field.example is not None
        }
        return example_body(
            self.slug, self.definition.example_region, dict(self.definition.example_contact), self.contact_required,
            attributes, self.min_price, at,
        )  # fmt: skip

    @cached_property
    def _checks(self) -> dict[str, Check]:
        """Compile the fields when the first lead is checked; many read a vertical for its name or its rules alone."""
        return {field.name: compile_check(field) for field in self.fields}

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
