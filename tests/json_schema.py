"""A small reader of JSON Schema 2020-12: enough for the schemas that this program makes, strict about all else."""

import re
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

KINDS: dict[str, Any] = {"object": dict, "array": list, "string": str, "boolean": bool, "null": type(None)}
ANNOTATIONS = {"title", "description", "default", "$schema", "example", "discriminator"}
CHECKED = {"$ref", "type", "enum", "anyOf", "properties", "required", "additionalProperties", "propertyNames",
           "maxProperties", "minProperties", "items", "minItems", "maxItems", "minLength", "maxLength", "pattern", "format", "minimum",
           "maximum"}  # fmt: skip


def check_schema(schema: dict[str, Any], root: dict[str, Any]) -> None:
    """Fail for a schema with an unknown word, an unknown kind, a reference to nowhere or a broken expression."""
    assert set(schema) <= ANNOTATIONS | CHECKED, set(schema) - ANNOTATIONS - CHECKED
    if "$ref" in schema:
        _target(schema["$ref"], root)
    for kind in _kinds(schema):
        assert kind in {*KINDS, "integer", "number"}, kind
    re.compile(schema.get("pattern", ""))
    assert set(schema.get("required", ())) <= set(schema.get("properties", {}))
    assert schema.get("enum", [1])
    for part in _parts(schema):
        check_schema(part, root)


def faults_in(value: Any, schema: dict[str, Any], root: dict[str, Any], path: str = "$") -> Iterator[str]:
    """Yield where a value does not fit a schema."""
    if "$ref" in schema:
        yield from faults_in(value, _target(schema["$ref"], root), root, path)
    if "anyOf" in schema:
        tried = [list(faults_in(value, one, root, path)) for one in schema["anyOf"]]
        if all(tried):
            yield f"{path}: none of {tried}"
    if "type" in schema and not any(_is(value, kind) for kind in _kinds(schema)):
        yield f"{path}: {value!r} is no {schema['type']}"
    if "enum" in schema and value not in schema["enum"]:
        yield f"{path}: {value!r} is none of {schema['enum']}"
    if isinstance(value, str):
        yield from _text_faults(value, schema, path)
    elif isinstance(value, dict):
        yield from _object_faults(value, schema, root, path)
    elif isinstance(value, list):
        yield from _list_faults(value, schema, root, path)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        in_range = schema.get("minimum", value) <= value <= schema.get("maximum", value)
        yield from () if in_range else (f"{path}: {value} is out of range",)


def _text_faults(value: str, schema: dict[str, Any], path: str) -> Iterator[str]:
    if not schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", len(value)):
        yield f"{path}: a text of {len(value)} characters"
    if "pattern" in schema and not re.search(schema["pattern"], value):
        yield f"{path}: {value!r} does not match {schema['pattern']}"
    if schema.get("format") == "date":
        date.fromisoformat(value)
    if schema.get("format") == "date-time":
        assert datetime.fromisoformat(value).utcoffset() is not None


def _object_faults(value: dict[str, Any], schema: dict[str, Any], root: dict[str, Any], path: str) -> Iterator[str]:
    yield from (f"{path}.{name}: missing" for name in schema.get("required", ()) if name not in value)
    if len(value) > schema.get("maxProperties", len(value)):
        yield f"{path}: too many fields"
    if len(value) < schema.get("minProperties", 0):
        yield f"{path}: too few fields"
    for name, part in value.items():
        rest = schema.get("additionalProperties", {})
        if name in schema.get("properties", {}):
            yield from faults_in(part, schema["properties"][name], root, f"{path}.{name}")
        elif rest is False:
            yield f"{path}.{name}: unknown"
        elif isinstance(rest, dict):
            yield from faults_in(part, rest, root, f"{path}.{name}")
        yield from faults_in(name, schema.get("propertyNames", {}), root, f"{path}.{name}")


def _list_faults(value: list[Any], schema: dict[str, Any], root: dict[str, Any], path: str) -> Iterator[str]:
    if not schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", len(value)):
        yield f"{path}: {len(value)} items"
    for index, part in enumerate(value):
        yield from faults_in(part, schema.get("items", {}), root, f"{path}.{index}")


def _is(value: Any, kind: str) -> bool:
    if kind in ("integer", "number"):
        fits = isinstance(value, int) or (isinstance(value, float) and (kind == "number" or value.is_integer()))
        return fits and not isinstance(value, bool)
    return isinstance(value, KINDS[kind])


def _kinds(schema: dict[str, Any]) -> list[str]:
    kinds = schema.get("type", [])
    return [kinds] if isinstance(kinds, str) else kinds


def _target(reference: str, root: dict[str, Any]) -> dict[str, Any]:
    found = root
    for part in reference.removeprefix("#/").split("/"):
        found = found[part]
    return found


def _parts(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield from schema.get("anyOf", ())
    yield from schema.get("properties", {}).values()
    for word in ("items", "additionalProperties", "propertyNames"):
        if isinstance(schema.get(word), dict):
            yield schema[word]
