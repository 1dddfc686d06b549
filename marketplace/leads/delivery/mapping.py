"""Which of the parcel's values go under which of the buyer's names: rules as data, applied to an ordered list of pairs.

The words are those of the mapping of an import: from, template, constant, values, format, when, default.
"""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from msgspec import Meta, Struct, field

from core.errors import Fault, Invalid, Malformed
from marketplace.leads.columns import check_paths
from marketplace.leads.delivery.formats import FORMATS, formatted, text_of
from marketplace.leads.delivery.parcel import Scalar, paths_in, value_at
from marketplace.leads.delivery.wording import rendered

MAX_FIELDS, MAX_NAME, MAX_CONSTANT = 200, 200, 2000
SOURCES = ("from", "template", "constant")

Formats = tuple[str, ...]
Constant = bool | int | float | str


class Rule(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """Where the value of one field comes from, and how it is written.

    Exactly one of `from` (a path of the parcel), `template` and `constant`. `values` replaces what it lists, in any
    case; `when` holds if every path has one of its texts ("*" is any); what gives nothing is left out, or `default`.
    A `secret` constant is kept sealed and never shown again.
    """

    from_: str | None = field(default=None, name="from")
    template: str | None = None
    constant: Constant | None = None
    values: dict[str, Constant] = {}
    format: str | Formats = ()
    when: dict[str, tuple[str, ...]] = {}
    default: Constant | None = None
    secret: bool = False


Fields = Annotated[dict[str, str | Rule], Meta(description="the buyer's name of each field, and a path or a rule")]
Pairs = list[tuple[str, Scalar]]


def pairs_of(fields: Mapping[str, str | Rule], plain: dict[str, Any]) -> Pairs:
    """Return what each rule gives of these plain values, in the order of the mapping; what gives nothing is left out.

    Raises Invalid `bad_template` for a template that cannot be used.
    """
    found = ((name, _value_of(rule_of(each), plain)) for name, each in fields.items())
    return [(name, value) for name, value in found if value is not None]


def rule_of(each: str | Rule) -> Rule:
    """Return the whole rule; a text alone is a path."""
    return Rule(from_=each) if isinstance(each, str) else each


def mapping_faults(where: str, fields: Mapping[str, str | Rule], plain: dict[str, Any]) -> Iterator[Fault]:
    """Yield what makes a mapping unusable for parcels such as this one; `where` begins the names of the fields."""
    if len(fields) > MAX_FIELDS:
        yield Fault(where, "too_many", f"Map at most {MAX_FIELDS} fields.")
        return
    try:
        check_paths(list(fields))
    except Malformed as wrong:
        yield from (Fault(f"{where}.{each.field}", each.code, each.message) for each in wrong.faults)
    for name, each in fields.items():
        if len(name) > MAX_NAME or not name.isprintable():
            yield Fault(f"{where}.{name[:50]!r}", "invalid_name", f"Use 1 to {MAX_NAME} printable characters.")
        else:
            yield from _rule_faults(f"{where}.{name}", rule_of(each), plain)


def _rule_faults(where: str, rule: Rule, plain: dict[str, Any]) -> Iterator[Fault]:
    if (rule.from_ is not None) + (rule.template is not None) + (rule.constant is not None) != 1:
        yield Fault(where, "one_source", f"Give a rule exactly one of {', '.join(SOURCES)}.")
    paths = paths_in(plain)
    for place, path in [("from", rule.from_)] * (rule.from_ is not None) + [("when", path) for path in rule.when]:
        if path not in paths:
            message = f"{str(path)[:100]!r} is no field of such a lead; there are {', '.join(sorted(paths))}."
            yield Fault(f"{where}.{place}", "unknown_field", message)
    for name in _formats(rule):
        if name not in FORMATS:
            yield Fault(f"{where}.format", "unknown_value", f"{name!r} is no format; use one of {', '.join(FORMATS)}.")
    for name in ("constant", "default"):
        if isinstance(value := getattr(rule, name), str) and len(value) > MAX_CONSTANT:
            yield Fault(f"{where}.{name}", "too_long", f"Use at most {MAX_CONSTANT} characters.")
    if rule.secret and rule.constant is None:
        yield Fault(f"{where}.secret", "not_settable", "Mark constants only: nothing else is kept as a secret.")
    if rule.template is not None:
        yield from template_faults(f"{where}.template", rule.template, plain)


def template_faults(where: str, template: str, plain: dict[str, Any], escape: str = "text") -> Iterator[Fault]:
    """Yield why a template cannot be written for these plain values, in which every name must exist."""
    try:
        rendered(template, plain, escape, strict=True)
    except Invalid as wrong:
        yield Fault(where, "bad_template", wrong.detail)


def _value_of(rule: Rule, plain: dict[str, Any]) -> Scalar:
    if not all(_holds(value_at(plain, path), wanted) for path, wanted in rule.when.items()):
        return None
    value = _source(rule, plain)
    if rule.values and value is not None:
        listed = {text.casefold(): instead for text, instead in rule.values.items()}
        value = listed.get(text_of(value).strip().casefold(), value)
    value = formatted(value, _formats(rule), plain["country"])
    return rule.default if value is None or value == "" else value


def _source(rule: Rule, plain: dict[str, Any]) -> Scalar:
    if rule.template is not None:
        return rendered(rule.template, plain)
    return rule.constant if rule.from_ is None else value_at(plain, rule.from_)


def _holds(value: Scalar, wanted: tuple[str, ...]) -> bool:
    text = text_of(value).strip().casefold()
    return any(text == each.casefold() or (each == "*" and text != "") for each in wanted)


def _formats(rule: Rule) -> Formats:
    return (rule.format,) if isinstance(rule.format, str) else rule.format
