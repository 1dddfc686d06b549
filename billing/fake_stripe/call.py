"""One call: what an endpoint is given, and how it finds, keeps and announces objects."""

import copy
import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from billing.fake_stripe import events
from billing.fake_stripe.errors import Json, missing
from billing.fake_stripe.store import Store


@dataclass(slots=True)
class Call:
    """A request under way; the account is the connected one it is made for, or empty for the platform."""

    store: Store
    base_url: str
    now: int
    account: str = ""
    request_id: str | None = None
    idempotency_key: str | None = None
    params: Json = field(default_factory=dict)

    def on(self, account: str) -> "Call":
        """Return the same call made for another account."""
        return Call(self.store, self.base_url, self.now, account, self.request_id, self.idempotency_key, self.params)

    def get(self, kind: str, object_id: str | None, param: str | None = None) -> Json:
        """Return an object of this account; 404, or 400 where the identifier came as a parameter."""
        found = self.store.find(object_id or "", kind, self.account)
        if found is None:
            raise missing(kind, object_id or "", param or "id", 400 if param else 404)
        return found

    def add(self, body: Json, event: str | None = None, **private: Any) -> Json:
        """Keep a new object and announce it."""
        self.store.insert(self.account, body, private)
        if event:
            self.announce(event, body)
        return body

    def change(self, body: Json, event: str | None = None, **changes: Any) -> Json:
        """Keep an object with some fields changed, and announce it with what they were before."""
        before = {name: copy.deepcopy(body.get(name)) for name, value in changes.items() if body.get(name) != value}
        body.update(changes)
        self.store.update(body)
        if event:
            self.announce(event, body, before or None)
        return body

    def announce(self, event: str, body: Json, before: Json | None = None) -> None:
        """Make an event of an object's present state and line it up for delivery."""
        events.make(self.store, self.account, event, json.loads(json.dumps(body)), before,
                    now=self.now, request_id=self.request_id, idempotency_key=self.idempotency_key)  # fmt: skip


def new_id(prefix: str, length: int = 24) -> str:
    """Return a fresh identifier in Stripe's form."""
    alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    return f"{prefix}_" + "".join(secrets.choice(alphabet) for _ in range(length))


Endpoint = Callable[..., Json]
Routes = list[tuple[str, list[str], Json, Endpoint]]
ROUTES: Routes = []


def route(method: str, path: str, spec: Json | None = None, routes: Routes = ROUTES) -> Callable[[Endpoint], Endpoint]:
    """Register an endpoint; `{}` in its path stands for an identifier, the parameters are those of the spec."""

    def register(endpoint: Endpoint) -> Endpoint:
        routes.append((method, path.strip("/").split("/"), spec or {}, endpoint))
        return endpoint

    return register


def endpoint_for(method: str, path: str, routes: Routes = ROUTES) -> tuple[Endpoint, Json, list[str]] | None:
    """Find the endpoint of a path, its parameters, and the identifiers in it."""
    parts = path.strip("/").split("/")
    for known, pattern, spec, endpoint in routes:
        if known == method and len(pattern) == len(parts):
            pairs = list(zip(pattern, parts, strict=True))
            if all(want in ("{}", part) for want, part in pairs):
                return endpoint, spec, [part for want, part in pairs if want == "{}"]
    return None
