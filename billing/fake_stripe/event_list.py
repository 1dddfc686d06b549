"""The list of events, for whoever missed a webhook."""

from typing import Any

from billing.fake_stripe import events, lists
from billing.fake_stripe.call import Call, route
from billing.fake_stripe.errors import Json, invalid
from billing.fake_stripe.params import PAGE, instants, text


@route("GET", "/v1/events/{}")
def retrieve(call: Call, event_id: str) -> Json:
    """Return an event."""
    return events.shown(call.store, call.get("event", event_id))


@route("GET", "/v1/events", PAGE | {"created": instants, "type": text, "types": [text]})
def index(call: Call) -> Json:
    """Return a page of events; a type may end in `.*`."""
    given = call.params
    wanted = [given["type"]] if given.get("type") else given.get("types", [])
    if given.get("type") and given.get("types"):
        raise invalid("You may only specify one of these parameters: type, types.", "type")
    where, values = "", list[Any]()
    for comparison, bound in given.get("created", {}).items():
        where += f" AND json_extract(body, '$.created') {lists.COMPARISONS[comparison]} ?"
        values.append(bound)
    if wanted:
        where += " AND (" + " OR ".join(["json_extract(body, '$.type') GLOB ?"] * len(wanted)) + ")"
        values += wanted
    return lists.select(call, "event", "/v1/events", where, values)
