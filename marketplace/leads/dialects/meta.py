"""Meta's lead ads: signed events that carry ids only, and the leads that the Graph API gives for them.

After https://developers.facebook.com/docs/graph-api/webhooks/getting-started (signature, batches, repetitions),
https://developers.facebook.com/docs/marketing-api/guides/lead-ads/retrieving (the lead) and
https://developers.facebook.com/docs/graph-api/guides/error-handling (which errors pass).
"""

import hashlib
import hmac
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from core.errors import Malformed, NotSignedIn
from marketplace.leads.dialects.parameters import json_object, object_at, text_at, texts
from marketplace.leads.dialects.posted import Posted

GRAPH = "https://graph.facebook.com/v25.0"
FIELDS = "id,created_time,ad_id,adset_id,campaign_id,form_id,platform,is_organic,field_data"
PASSING = frozenset({1, 2, 4, 17, 341})  # unknown, service, and three limits of rate
TOKEN_ERRORS = frozenset({102, 190})  # a new token mends them
_ID = re.compile(r"[0-9A-Za-z_]{1,64}")
_DUMMY = "<test lead:"  # how Meta's own testing tool fills its answers


def check_signature(app_secret: str, raw: bytes, header: str) -> None:
    """Refuse a body that was not signed with the app's secret: NotSignedIn. Compared in constant time."""
    expected = "sha256=" + hmac.new(app_secret.encode(), raw, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(expected.encode(), header.strip().encode()):
        raise NotSignedIn("bad_signature", "X-Hub-Signature-256 does not fit this body and the app's secret.")


def announced(raw: bytes) -> list[str]:
    """Return the ids of the leads that an event announces, each once; changes of other fields announce none.

    Malformed for what is not JSON, or for an id that is none.
    """
    ids = [_lead_id(change) for change in _changes(json_object(raw)) if change.get("field") == "leadgen"]
    return list(dict.fromkeys(ids))


def _changes(event: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for entry in _objects(event.get("entry")):
        yield from _objects(entry.get("changes"))


def _objects(value: Any) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _lead_id(change: dict[str, Any]) -> str:
    lead_id = text_at(object_at(change, "value"), "leadgen_id")
    if not _ID.fullmatch(lead_id):
        raise Malformed("bad_leadgen_id", "A change of leadgen has no usable leadgen_id.")
    return lead_id


def address_of(lead_id: str, access_token: str) -> str:
    """Return where the Graph API shows a lead; the address holds the token."""
    return f"{GRAPH}/{lead_id}?{urlencode({'fields': FIELDS, 'access_token': access_token})}"


@dataclass(frozen=True, slots=True)
class Later:
    """The Graph API cannot answer now; `reason` is kept."""

    reason: str


@dataclass(frozen=True, slots=True)
class Never:
    """The Graph API will not show this lead, however often it is asked; `reason` is kept."""

    reason: str


def read_lead(lead_id: str, status: int, body: bytes) -> Posted | Later | Never:
    """Read what the Graph API answered: the lead, or whether it is worth asking again."""
    try:
        document = json_object(body)
    except Malformed:
        return Later(f"graph_unreadable_{status}")
    if "error" in document or status != 200:
        return _refusal(object_at(document, "error"), status)
    answers = {text_at(one, "name"): text_at(one, "values") for one in _objects(document.get("field_data"))}
    around = {name: value for name, value in document.items() if name != "field_data"}
    is_test = any(text.startswith(_DUMMY) for text in answers.values())
    return Posted(texts(around) | {"id": lead_id} | answers, test=is_test, once=lead_id)


def _refusal(error: dict[str, Any], status: int) -> Later | Never:
    code = error.get("code")
    if not isinstance(code, int):
        return Later(f"graph_http_{status}") if status >= 500 or status == 429 else Never(f"graph_http_{status}")
    return Later(f"graph_{code}") if code in PASSING else Never(f"graph_{code}")
