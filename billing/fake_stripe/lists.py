"""Lists in pages, newest first, and the filling in of objects where an answer names only their identifiers."""

import json
from typing import Any

from billing.fake_stripe import events
from billing.fake_stripe.call import Call
from billing.fake_stripe.errors import Json, invalid, missing
from billing.fake_stripe.store import Store

MOST, USUAL, DEEPEST = 100, 10, 4
EXPANDABLE = {
    "balance_transaction", "charge", "customer", "default_payment_method", "destination", "destination_payment",
    "failure_balance_transaction", "latest_charge", "payment_intent", "payment_method", "setup_intent", "source",
    "source_transaction", "source_transfer", "transfer", "destination_payment_refund",
}  # fmt: skip
COMPARISONS = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}


def page(call: Call, kind: str, url: str, **wanted: Any) -> Json:
    """Return a page of an account's objects; a filter is a field's value, or a range for `created`."""
    where, values = _conditions({name: value for name, value in wanted.items() if value is not None})
    return select(call, kind, url, where, values)


def select(call: Call, kind: str, url: str, where: str, values: list[Any]) -> Json:
    """Return a page of an account's objects that satisfy a condition."""
    limit = call.params.get("limit", USUAL)
    if not 1 <= limit <= MOST:
        raise invalid(f"This value must be between 1 and {MOST}.", "limit", "parameter_invalid_integer")
    after, before = call.params.get("starting_after"), call.params.get("ending_before")
    if after:
        where += f" AND seq < {_place(call.store, kind, after, 'starting_after')}"
    if before:
        where += f" AND seq > {_place(call.store, kind, before, 'ending_before')}"
    order = "ASC" if before else "DESC"
    sql = f"SELECT body FROM objects WHERE kind = ? AND account = ?{where} ORDER BY seq {order} LIMIT ?"
    rows = call.store.rows(sql, kind, call.account, *values, limit + 1)
    found = [json.loads(row["body"]) for row in rows[:limit]]
    if kind == "event":
        found = [events.shown(call.store, event) for event in found]
    return listed(found[::-1] if before else found, url, has_more=len(rows) > limit)


def listed(found: list[Json], url: str, *, has_more: bool = False) -> Json:
    """Return a list object."""
    return {"object": "list", "data": found, "has_more": has_more, "url": url}


def _place(store: Store, kind: str, object_id: str, param: str) -> int:
    row = store.row("SELECT seq FROM objects WHERE id = ? AND kind = ?", object_id, kind)
    if row is None:
        raise missing(kind, object_id, param, 400)
    return int(row["seq"])


def _conditions(wanted: Json) -> tuple[str, list[Any]]:
    where, values = "", []
    for name, value in wanted.items():
        ranges = {"": value} if not isinstance(value, dict) else value
        for comparison, bound in ranges.items():
            where += f" AND json_extract(body, '$.{name}') {COMPARISONS.get(comparison, '=')} ?"
            values.append(bound)
    return where, values


def expanded(call: Call, body: Json, paths: list[str]) -> Json:
    """Fill in the objects that an answer's paths name."""
    for path in paths:
        parts = path.split(".")
        if len(parts) > DEEPEST + (parts[0] == "data"):
            raise invalid("You cannot expand more than 4 levels of a property", "expand")
        _expand(call, body, parts, path)
    return body


def _expand(call: Call, body: Json, parts: list[str], path: str) -> None:
    name, rest = parts[0], parts[1:]
    if name == "data" and body.get("object") == "list" and rest:
        for item in body["data"]:
            _expand(call, item, rest, path)
        return
    if name == "line_items" and body.get("object") == "checkout.session":
        items = call.store.private(body["id"])["line_items"]
        body[name] = listed(items, f"/v1/checkout/sessions/{body['id']}/line_items")
    elif name == "refunds" and body.get("object") == "charge":
        body[name] = page(Call(call.store, "", call.now, call.account), "refund", "/v1/refunds", charge=body["id"])
    elif name in EXPANDABLE and name in body:
        if isinstance(body[name], str):
            body[name] = call.store.find(body[name]) or body[name]
    else:
        raise invalid(f"This property cannot be expanded ({path}).", "expand")
    if rest and isinstance(body[name], dict):
        _expand(call, body[name], rest, path)
