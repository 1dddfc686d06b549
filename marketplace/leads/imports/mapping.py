"""The mapping of an import: which columns of somebody's file become which fields of a lead, as a YAML or JSON file."""

import codecs
import re
import types
from collections.abc import Iterable, Iterator
from typing import Annotated, Any, Union, get_args, get_origin
from zoneinfo import ZoneInfo

import msgspec
import yaml
from msgspec import Meta, Struct

from core.errors import Fault, Invalid, Malformed
from core.schemas import ROOT, convert
from marketplace.catalog.fields import Check, compile_check
from marketplace.catalog.regions import is_region
from marketplace.catalog.verticals import Vertical
from marketplace.leads.columns import check_paths, readers_of
from marketplace.leads.imports.rules import SOURCES, Rule, columns_of
from marketplace.leads.submission import Submission

WAYS_TO_REACH = ("contact.email", "contact.phone", "contact.profile_url")


class MappingFile(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A mapping as its file has it: how leads are written, which texts say nothing, the rules of each field."""

    encoding: str = "utf-8"
    delimiter: Annotated[str, Meta(min_length=1, max_length=1)] | None = None
    timezone: str = "UTC"
    empty: tuple[str, ...] = ()
    fields: dict[str, tuple[Rule, ...]]

    def columns(self) -> list[str]:
        """Name the columns that the rules read, in the order of the alphabet."""
        return sorted({column for rules in self.fields.values() for rule in rules for column in columns_of(rule)})


def read_mapping(text: str, vertical: Vertical) -> MappingFile:
    """Read a mapping for leads of this vertical; Invalid `invalid_mapping` names every fault at once."""
    try:
        document = parsed(text)
    except Malformed as wrong:
        raise _invalid(wrong.faults) from None
    return check_mapping(document, vertical)


def check_mapping(document: Any, vertical: Vertical) -> MappingFile:
    """Read a mapping that is no text any more (dicts, lists); otherwise as `read_mapping`."""
    try:
        mapping = mapping_of(document)
    except Malformed as wrong:
        raise _invalid(wrong.faults) from None
    if faults := list(_faults(mapping, vertical)):
        raise _invalid(faults)
    return mapping


def mapping_of(document: Any) -> MappingFile:
    """Read a mapping that was checked before; Malformed when it has another shape."""
    return convert(_spelt_out(document), MappingFile)


def _invalid(faults: Iterable[Fault]) -> Invalid:
    return Invalid("invalid_mapping", "The mapping has faults; nothing was imported.", faults)


# -- YAML as people expect it ------------------------------------------------------------------------------------------


class _Loader(yaml.SafeLoader):
    """YAML in which only true and false are switches, dates are text, keys are text, and nothing is said twice."""

    # YAML 1.1 reads Yes and No as booleans and 2026-01-31 as a date: here they are texts of somebody's file.
    yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in known if not tag.endswith((":bool", ":timestamp"))]
        for first, known in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.events.AliasEvent):
            raise yaml.YAMLError("aliases (*name) are not supported")
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[str, Any]:  # type: ignore[override]  # noqa: ARG002
        found: dict[str, Any] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode) or key.value in found:
                raise yaml.YAMLError(f"line {key.start_mark.line + 1}: this key is not text, or is there twice")
            found[key.value] = self.construct_object(value, deep=True)
        return found


_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("^(?:true|false)$"), list("tf"))


def parsed(text: str) -> Any:
    """Read the YAML or JSON of a mapping as plain values; Malformed `not_yaml` when it is neither."""
    try:
        return yaml.load(text, _Loader)  # noqa: S506  # a SafeLoader
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        fault = Fault(ROOT, "not_yaml", f"Write YAML or JSON: {str(error)[:300]}")
        raise Malformed("not_yaml", faults=[fault]) from None


def _spelt_out(document: Any) -> Any:
    """Write every field as a list of whole rules: a text alone is a column, a rule alone a list of one."""
    fields = document.get("fields") if isinstance(document, dict) else None
    if not isinstance(fields, dict):
        return document
    lists = {path: rules if isinstance(rules, list) else [rules] for path, rules in fields.items()}
    return document | {"fields": {path: [_whole_rule(rule) for rule in rules] for path, rules in lists.items()}}


def _whole_rule(rule: Any) -> Any:
    return {"column": rule} if isinstance(rule, str) else rule


# -- what makes a well-typed mapping unusable --------------------------------------------------------------------------


def _faults(mapping: MappingFile, vertical: Vertical) -> Iterator[Fault]:
    yield from _file_faults(mapping)
    try:
        check_paths(list(mapping.fields))
    except Malformed as wrong:
        yield from wrong.faults
    if "region" not in mapping.fields:
        yield Fault("fields.region", "missing", "Say where the region comes from; a constant will do.")
    if not any(way in mapping.fields for way in WAYS_TO_REACH):
        yield Fault("fields.contact", "missing", f"Map at least one of {', '.join(WAYS_TO_REACH)}.")
    for name in (field.name for field in vertical.fields if field.required):
        if f"attributes.{name}" not in mapping.fields:
            yield Fault(f"fields.attributes.{name}", "missing", "The vertical requires this attribute.")
    checks = {f"attributes.{field.name}": compile_check(field) for field in vertical.fields}
    readers = readers_of(vertical)
    for path, rules in mapping.fields.items():
        shape = _shape_of(path, checks)
        if shape is None:
            yield Fault(f"fields.{path}", "unknown_field", f"A lead of {vertical.slug} has no such field.")
        for number, rule in enumerate(rules):
            yield from _source_faults(rule, f"fields.{path}.{number}")
            for place, value in _outputs(rule) if shape is not None else ():
                read = readers[path](value) if path in readers and isinstance(value, str) else value
                yield from _value_faults(path, read, shape, checks.get(path), f"fields.{path}.{number}.{place}")


def _file_faults(mapping: MappingFile) -> Iterator[Fault]:
    try:
        codecs.lookup(mapping.encoding)
    except LookupError:
        yield Fault("encoding", "unknown_encoding", "Name an encoding, such as utf-8, cp1252 or utf-16.")
    try:
        ZoneInfo(mapping.timezone)
    except (ValueError, OSError, KeyError):
        yield Fault("timezone", "unknown_timezone", "Name an IANA time zone, such as Europe/Paris.")


def _source_faults(rule: Rule, place: str) -> Iterator[Fault]:
    if sum(getattr(rule, source) is not None for source in SOURCES) != 1:
        yield Fault(place, "one_source", f"Give a rule exactly one of {', '.join(SOURCES)}.")
    if (rule.values or rule.read or rule.format) and rule.column is None and rule.template is None:
        yield Fault(place, "nothing_to_read", "values, read and format need a column or a template.")
    if rule.format is not None and rule.read is not None:
        yield Fault(place, "one_reading", "Use either read or format.")


def _outputs(rule: Rule) -> Iterator[tuple[str, Any]]:
    """Yield every value that a rule can give without reading a row, and where it stands."""
    yield from ((f"values.{text}", value) for text, value in rule.values.items())
    yield from ((name, getattr(rule, name)) for name in ("constant", "default") if getattr(rule, name) is not None)


def _value_faults(path: str, value: Any, shape: Any, check: Check | None, place: str) -> Iterator[Fault]:
    if check is not None:
        verdict = check(value)
        if verdict is not None:
            yield Fault(place, *verdict)
    elif path == "region":
        if not isinstance(value, str) or not is_region(value):
            yield Fault(place, "unknown_region", "Write an ISO 3166-1 or 3166-2 code, such as FR or FR-IDF.")
    else:
        try:
            convert(msgspec.to_builtins(value), shape)
        except Malformed as wrong:
            yield from (Fault(place, fault.code, fault.message) for fault in wrong.faults)


def _shape_of(path: str, checks: dict[str, Check]) -> Any:
    """Return the type of a lead's field; None when there is no such field, or a mapping may not set it."""
    if path.startswith("attributes."):
        return checks.get(path)
    shape: Any = Submission
    for part in path.split("."):
        shape = _inside(shape, part)
    return None if path == "vertical" or _bare(shape) is None or _struct_or_dict(shape) else shape


def _inside(shape: Any, part: str) -> Any:
    bare = _bare(shape)
    if isinstance(bare, type) and issubclass(bare, Struct):
        return next((field.type for field in msgspec.structs.fields(bare) if field.name == part), None)
    if get_origin(bare) is dict:
        key, value = get_args(bare)
        return value if _fits(part, key) else None
    return None


def _fits(part: str, shape: Any) -> bool:
    try:
        convert(part, shape)
    except Malformed:
        return False
    return True


def _bare(shape: Any) -> Any:
    """Take off Annotated and `| None`."""
    if get_origin(shape) is Annotated:
        return _bare(get_args(shape)[0])
    if get_origin(shape) in (Union, types.UnionType):
        kinds = [kind for kind in get_args(shape) if kind is not types.NoneType]
        return _bare(kinds[0]) if len(kinds) == 1 else shape
    return shape


def _struct_or_dict(shape: Any) -> bool:
    bare = _bare(shape)
    return get_origin(bare) is dict or (isinstance(bare, type) and issubclass(bare, Struct))
