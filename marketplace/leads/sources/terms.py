"""What a publisher says of a source, and the mapping that comes of it: the dialect's own, filled in and overridden."""

from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from core.errors import Fault, Invalid
from marketplace.catalog.regions import is_region
from marketplace.catalog.verticals import Vertical
from marketplace.leads.imports.mapping import MappingFile, check_mapping, mapping_of, parsed
from marketplace.leads.submission import Channel, Interest

_DATA = Path(__file__).resolve().parent.parent / "dialects" / "data"

DialectName = Literal["leadspedia", "leadprosper", "leadexec", "leadbyte", "boberdoo", "adf", "google", "meta"]
Name = Annotated[str, Meta(min_length=1, max_length=100)]
Slug = Annotated[str, Meta(max_length=100)]
ConsentText = Annotated[str, Meta(min_length=1, max_length=10_000)]
# A lead's field by its path, to a vendor's field or rules as an import's mapping has them; null leaves it out.
Fields = Annotated[dict[Annotated[str, Meta(max_length=200)], Any], Meta(max_length=300)]
Secret = Annotated[str, Meta(min_length=1, max_length=2000)]


class MetaAccess(Struct, frozen=True, forbid_unknown_fields=True):
    """What Meta gave the publisher: the app's secret, which signs events, and the page's token, which reads leads."""

    app_secret: Secret
    access_token: Secret


class SourceBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A new source: `region` counts for posts that say none, `consent_text` for those that bring no text."""

    dialect: DialectName
    name: Name
    vertical: Slug
    region: Annotated[str, Meta(max_length=10)]
    channel: Channel | None = None
    interest: Interest | None = None
    consent_text: ConsentText | None = None
    timezone: Slug = "UTC"
    fields: Fields = {}
    meta: MetaAccess | None = None


class SourcePatch(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A change of a source; `fields` changes as a whole."""

    name: Name | UnsetType = UNSET
    region: Annotated[str, Meta(max_length=10)] | UnsetType = UNSET
    channel: Channel | None | UnsetType = UNSET
    interest: Interest | None | UnsetType = UNSET
    consent_text: ConsentText | None | UnsetType = UNSET
    timezone: Slug | UnsetType = UNSET
    fields: Fields | UnsetType = UNSET
    meta: MetaAccess | UnsetType = UNSET
    status: Literal["active", "paused"] | UnsetType = UNSET


class SourceTerms(Struct, frozen=True, kw_only=True):
    """What is kept of a source besides its columns."""

    region: str
    channel: str | None
    interest: str | None
    consent_text: str | None
    timezone: str
    fields: dict[str, Any]


TERMS = tuple(field.name for field in msgspec.structs.fields(SourceTerms))


def check_terms(dialect: str, name: str, terms: SourceTerms, vertical: Vertical) -> None:
    """Refuse terms that make no usable mapping: Invalid `invalid_source` with every fault at once."""
    faults: list[Fault] = []
    if not is_region(terms.region):
        faults.append(Fault("region", "unknown_region", "Write an ISO 3166-1 or 3166-2 code, such as FR or FR-IDF."))
    try:
        check_mapping(_document(dialect, name, terms, vertical), vertical)
    except Invalid as wrong:
        faults += [fault for fault in wrong.faults if not (faults and fault.field.startswith("fields.region"))]
    if faults:
        raise Invalid("invalid_source", "The source cannot be used so; each fault is named.", faults)


def mapping_for(dialect: str, name: str, terms: SourceTerms, vertical: Vertical) -> MappingFile:
    """Return the mapping of a source whose terms were checked when they were stored."""
    return mapping_of(_document(dialect, name, terms, vertical))


def _document(dialect: str, name: str, terms: SourceTerms, vertical: Vertical) -> dict[str, Any]:
    """Put a mapping together: later ones count more.

    The attributes of the vertical by their own names, the dialect's fields, what the source says for all of its leads,
    and its own fields.
    """
    fields: dict[str, Any] = {f"attributes.{field.name}": field.name for field in vertical.fields}
    fields |= shipped_fields(dialect)
    fields["region"] = [*fields["region"], {"constant": terms.region}]
    if terms.consent_text:
        fields["consent.text"] = [*_listed(fields.get("consent.text")), {"constant": terms.consent_text}]
    said = {"source.name": name, "channel": terms.channel, "interest": terms.interest}
    fields |= {path: {"constant": value} for path, value in said.items() if value is not None}
    fields |= terms.fields
    kept = {path: rules for path, rules in fields.items() if rules is not None}
    return {"timezone": terms.timezone, "fields": kept}


def _listed(rules: Any) -> list[Any]:
    return rules if isinstance(rules, list) else [] if rules is None else [rules]


@cache
def shipped_fields(dialect: str) -> dict[str, Any]:
    """Return the fields of a dialect as they come with the program; nobody may change what this returns."""
    fields: dict[str, Any] = parsed((_DATA / f"{dialect}.yaml").read_text(encoding="utf-8"))["fields"]
    return fields
