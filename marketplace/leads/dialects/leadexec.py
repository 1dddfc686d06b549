"""LeadExec's insert/general: version 1 as form or query with an XML or JSON answer, version 2 as JSON.

After https://leads.leadexec.net/DocumentationV1 and https://leads.leadexec.net . What version 2 answers is not
published: it is answered like version 1 in JSON.
"""

from typing import Any
from uuid import UUID

from core.errors import Malformed
from marketplace.leads.dialects.documents import write_xml
from marketplace.leads.dialects.parameters import body_of, object_at, one_of_each, says_yes, text_at, texts, together
from marketplace.leads.dialects.posted import XML, Outcome, Posted, Reply, Request, json_reply

# The names of ResponseType; their places are its numbers.
_TYPES = ("No_Error", "System_ID_Missing", "LeadType_ID_Missing", "Vendor_ID_Missing", "No_Account_Found",
          "Outside_Criteria", "Duplicate_Lead", "Account_Disabled", "Post_Over_Max", "Data_Errors")  # fmt: skip
_SAID = {
    "sold": ("No_Error", "Lead was accepted"),
    "test": ("No_Error", "Lead was accepted as a test"),
    "unsold": ("Outside_Criteria", "No buyer takes this lead"),
    "duplicate": ("Duplicate_Lead", "Duplicate lead"),
    "stranger": ("Vendor_ID_Missing", "VID, LID or Password is missing or unknown"),
    "closed": ("Account_Disabled", "This account is disabled"),
}


def read(request: Request) -> Posted:
    """Read a post of either version; field names in letters of any case become small. Malformed as `together`.

    A lead of version 2 with noSell is a test: it must not be delivered. Version 2 takes one lead a request.
    """
    is_second = isinstance(body_of(request).get("leads"), list) if request.method == "POST" else False
    return _second(request) if is_second else _first(request)


def _first(request: Request) -> Posted:
    said = _small(together(request))
    form = (request.ending.split("/")[0] or text_at(said, "response_type")).casefold()
    return Posted(texts(said), (text_at(said, "vid"), text_at(said, "lid")), text_at(said, "password"), form=form)


def _second(request: Request) -> Posted:
    document = body_of(request)
    source, leads = _small(object_at(document, "source")), document["leads"]
    if len(leads) != 1 or not isinstance(leads[0], dict):
        raise Malformed("one_lead_only", "Send one lead a request.")
    properties, fields = _small(object_at(leads[0], "properties")), _small(object_at(leads[0], "fields"))
    columns = texts(fields) | {f"properties.{name}": text for name, text in texts(properties).items()}
    key = request.headers.get("api-key") or request.headers.get("authorization", "").removeprefix("Bearer ")
    test = says_yes(text_at(properties, "nosell"))
    return Posted(columns, (text_at(source, "vid"), text_at(source, "lid")), key.strip(), test=test, form="json")


def _small(said: dict[str, Any]) -> dict[str, Any]:
    return one_of_each((name.lower(), value) for name, value in said.items())


def answer(outcome: Outcome, form: str) -> Reply:
    """Answer with the properties that the vendor lists; PostID is the lead's UUID, LeadIdentifier a number of it."""
    name, detail = _SAID.get(outcome.kind, ("Data_Errors", " ".join(outcome.sentences())))
    if form == "json":
        said = {"PostID": str(outcome.lead or UUID(int=0)), "isValidPost": outcome.accepted,
                "ResponseType": _TYPES.index(name), "ResponseDetail": detail, "LeadIdentifier": outcome.number,
                "VendorAccountAssigned": 0, "PendingQCReview": False}  # fmt: skip
        return json_reply(said, outcome.status)
    # The vendor's page has ResponseDetail, clients in the wild read ResponseDetails.
    elements = [
        ("PostID", str(outcome.lead or UUID(int=0))), ("isValidPost", str(outcome.accepted).lower()),
        ("ResponseType", name), ("ResponseDetail", detail), ("ResponseDetails", detail),
        ("LeadIdentifier", str(outcome.number)), ("VendorAccountAssigned", "0"), ("PendingQCReview", "false"),
    ]  # fmt: skip
    return Reply(write_xml("PostResponse", elements), XML, outcome.status)
