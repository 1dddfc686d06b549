"""The way of a request: key, faults, idempotency, endpoint, answer."""

import base64
import binascii
import hmac
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from urllib.parse import unquote

from billing.fake_stripe import (
    accounts,
    checkout_page,
    due,
    event_list,
    faults,
    idempotency,
    lists,
    onboarding_page,
    payouts,
    transfers,
)
from billing.fake_stripe.call import ROUTES as API
from billing.fake_stripe.call import Call, Endpoint, Routes, endpoint_for, new_id
from billing.fake_stripe.control import CONTROLS
from billing.fake_stripe.errors import Json, Refused, unreadable
from billing.fake_stripe.events import API_VERSION
from billing.fake_stripe.pages import Page
from billing.fake_stripe.params import checked, decoded, text
from billing.fake_stripe.store import Store

# Named so that their endpoints are registered.
ENDPOINTS = (accounts, event_list, payouts, transfers)
EXPAND: Json = {"expand": [text]}
BROKEN = {"error": {"message": "Sorry, something went wrong on our end (ordered by a fault).", "type": "api_error"}}
BUSY = {"error": {"message": "Request rate limit exceeded (ordered by a fault).", "type": "invalid_request_error",
                  "code": "rate_limit"}}  # fmt: skip
FORMS: dict[str, tuple[Callable[[Call, str], Page], Callable[[Call, str, Json], Page]]] = {
    "pay": (checkout_page.show, checkout_page.submit),
    "authenticate": (checkout_page.show_question, checkout_page.answer_question),
    "onboarding": (onboarding_page.show, onboarding_page.submit),
}


@dataclass(frozen=True, slots=True)
class Request:
    """What came over the wire; the query of a GET is its body."""

    method: str
    path: str
    body: str = ""
    headers: dict[str, str] = field(default_factory=dict)  # names in small letters


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back; one that is dropped closes the socket instead."""

    status: int
    body: bytes
    headers: dict[str, str]
    is_dropped: bool = False


class Engine:
    """Answers requests on one store."""

    def __init__(self, store: Store, secret_key: str, base_url: str) -> None:
        self._store, self._secret_key, self._base_url = store, secret_key, base_url
        self._in_flight = idempotency.InFlight()

    def answer(self, request: Request) -> Answer:
        """Answer a request of any kind."""
        if request.path == "/_control/health":
            return _json(200, {"status": "ok"}, {})
        head = request.path.strip("/").partition("/")[0]
        if head in FORMS:
            return self._page(request, head)
        request_id = new_id("req", 14)
        headers = {"Request-Id": request_id, "Stripe-Version": API_VERSION}
        try:
            self._need_key(request)
            if head == "_control":
                return self._control(request)
            return self._api(request, request_id, headers)
        except Refused as refusal:
            return _json(refusal.status, refusal.body, headers)

    def _need_key(self, request: Request) -> None:
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "basic":
            try:
                given = base64.b64decode(given).decode("latin-1").partition(":")[0]
            except binascii.Error:
                given = ""
        if not given:
            message = "You did not provide an API key. You need to provide your API key in the Authorization header."
            raise Refused(message, status=401, is_stored=False)
        if not hmac.compare_digest(given.encode(), self._secret_key.encode()):
            shown = f"{given[:8]}{'*' * 8}{given[-4:]}" if len(given) > 16 else "*" * len(given)
            raise Refused(f"Invalid API Key provided: {shown}", status=401, is_stored=False)

    def _api(self, request: Request, request_id: str, headers: dict[str, str]) -> Answer:
        fault = self._strike(request, "delay")
        if fault:
            time.sleep(fault.get("seconds", 1))
        fault = self._strike(request, "429", "500")
        if fault:
            return _json(int(fault["kind"]), BUSY if fault["kind"] == "429" else BROKEN, headers)
        endpoint, params, ids = self._read(request, API)
        account, key = request.headers.get("stripe-account", ""), request.headers.get("idempotency-key")
        call = Call(self._store, self._base_url, 0, account, request_id, key, params)
        if key is None or request.method == "GET":
            return self._run(request, call, endpoint, ids, headers)
        with self._in_flight.claim(account, key):
            return self._run(request, call, endpoint, ids, headers | {"Idempotency-Key": key})

    def _strike(self, request: Request, *kinds: str) -> Json | None:
        with self._store.transaction():
            return faults.take(self._store, *kinds, method=request.method, path=request.path)

    def _read(self, request: Request, routes: Routes) -> tuple[Endpoint, Json, list[str]]:
        found = endpoint_for(request.method, request.path, routes)
        if found is None:
            message = f"Unrecognized request URL ({request.method}: {request.path})."
            raise Refused(message, status=404, is_stored=False)
        endpoint, spec, ids = found
        if routes is API:
            return endpoint, checked(decoded(request.body), spec | EXPAND), ids
        return endpoint, _json_params(request.body), ids

    def _run(self, request: Request, call: Call, endpoint: Endpoint, ids: list[str], headers: dict[str, str]) -> Answer:
        print_of_request = idempotency.fingerprint(request.method, request.path, decoded(request.body))
        with self._store.transaction():
            due.run(self._store, self._base_url)
            call.now = self._store.now()
            key = call.idempotency_key if request.method != "GET" else None
            first = idempotency.kept(self._store, call.account, key, print_of_request, call.now) if key else None
            if first:
                again = {"Idempotent-Replayed": "true", "Original-Request": first.request_id}
                return Answer(first.status, first.body, _JSON | headers | again)
            _need_account(call)
            status, body, is_stored = _done(call, endpoint, ids)
            fault = faults.take(self._store, "drop", "500_after", method=request.method, path=request.path)
            if fault and fault["kind"] == "500_after":
                status, body, is_stored = 500, BROKEN, True
            answer = _json(status, body, headers)
            if key and is_stored:
                kept = idempotency.Kept(status, answer.body, call.request_id or "")
                idempotency.keep(self._store, call.account, key, print_of_request, kept, call.now)
        return replace(answer, is_dropped=bool(fault and fault["kind"] == "drop"))

    def _control(self, request: Request) -> Answer:
        endpoint, params, ids = self._read(request, CONTROLS)
        with self._store.transaction():
            due.run(self._store, self._base_url)
            body = endpoint(Call(self._store, self._base_url, self._store.now(), params=params), *ids)
            due.run(self._store, self._base_url)
        return _json(200, body, {})

    def _page(self, request: Request, head: str) -> Answer:
        name = unquote(request.path.strip("/").partition("/")[2])
        show, submit = FORMS[head]
        try:
            with self._store.transaction():
                due.run(self._store, self._base_url)
                call = Call(self._store, self._base_url, self._store.now())
                if request.method != "POST":
                    return _html(show(call, name))
                answer = _html(submit(call, name, decoded(request.body)))
                fault = faults.take(self._store, "drop", method=request.method, path=request.path)
                return replace(answer, is_dropped=fault is not None)
        except Refused as refusal:
            return _json(refusal.status, refusal.body, {})


def _need_account(call: Call) -> None:
    if call.account and call.store.find(call.account, "account", "") is None:
        message = f"The provided key does not have access to account '{call.account}' (or that account does not exist)."
        raise Refused(message, status=403, code="account_invalid", is_stored=False)


def _done(call: Call, endpoint: Endpoint, ids: list[str]) -> tuple[int, Json, bool]:
    """Return an endpoint's status and body, and whether its key meets them again; what it refused is undone."""
    try:
        with call.store.attempt():
            try:
                paths = call.params.pop("expand", [])
                return 200, lists.expanded(call, endpoint(call, *ids), paths), True
            except Refused as refusal:
                if not refusal.keeps:
                    raise
                return refusal.status, refusal.body, refusal.is_stored
    except Refused as refusal:
        return refusal.status, refusal.body, refusal.is_stored


def _json_params(body: str) -> Json:
    try:
        read = json.loads(body or "{}")
    except ValueError:
        read = None
    if not isinstance(read, dict):
        raise unreadable("The body of a control request is a JSON object", "body", "parameter_invalid_object")
    return read


_JSON = {"Content-Type": "application/json"}
_HTML = {
    "Content-Type": "text/html; charset=utf-8",
    # The form's answer leads to whatever address the session names.
    "Content-Security-Policy": "default-src 'none'; base-uri 'none'; frame-ancestors 'none'; "
    "form-action 'self' http: https:",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
}


def _json(status: int, body: Json, headers: dict[str, str]) -> Answer:
    return Answer(status, json.dumps(body, indent=2).encode(), _JSON | headers)


def _html(page: Page) -> Answer:
    headers = _HTML | ({"Location": page.location} if page.location else {})
    return Answer(page.status, page.body.encode(), headers)
