"""The OpenAPI 3.1 document of /api/v1, made from the routes, their guards and docstrings, and the msgspec shapes."""

import re
from collections.abc import Callable, Iterator
from inspect import unwrap
from typing import Any

from flask import Flask
from werkzeug.routing import Rule

from core.http import PROBLEM, STATUS_OF
from core.schemas import openapi_of
from marketplace.web.api.answers import Problem
from marketplace.web.api.described import Described, Query

PREFIX_OF = {"lead_id": "lead", "sale_id": "sale", "order_id": "ord", "dispute_id": "dsp", "file_id": "file",
             "key_id": "key", "publisher_id": "acc", "source_id": "src", "webhook_id": "whk",
             "delivery_id": "del", "list_id": "sup", "import_id": "imp",
             "pro_forma_id": "pro", "payout_id": "pay"}  # fmt: skip
PUBLIC = "public"  # the guard of what needs no key
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
REFUSALS = dict(STATUS_OF.values()) | {
    406: "Only JSON is answered", 413: "The body is too large", 415: "The body is of another media type",
}  # fmt: skip
ABOUT = (
    "The HTTP interface of this exchange. Amounts are decimal text with a currency, instants are RFC 3339 in UTC, ids "
    "are prefixed. A refusal is a problem document (RFC 9457) that names every bad field at once."
)
KEY_PARAMETER = {
    "name": "Idempotency-Key", "in": "header", "required": False, "schema": {"type": "string", "maxLength": 255},
    "description": "The same key and body give the same answer for 24 hours, with Idempotency-Replayed: true.",
}  # fmt: skip
MATCH_PARAMETER = {
    "name": "If-Match", "in": "header", "required": False, "schema": {"type": "string"},
    "description": "The ETag that GET gave; 409 version_changed when the thing was changed since.",
}  # fmt: skip
PAGING = (
    Query("limit", "How many items, from 1 to 200; 50 without it.", kind="integer"),
    Query("cursor", "The next_cursor of the page before."),
)


def document_of(app: Flask, example_lead: dict[str, Any]) -> dict[str, Any]:
    """Describe every route of /api/v1; `example_lead` is a body that POST /leads accepts."""
    views = list(_views(app))
    paths: dict[str, dict[str, Any]] = {}
    for rule, method, view in views:
        paths.setdefault(_path_of(rule), {})[method.lower()] = _operation(rule, method, view)
    paths["/api/v1/leads"]["post"]["requestBody"]["content"]["application/json"]["example"] = example_lead
    return {
        "openapi": "3.1.0",
        "info": {"title": "Leadbourse", "version": "1", "description": ABOUT},
        "servers": [{"url": "/"}],
        "security": [{"key": []}],
        "tags": _tags(views),
        "paths": paths,
        "components": {
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer", "description": "An API key."}},
            "schemas": openapi_of([Problem, *_shapes(views)]),
        },
    }


View = Callable[..., Any]


def _views(app: Flask) -> Iterator[tuple[Rule, str, View]]:
    """Yield each route of the API with its method and view, in the order in which they were declared."""
    for rule in app.url_map.iter_rules():
        if rule.rule.startswith("/api/v1/"):
            view = app.view_functions[rule.endpoint]
            yield from ((rule, method, view) for method in METHODS if method in (rule.methods or ()))


def _shapes(views: list[tuple[Rule, str, View]]) -> list[Any]:
    found = []
    for _, _, view in views:
        said = _said(view)
        found += [*said.gives, *([said.takes] if said.takes else [])]
    return list(dict.fromkeys(found))


def _said(view: View) -> Described:
    said: Described = view.described  # type: ignore[attr-defined]  # set by `describe`
    return said


def _path_of(rule: Rule) -> str:
    return re.sub(r"<([a-z_]+)>", r"{\1}", rule.rule)


def _tag_of(view: View) -> str:
    return view.__module__.rpartition(".")[2]


def _tags(views: list[tuple[Rule, str, View]]) -> list[dict[str, str]]:
    modules = {_tag_of(view): unwrap(view).__globals__["__doc__"] for _, _, view in views}
    return [{"name": name, "description": text.strip().split("\n\n")[0]} for name, text in modules.items()]


def _operation(rule: Rule, method: str, view: View) -> dict[str, Any]:
    said, guard = _said(view), view.guard  # type: ignore[attr-defined]  # set by the guards
    summary, _, more = (view.__doc__ or "").partition("\n\n")
    scopes = [] if guard == PUBLIC else guard.split("|")
    needs = [f"Needs a key with the scope {' or '.join(scopes)}."] if scopes else []
    operation: dict[str, Any] = {
        "operationId": view.__name__,
        "tags": [_tag_of(view)],
        "summary": summary.strip(),
        "description": " ".join([*more.split(), *needs]),
        "security": [{"key": []}] if scopes else [],
        "x-scopes": scopes,
        "parameters": _parameters(rule, method, said),
        "responses": {str(said.status): _answer(said)}
        | {str(code): _refusal(code) for code in _codes(rule, method, said, is_open=not scopes)},
    }
    if said.takes:
        content = {kind: {"schema": _body_schema(said, kind)} for kind in said.media_types}
        operation["requestBody"] = {"required": True, "content": content}
    return operation


def _body_schema(said: Described, kind: str) -> dict[str, Any]:
    if kind in ("application/json", "multipart/form-data") and not said.is_list:
        return _ref(said.takes)
    if kind == "application/xml":
        return {"type": "string", "description": str(said.takes.__doc__).split("\n\n")[0]}
    return {"type": "string", "description": f"One {said.takes.__name__} a row."}


def _parameters(rule: Rule, method: str, said: Described) -> list[dict[str, Any]]:
    inside = [_inside(name) for name in re.findall(r"<([a-z_]+)>", rule.rule)]
    query = [_query(one) for one in (*said.query, *(PAGING if said.pages else ()))]
    headers = [KEY_PARAMETER] if method == "POST" else []
    return [*inside, *query, *headers, *([MATCH_PARAMETER] if said.versioned else [])]


def _inside(name: str) -> dict[str, Any]:
    schema = {"type": "string"}
    if name in PREFIX_OF:
        schema["pattern"] = f"^{PREFIX_OF[name]}_[0-9a-hjkmnp-tv-z]{{26}}$"
    return {"name": name, "in": "path", "required": True, "schema": schema}


def _query(one: Query) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": one.kind}
    if one.words:
        schema["enum"] = list(one.words)
    return {"name": one.name, "in": "query", "required": one.required, "description": one.says, "schema": schema}


def _answer(said: Described) -> dict[str, Any]:
    if not said.gives:
        return _content("The file, to be saved.", "application/octet-stream", {"type": "string", "format": "binary"})
    refs = [_ref(shape) for shape in said.gives]
    one = refs[0] if len(refs) == 1 else {"anyOf": refs}
    if not said.is_list:
        return _content("What is asked for.", "application/json", one)
    properties = {"items": {"type": "array", "items": one}, "next_cursor": {"type": ["string", "null"]}}
    page = {"type": "object", "properties": properties, "required": list(properties)}
    return _content("The items, and the cursor of the next page.", "application/json", page)


def _codes(rule: Rule, method: str, said: Described, *, is_open: bool = False) -> list[int]:
    """List the refusals that an operation may give."""
    codes = {406, 503} if is_open else {401, 403, 406, 503}
    if said.pages or said.query or said.takes:
        codes.add(400)
    if rule.arguments:
        codes.add(404)
    if said.takes:
        codes |= {413, 415, 422}
    if said.limited:
        codes.add(429)
    if method == "POST" or said.versioned:
        codes.add(409)
    return sorted(codes)


def _refusal(status: int) -> dict[str, Any]:
    answer = _content(REFUSALS[status] + ".", PROBLEM, _ref(Problem))
    if status in (429, 503):
        answer["headers"] = {"Retry-After": {"schema": {"type": "integer"}, "description": "Seconds to wait."}}
    return answer


def _content(description: str, kind: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": description, "content": {kind: {"schema": schema}}}


def _ref(shape: Any) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{shape.__name__}"}
