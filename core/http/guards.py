"""Who asks and what they may: a view is declared with `reads`, `writes`, `calls_out` or `public`.

The house test looks for one of them on every route.
"""

import logging
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar
from uuid import UUID

import psycopg
from flask import Flask, Response, request

from core import idempotency
from core.db import db, end_session, transaction
from core.errors import Conflict, Invalid, NotAllowed, NotSignedIn, Unavailable
from core.http.answers import PROBLEM, Answer, problem_of, respond
from core.http.bodies import raw_body
from core.identity import Actor, actor_for_key, write_uses

T = TypeVar("T")
log = logging.getLogger(__name__)


def bearer() -> str:
    """Return the secret of the request's Authorization header; NotSignedIn without one."""
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not secret.strip():
        raise NotSignedIn("no_key", "Send your API key as Authorization: Bearer <key>.")
    return secret.strip()


def note_key_uses(app: Flask) -> None:
    """Write which keys were used, once a request is over and its connection free."""
    app.teardown_appcontext(_note_uses)


def _note_uses(_: BaseException | None) -> None:
    end_session()  # so that no request holds one connection and waits for another
    try:
        write_uses()
    except (Unavailable, psycopg.Error) as failed:  # a note beside the request, which it must not spoil
        log.warning("the use of a key was not written: %s", type(failed).__name__)  # what it says may hold a row


def signed_in(scope: str) -> Actor:
    """Return who asks, if their key may do this; NotSignedIn or NotAllowed otherwise."""
    actor = actor_for_key(bearer())
    if actor is None:
        raise NotSignedIn("unknown_key", "This API key is unknown or revoked.")
    return permit(actor, scope)


def permit(actor: Actor, scope: str) -> Actor:
    """Return the actor if it has the scope; NotAllowed names the scope that is missing."""
    if not any(one in actor.scopes for one in scope.split("|")):
        raise NotAllowed("scope_missing", f"This key does not have the scope {scope.replace('|', ' or ')}.")
    return actor


View = Callable[..., Answer]
AnyView = Callable[..., Answer | Response]


def reads(scope: str) -> Callable[[AnyView], Callable[..., Response]]:
    """Declare a view that changes nothing: it needs a key with this scope and gets the actor first.

    It returns an Answer, or a response that is no JSON. Several scopes may be named with | between them; one of them
    suffices.
    """

    def declare(view: AnyView) -> Callable[..., Response]:
        @wraps(view)
        def guarded(**arguments: Any) -> Response:
            answer = view(signed_in(scope), **arguments)
            return answer if isinstance(answer, Response) else respond(answer)

        guarded.guard = scope  # type: ignore[attr-defined]  # the house test reads it
        return guarded

    return declare


def writes(scope: str, most_bytes: int | None = None) -> Callable[[View], Callable[..., Response]]:
    """Declare a view that changes something, in one transaction and at most once per Idempotency-Key.

    `most_bytes` is the longest body that it takes under such a key, the settings' limit without it.
    """

    def declare(view: View) -> Callable[..., Response]:
        @wraps(view)
        def guarded(**arguments: Any) -> Response:
            actor = signed_in(scope)
            key = idempotency.key_of(request.headers.get("Idempotency-Key")) if request.method == "POST" else None
            with transaction():
                if key is None:
                    return respond(view(actor, **arguments))
                return once(actor.account_id, key, raw_body(most_bytes), lambda: respond(view(actor, **arguments)))

        guarded.guard = scope  # type: ignore[attr-defined]  # the house test reads it
        return guarded

    return declare


def calls_out(scope: str, most_bytes: int | None = None) -> Callable[[View], Callable[..., Response]]:
    """Declare a view that calls somebody else's server: it runs in no transaction, and opens its own around the call.

    So does one that takes long. `most_bytes` is the longest body that it takes under a key, as for `writes`.

    Under an Idempotency-Key the first answer is kept; of two requests at once both may call, and both get one answer.
    """

    def declare(view: View) -> Callable[..., Response]:
        @wraps(view)
        def guarded(**arguments: Any) -> Response:
            with transaction():
                actor = signed_in(scope)
                kept = _kept_for(actor, most_bytes)
            if kept is not None:
                return replayed(kept)
            response = respond(view(actor, **arguments))
            with transaction():
                return _kept_first(actor, response, most_bytes)

        guarded.guard = scope  # type: ignore[attr-defined]  # the house test reads it
        return guarded

    return declare


def _kept_for(actor: Actor, most_bytes: int | None) -> idempotency.Kept | None:
    key = idempotency.key_of(request.headers.get("Idempotency-Key"))
    if key is None:
        return None
    route = f"{request.method} {request.path}"
    return idempotency.claim(actor.account_id, route, key, _fingerprint(most_bytes))


def _kept_first(actor: Actor, response: Response, most_bytes: int | None) -> Response:
    """Keep an answer under the request's key, if it has one; the one that was kept meanwhile is given instead."""
    key = idempotency.key_of(request.headers.get("Idempotency-Key"))
    kept = _kept_for(actor, most_bytes)
    if kept is not None:
        return replayed(kept)
    if key is not None:
        fingerprint = _fingerprint(most_bytes)
        keep(actor.account_id, f"{request.method} {request.path}", key, fingerprint, response)
    return response


def _fingerprint(most_bytes: int | None) -> bytes:
    return idempotency.fingerprint_of(raw_body(most_bytes) + request.query_string)


def once(account_id: UUID, key: str, raw: bytes, make: Callable[[], Response]) -> Response:
    """Give the kept answer of this key, or make it and keep it: 2xx, 409 and 422, in the session's transaction."""
    route = f"{request.method} {request.path}"
    fingerprint = idempotency.fingerprint_of(raw)
    kept = idempotency.claim(account_id, route, key, fingerprint)
    if kept is not None:
        return replayed(kept)
    try:
        with db.session.begin_nested():
            response = make()
    except (Conflict, Invalid) as refused:
        response = problem_of(refused)
    keep(account_id, route, key, fingerprint, response)
    return response


def keep(account_id: UUID, route: str, key: str, fingerprint: bytes, response: Response) -> None:
    """Keep a response under its key, in the session's transaction."""
    stored = idempotency.Kept(response.status_code, response.get_data(), response.mimetype or PROBLEM)
    idempotency.keep(account_id, route, key, fingerprint, stored)


def replayed(kept: idempotency.Kept) -> Response:
    """Give a kept answer again, and say so."""
    return Response(kept.body, kept.status, {"Idempotency-Replayed": "true"}, mimetype=kept.mimetype)


def guarded_inside(scope: str) -> Callable[[Callable[..., T]], Callable[..., T]]:
    """Declare a view that asks for its key itself, as the hot path does; `scope` is what it asks for."""

    def declare(view: Callable[..., T]) -> Callable[..., T]:
        view.guard = scope  # type: ignore[attr-defined]  # the house test reads it
        return view

    return declare


def public(view: Callable[..., T]) -> Callable[..., T]:
    """Declare a view that needs no key."""
    view.guard = "public"  # type: ignore[attr-defined]  # the house test reads it
    return view
