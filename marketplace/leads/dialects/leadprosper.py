"""Lead Prosper's direct_post: form or JSON in, JSON out.

After https://support.leadprosper.io/article/578-a-complete-guide-to-reading-and-understanding-lead-prosper-supplier-api-specs
and https://support.leadprosper.io/article/382-supplier-validation-error-details .
"""

from typing import Any

import msgspec

from marketplace.leads.dialects.parameters import text_at, texts, together
from marketplace.leads.dialects.posted import Outcome, Posted, Reply, Request, json_reply

# status, code, message; the vendor's code for duplicates is not published, ours is 1008.
_SAID = {
    "sold": ("ACCEPTED", 0, "Accepted"),
    "test": ("ACCEPTED", 0, "Accepted"),
    "unsold": ("ERROR", 1006, "Error: no buyers available"),
    "duplicate": ("DUPLICATED", 1008, "Duplicated"),
    "rejected": ("ERROR", 1015, "Error: lead failed validation"),
    "refused": ("ERROR", 1015, "Error: lead failed validation"),
    "stranger": ("ERROR", 1001, "Missing or unknown lp_campaign_id, lp_supplier_id or lp_key"),
    "closed": ("ERROR", 1001, "The supplier is not active"),
}


def read(request: Request) -> Posted:
    """Read a post; lp_action=test makes it a test. Malformed as `together`."""
    said = together(request)
    numbers = (text_at(said, "lp_campaign_id"), text_at(said, "lp_supplier_id"))
    test = text_at(said, "lp_action").casefold() == "test"
    return Posted(texts(said), numbers, text_at(said, "lp_key"), test=test)


def answer(outcome: Outcome, _form: str) -> Reply:
    """Answer ACCEPTED with the payout, DUPLICATED, or ERROR with what stands against the lead."""
    status, code, message = _SAID.get(outcome.kind, ("ERROR", 1015, outcome.detail))
    said: dict[str, Any] = {"id": outcome.lead_id, "lead_id": outcome.lead_id} if outcome.lead else {}
    said |= {"status": status, "code": code, "message": message}
    if code == 1015:  # the vendor's own example names it error_code, its clients read code
        said["error_code"] = code
        said["error_meta"] = {"provider_name": "Leadbourse", "description": " ".join(outcome.sentences())}
    return json_reply(said | {"payout": msgspec.Raw(outcome.price.encode())}, outcome.status)
