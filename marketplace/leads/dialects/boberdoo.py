"""The genericPostlead.php of boberdoo and its API's submitLead: form, JSON or XML in, XML or JSON out.

After https://www.boberdoo.com/lead-posting-responses and https://example.leadprosper.tech/boberdoo-ping-post .
"""

from typing import Any

from core.errors import Malformed
from marketplace.leads.dialects.documents import write_xml
from marketplace.leads.dialects.parameters import body_of, object_at, one_of_each, query_of, says_yes, text_at, texts
from marketplace.leads.dialects.posted import XML, Outcome, Posted, Reply, Request, json_reply

_SAID = {"sold": "Matched", "test": "Matched", "unsold": "Unmatched"}
_ERRORS = {"duplicate": "Duplicate lead.", "stranger": "Invalid TYPE, SRC or Key.",
           "closed": "This source is not active."}  # fmt: skip


def read(request: Request) -> Posted:
    """Read a post; in JSON it may stand in `Request`. The key is `Key`, or SRC where none is sent.

    Malformed as `together`, and `ping_not_offered` for a ping, which must never be taken for a post.
    """
    body = body_of(request)
    said = one_of_each([*query_of(request).items(), *(object_at(body, "Request") or body).items()])
    if text_at(said, "Mode").casefold() == "ping":
        raise Malformed("ping_not_offered", "Pings are not taken here: send Mode=full.")
    key = text_at(said, "Key") or text_at(said, "SRC")
    return Posted(
        texts(said), (text_at(said, "TYPE"),), key, test=says_yes(text_at(said, "Test_Lead")),
        form=text_at(said, "Format").casefold(),
    )  # fmt: skip


def answer(outcome: Outcome, form: str) -> Reply:
    """Answer Matched with the price, Unmatched, or Error with each of its sentences; an error has no lead id."""
    status = _SAID.get(outcome.kind, "Error")
    said: list[tuple[str, str]] = [("status", status)]
    if status == "Error":
        errors = [_ERRORS[outcome.kind]] if outcome.kind in _ERRORS else outcome.sentences()
        said += [("error", text) for text in errors]
    else:
        said += [("lead_id", outcome.lead_id), ("price", outcome.price)]
        said += [("redirect_url", outcome.redirect_url)] if outcome.redirect_url else []
    if form == "json":
        return json_reply({"response": _joined(said)}, outcome.status)
    return Reply(write_xml("response", said), XML, outcome.status)


def _joined(said: list[tuple[str, str]]) -> dict[str, Any]:
    """Put the pairs into an object; several errors become one text."""
    found: dict[str, Any] = {}
    for name, text in said:
        found[name] = f"{found[name]} {text}" if name in found else text
    return found
