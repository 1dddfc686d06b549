"""Google Ads' lead form webhook: JSON in, {} or a message out.

After https://developers.google.com/google-ads/webhook/docs/implementation : 200 with {} for a lead that was received,
4xx with a message for what is wrong and stays so, 5xx with a message for what Google should send again.
"""

import re
from collections.abc import Iterator
from typing import Any

from core.errors import Malformed
from marketplace.leads.dialects.parameters import json_object, text_at, texts
from marketplace.leads.dialects.posted import Outcome, Posted, Reply, Request, json_reply

# A text, which may lack its end so that each letter is looked at once; or a comma before the end of a list or object.
_TEXT_OR_COMMA = re.compile(rb'"(?:[^"\\]|\\.)*+"?|,(?=\s*[}\]])', re.DOTALL)
_STATUS = {"stranger": 403, "refused": 422, "unreadable": 400, "closed": 403, "method": 405}


def read(request: Request) -> Posted:
    """Read a lead: its columns by column_id, or by column_name where that is missing, and what stands around them.

    Of a column that comes twice the first counts. Malformed `not_json` for what is not JSON even without the commas
    that end lists and objects.
    """
    document = _object(request.body)
    around = {name: value for name, value in document.items() if name not in ("user_column_data", "google_key")}
    columns = texts(around) | dict(reversed(list(_columns(document.get("user_column_data")))))
    return Posted(
        columns, (), text_at(document, "google_key"), test=document.get("is_test") is True,
        once=text_at(document, "lead_id"),
    )  # fmt: skip


def _object(raw: bytes) -> dict[str, Any]:
    try:
        return json_object(raw)
    except Malformed:
        return json_object(_TEXT_OR_COMMA.sub(lambda found: b"" if found[0] == b"," else found[0], raw))


def _columns(data: Any) -> Iterator[tuple[str, str]]:
    for column in data if isinstance(data, list) else ():
        if isinstance(column, dict):
            name = text_at(column, "column_id") or _OLD_NAMES.get(text_at(column, "column_name"), "")
            yield name or text_at(column, "column_name"), text_at(column, "string_value")


_OLD_NAMES = {"Full Name": "FULL_NAME", "User Email": "EMAIL", "User Phone": "PHONE_NUMBER", "City": "CITY",
              "Postal Code": "POSTAL_CODE", "Region": "REGION", "Country": "COUNTRY"}  # fmt: skip


def answer(outcome: Outcome, _form: str) -> Reply:
    """Answer that the lead was received, sold or not; what Google sent wrongly is told in one sentence."""
    status = outcome.status if outcome.status != 200 else _STATUS.get(outcome.kind, 200)
    if status == 200:
        return json_reply({})
    known = {"stranger": "The google_key is unknown.", "closed": "This webhook is not active."}
    return json_reply({"message": known.get(outcome.kind) or " ".join(outcome.sentences())}, status)
