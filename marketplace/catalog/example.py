"""The example that every vertical shows: a complete body of POST /leads, of another person at each instant."""

import json
from datetime import datetime, timedelta
from typing import Any

from core.clock import as_rfc3339
from core.money import Money

# The five French ranges reserved for fiction (ARCEP's numbering plan).
_PHONES = ("+3319900", "+3326191", "+3335301", "+3346571", "+3353649")
_BODY = """{
  "contact": {"first_name": "Ada", "last_name": "Martin", "email": null, "phone": null, "profile_url": null,
    "postal_code": "75011", "city": "Paris", "address": null, "language": "fr", "best_time": null,
    "company": null, "position": null},
  "comments": null, "interest": "request", "channel": "search",
  "source": {"name": "default", "click_id": null, "sub": {"1": "campaign-7"}, "page_url": "https://example.com/form",
    "referrer": null, "utm": {}, "gclid": null, "cost": null, "ip": "203.0.113.9",
    "user_agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "form_seconds": 41},
  "consent": {"text": "I agree that my data is passed on to companies with such offers, so that they contact me.",
    "given_at": null, "page_url": "https://example.com/form", "ip": "203.0.113.9", "recipients": ["*"]},
  "external_id": null, "exclusive_only": false, "min_price": null, "ping_id": null, "test": false
}"""
_OBLIGATORY = {"address": "1 rue de l'Exemple", "company": "Example & Sons", "position": "Owner",
               "best_time": "evenings", "profile_url": "https://social.example/ada.martin"}  # fmt: skip


def example_body(
    slug: str, region: str, contact: dict[str, Any], obligatory: tuple[str, ...], attributes: dict[str, Any],
    min_price: Money, at: datetime,
) -> dict[str, Any]:  # fmt: skip
    """Write a body that is fresh at `at`.

    E-mail and phone follow the instant, so that the example of another moment is another person and no duplicate.
    """
    moment = int(at.timestamp() * 1000)
    body: dict[str, Any] = json.loads(_BODY)
    body["vertical"], body["region"], body["attributes"] = slug, region, attributes
    body["contact"] |= {name: text for name, text in _OBLIGATORY.items() if name in obligatory}
    body["contact"] |= contact
    body["contact"]["email"] = f"ada.martin.{moment}@example.com"
    body["contact"]["phone"] = f"{_PHONES[moment // 10_000 % 5]}{moment % 10_000:04}"
    body["consent"]["given_at"] = as_rfc3339(at - timedelta(minutes=1))
    body["min_price"] = min_price.as_json()
    return body
