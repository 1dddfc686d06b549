"""The referee: every request and every answer between the real client and the fake is held against Stripe's document."""

import json
from typing import Any
from urllib.parse import urlsplit

import stripe

from billing.fake_stripe.params import decoded
from tests.billing.fake_stripe.openapi import faults_of_answer, faults_of_object, faults_of_request
from tests.billing.fake_stripe.param_types import Typed


class Referee(stripe.RequestsClient):
    """The client's own HTTP, watched."""

    def __init__(self, *, checks_requests: bool = True) -> None:
        super().__init__()
        self.checks_requests = checks_requests
        self.seen: list[tuple[str, str, int]] = []
        self.bodies: list[str] = []

    def request(self, method: str, url: str, headers: Any, post_data: Any = None, **more: Any) -> Any:
        parts = urlsplit(url)
        given = tidy(decoded(post_data or parts.query))
        wrong = faults_of_request(method.upper(), parts.path, given) if self.checks_requests else []
        assert wrong == [], (method, parts.path, wrong)
        body, status, answered = super().request(method, url, headers, post_data, **more)
        self.seen.append((method.upper(), parts.path, status))
        self.bodies.append(body)
        read = json.loads(body)
        wrong = faults_of_answer(method.upper(), parts.path, status, read)
        assert wrong == [], (method, parts.path, status, wrong)
        for event in [read] if read.get("object") == "event" else read.get("data", ()):
            if isinstance(event, dict) and event.get("object") == "event":
                check_event(event)
        return body, status, answered


def check_event(event: dict[str, Any]) -> None:
    """Fail for an event, or an object in it, that is not Stripe's."""
    wrong = faults_of_object(event) + faults_of_object(event["data"]["object"])
    assert wrong == [], (event["type"], wrong)


def tidy(given: Any) -> Any:
    """Turn the fields that a form numbers into lists."""
    if not isinstance(given, dict):
        return given
    inner = {name: tidy(value) for name, value in given.items()}
    return list(inner.values()) if inner and all(name.isdecimal() or name[0] == "~" for name in inner) else inner


def client(url: str, key: str, *, checks_requests: bool = True) -> Any:
    """Return the real client, its parameters and its traffic watched."""
    made = stripe.StripeClient(
        key, base_addresses={"api": url}, http_client=Referee(checks_requests=checks_requests), max_network_retries=0
    )
    return Typed(made) if checks_requests else made
