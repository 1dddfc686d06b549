"""LeadsPedia's post.do: form or query in, XML out unless JSON is asked for.

Read and answered as its generated posting instructions say (https://ll.media/solar_posting/ is a public one).
"""

from marketplace.leads.dialects.documents import write_xml
from marketplace.leads.dialects.parameters import says_yes, text_at, texts, together
from marketplace.leads.dialects.posted import XML, Outcome, Posted, Reply, Request, json_reply


def read(request: Request) -> Posted:
    """Read a post; a test is flagged, not to be distributed, or of a person named test. Malformed as `together`."""
    said = together(request)
    names = {text_at(said, "first_name").casefold(), text_at(said, "last_name").casefold()}
    return Posted(
        texts(said), (text_at(said, "lp_campaign_id"),), text_at(said, "lp_campaign_key"),
        test=says_yes(text_at(said, "lp_test")) or says_yes(text_at(said, "lp_no_distribute")) or "test" in names,
        form=text_at(said, "lp_response").casefold(),
    )  # fmt: skip


def answer(outcome: Outcome, form: str) -> Reply:
    """Answer success or failed; everything that is not bought is a failure with its errors."""
    result, message = ("success", "Lead Accepted") if outcome.accepted else ("failed", "Lead Rejected")
    head = [("result", result), ("lead_id", outcome.lead_id), ("price", outcome.price)]
    if form == "json":
        errors = [] if outcome.accepted else [{"field": field, "error": text} for field, text in _errors(outcome)]
        return json_reply(
            dict(head) | {"redirect_url": outcome.redirect_url or None, "msg": message, "errors": errors},
            outcome.status,
        )
    errors_xml = [] if outcome.accepted else [("errors", [("error", _line(*error)) for error in _errors(outcome)])]
    return Reply(
        write_xml("response", [*head, ("redirect_url", outcome.redirect_url), ("msg", message), *errors_xml]),
        XML,
        outcome.status,
    )


def _errors(outcome: Outcome) -> list[tuple[str, str]]:
    if outcome.faults:
        return [(fault.field, fault.message) for fault in outcome.faults]
    known = {"unsold": "No Match", "duplicate": "Duplicate Lead", "stranger": "Invalid campaign ID or key",
             "closed": "Campaign is not active"}  # fmt: skip
    return [("", known[outcome.kind])] if outcome.kind in known else [("", text) for text in outcome.sentences()]


def _line(field: str, text: str) -> str:
    return f"{field}: {text}" if field else text
