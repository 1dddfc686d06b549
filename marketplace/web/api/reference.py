"""The OpenAPI document as people read it: operations by tag, and each shape as a table of its fields."""

import json
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Field:
    """A row of a shape's table; `of` is the name of the shape that the field holds, empty for plain values."""

    name: str
    kind: str
    of: str
    required: bool
    says: str


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path, ready to be shown."""

    id: str
    method: str
    path: str
    summary: str
    scopes: list[str]
    parameters: list[dict[str, Any]]
    takes: str
    example: str
    gives: list[str]
    is_list: bool
    status: str
    refusals: list[str]


@dataclass(frozen=True, slots=True)
class Section:
    """The operations of one tag."""

    name: str
    says: str
    operations: list[Operation]


def sections_of(document: dict[str, Any]) -> list[Section]:
    """Return the document's operations by tag, in its order."""
    shown = [
        (about["tags"][0], _operation(path, method, about))
        for path, methods in document["paths"].items()
        for method, about in methods.items()
    ]
    return [
        Section(tag["name"], tag["description"], [each for name, each in shown if name == tag["name"]])
        for tag in document["tags"]
    ]


def fields_of(schema: dict[str, Any]) -> list[Field]:
    """Return the rows of a shape's table."""
    required = schema.get("required", [])
    return [
        Field(name, *_kind_of(part), name in required, _says(part))
        for name, part in schema.get("properties", {}).items()
    ]


def _operation(path: str, method: str, about: dict[str, Any]) -> Operation:
    (status, answer), *refused = about["responses"].items()
    given = answer["content"].get("application/json", {"schema": {"anyOf": []}})["schema"]  # a file has no shape
    item = given["properties"]["items"]["items"] if "properties" in given else given
    body = about.get("requestBody", {}).get("content", {})
    example = body.get("application/json", {}).get("example")
    return Operation(
        id=about["operationId"], method=method.upper(), path=path, summary=about["summary"], scopes=about["x-scopes"],
        parameters=about["parameters"], takes=_body_name(body), is_list="properties" in given, status=status,
        example=json.dumps(example, indent=2, ensure_ascii=False) if example else "",
        gives=[_name(one) for one in item.get("anyOf", [item])], refusals=[code for code, _ in refused],
    )  # fmt: skip


def _body_name(body: dict[str, Any]) -> str:
    schemas = [kind["schema"] for kind in body.values()]
    return _name(schemas[0]) if schemas and "$ref" in schemas[0] else "rows" if schemas else ""


def _name(schema: dict[str, Any]) -> str:
    return str(schema["$ref"]).rpartition("/")[2]


def _kind_of(part: dict[str, Any]) -> tuple[str, str]:
    """Return how a field's values read, and the name of the shape that they have."""
    if "$ref" in part:
        return "", _name(part)
    if "anyOf" in part:
        kinds = [_kind_of(one) for one in part["anyOf"]]
        return " or ".join(dict.fromkeys(kind for kind, _ in kinds if kind)), next((of for _, of in kinds if of), "")
    if part.get("type") == "array":
        kind, of = _kind_of(part.get("items", {}))
        return f"list of {kind}".strip() if kind or not of else "list of", of
    kind = part.get("format") or part.get("type") or ("text" if "enum" in part else "anything")
    return " or ".join(kind) if isinstance(kind, list) else str(kind), ""


def _says(part: dict[str, Any]) -> str:
    """Say which values a field may have."""
    inner: dict[str, Any] = next(
        (one for one in (part, *part.get("anyOf", []), part.get("items", {})) if "enum" in one), {}
    )
    bounds = {"maxLength": "at most {} characters", "minimum": "at least {}", "maximum": "at most {}"}
    words = [", ".join(map(str, inner["enum"]))] if inner else []
    for one in (part, *part.get("anyOf", [])):
        words += [text.format(one[name]) for name, text in bounds.items() if name in one and abs(one[name]) < 2**62]
        words += [one["description"]] if "description" in one else []
    if part.get("default") not in (None, {}, [], ""):
        words.append(f"default {json.dumps(part['default'])}" if not isinstance(part["default"], dict) else "")
    return "; ".join(word for word in words if word)
