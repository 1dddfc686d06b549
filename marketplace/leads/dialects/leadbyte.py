"""LeadByte's classic submit.php (form or query in, text or JSON out) and its REST leads (JSON in and out).

After https://support.leadbyte.co.uk/hc/en-us/articles/17137893646609-Submitting-leads-into-LeadByte and
https://support.leadbyte.co.uk/hc/en-us/articles/7606513551249-Using-the-QueueID-via-REST-API .
"""

from typing import Any

from core.clock import as_rfc3339
from core.errors import Malformed
from marketplace.leads.dialects.parameters import body_of, one_of_each, query_of, says_yes, text_at, texts
from marketplace.leads.dialects.posted import TEXT, Outcome, Posted, Reply, Request, json_reply

_SAID = {
    "sold": (1, "OK"),
    "test": (1, "OK"),
    "duplicate": (-2, "Duplicate or resubmission"),
    "unsold": (-4, "Campaign cap reached"),  # of the published codes the nearest to "nobody takes it now"
    "rejected": (-5, "Validation error"),
    "refused": (-5, "Validation error"),
    "unreadable": (-5, "Validation error"),
    "method": (-5, "Validation error"),
    "stranger": (-7, "Supplier not authorised"),
    "closed": (-9, "Campaign not active"),
    "failed": (-100, "Internal error"),
}
_EMAIL = (-12, "Email rejection")


def read(request: Request) -> Posted:
    """Read a post of either kind: the lead may stand in `lead` or alone in `leads`. Malformed as `together`.

    The key comes as X_KEY or X-KEY, as `key`, or, where neither is sent, as the classic form's `sid`.
    """
    body = body_of(request)
    is_rest = request.media_type == "application/json" or any(isinstance(one, dict | list) for one in body.values())
    said = one_of_each([*query_of(request).items(), *_unwrapped(body).items()])
    key = request.headers.get("x-key") or request.headers.get("x_key") or text_at(said, "key") or text_at(said, "sid")
    as_json = says_yes(text_at(said, "returnjson"))
    return Posted(
        texts(said), (text_at(said, "campid"),), key.strip(), test=says_yes(text_at(said, "testmode")),
        form="rest" if is_rest else "json" if as_json else "",
    )  # fmt: skip


def _unwrapped(body: dict[str, Any]) -> dict[str, Any]:
    lead, leads = body.get("lead"), body.get("leads")
    if isinstance(leads, list):
        if len(leads) != 1:
            raise Malformed("one_lead_only", "Send one lead a request.")
        lead = leads[0]
    if not isinstance(lead, dict):
        return body
    outside = {name: value for name, value in body.items() if name not in ("lead", "leads")}
    return one_of_each([*outside.items(), *lead.items()])


def answer(outcome: Outcome, form: str) -> Reply:
    """Answer 1 OK, or one of the published codes below zero with its text."""
    code, text = _SAID[outcome.kind]
    if outcome.kind == "rejected" and any(reason == "invalid_email" for reason, _ in outcome.reasons):
        code, text = _EMAIL
    if form == "rest":
        return _rest(outcome, code, text)
    if form == "json":
        said = {"code": code, "response": text, "info": _info(outcome),
                "leadId": outcome.number if outcome.accepted else None, "processTime": 0,
                "timestamp": as_rfc3339(outcome.at)}  # fmt: skip
        return json_reply(said, outcome.status)
    return Reply(f"{code} | {text}".encode(), TEXT, outcome.status)


def _rest(outcome: Outcome, code: int, text: str) -> Reply:
    if not outcome.accepted:
        message = " ".join([text + ".", *outcome.sentences()])
        return json_reply({"status": "Error", "code": code, "message": message, "results": []}, outcome.status)
    result = {"queueId": outcome.lead_id, "status": "Queued", "code": code}
    return json_reply({"status": "Success", "code": code, "message": "", "results": [result]}, outcome.status)


def _info(outcome: Outcome) -> dict[str, Any] | list[Any]:
    info: dict[str, Any] = {"reference": outcome.lead_id} if outcome.lead else {}
    if outcome.payout:
        info["payout"] = {"amount": outcome.price, "currency": outcome.payout.currency}
    if sentences := outcome.sentences():
        info["errors"] = sentences
    return info or []
