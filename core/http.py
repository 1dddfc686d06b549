"""The edge: who asks, what they sent, how it is answered, and which HTTP status belongs to which refusal.

Errors leave as RFC 9457 problem documents. A view is declared with `reads`, `writes` or `public`, which is also what
the house test looks for on every route.
"""

import logging
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from functools import wraps
from typing import IO, Any, TypeVar
from urllib.parse import quote
from uuid import UUID

import msgspec
from flask import Flask, Response, current_app, request
from werkzeug.exceptions import HTTPException, NotAcceptable, RequestEntityTooLarge, UnsupportedMediaType

from core import idempotency
from core.clock import Clock
from core.config import Settings
from core.db import away, db, is_lost, present_pool, transaction
from core.errors import (
    Conflict,
    DomainError,
    Fault,
    Invalid,
    Malformed,
    NotAllowed,
    NotFound,
    NotSignedIn,
    TooMany,
    Unavailable,
)
from core.identity import Actor, actor_for_key
from core.paging import PageRequest, read_page
from core.schemas import decode

T = TypeVar("T")
log = logging.getLogger(__name__)

PROBLEM = "application/problem+json"
STATUS_OF: dict[type[DomainError], tuple[int, str]] = {
    Malformed: (400, "The request cannot be read"),
    NotSignedIn: (401, "Not signed in"),
    NotAllowed: (403, "Not allowed"),
    NotFound: (404, "Not found"),
    Conflict: (409, "Conflict with the present state"),
    Invalid: (422, "The request is refused"),
    TooMany: (429, "Too many requests"),
    Unavailable: (503, "Not available for the moment"),
}
RETRY_AFTER_SECONDS = 2
FORM_BYTES = 10_000  # what a multipart form may weigh beside its file
JSON_ONLY = "/api/v1/"
JSON_RANGES = ("application/json", "application/*", "*/*", "application/problem+json")
PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; font-src 'self'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
SAFE_HEADERS = (("X-Content-Type-Options", "nosniff"),)
CODE_OF_STATUS = {404: "not_found", 405: "method_not_allowed", 406: "not_acceptable", 413: "too_large",
                  415: "unsupported_media_type", 400: "malformed"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Answer:
    """What a view returns: plain data and a status, so that it can be stored and given again."""

    data: Any
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


def created(data: Any) -> Answer:
    """Answer that a POST made something."""
    return Answer(data, 201)


def respond(answer: Answer) -> Response:
    """Turn an answer into JSON."""
    body = msgspec.json.encode(answer.data)
    return Response(body, answer.status, answer.headers, mimetype="application/json")


def problem(status: int, title: str, code: str, detail: str, errors: list[dict[str, str]]) -> Response:
    """Make a problem document (RFC 9457 section 3) with our extensions `code` and `errors`."""
    document = {"type": f"/docs/errors#{code}", "title": title, "status": status, "code": code, "detail": detail,
                "errors": errors}  # fmt: skip
    return Response(msgspec.json.encode(document), status, mimetype=PROBLEM)


def problem_of(error: DomainError) -> Response:
    """Show a refusal of the domain with its status, its code and all of its faults."""
    status, title = next(STATUS_OF[kind] for kind in type(error).__mro__ if kind in STATUS_OF)
    errors = [{"field": fault.field, "code": fault.code, "message": fault.message} for fault in error.faults]
    response = problem(status, title, error.code, error.detail or title + ".", errors)
    if isinstance(error, TooMany):
        response.headers["Retry-After"] = str(error.retry_after_seconds)
    elif status == 503:
        response.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
    elif status == 401:
        response.headers["WWW-Authenticate"] = 'Bearer realm="leadbourse"'
    return response


def install(app: Flask) -> None:
    """Make every error of the application a problem document, without a stack trace."""
    app.register_error_handler(DomainError, problem_of)
    app.register_error_handler(HTTPException, _http_problem)
    app.register_error_handler(Exception, unexpected)
    app.before_request(_refuse_unusable)
    app.after_request(_protect)


def _refuse_unusable() -> None:
    """Refuse what no route could answer: an address that PostgreSQL cannot hold, and JSON for who cannot read it."""
    if "\0" in request.path:
        raise NotFound(detail="There is nothing at this address.")
    wanted = request.headers.get("Accept", "*/*")
    if wanted in ("*/*", "application/json", "") or not request.path.startswith(JSON_ONLY):
        return
    if not any(weight > 0 and kind.split(";")[0] in JSON_RANGES for kind, weight in request.accept_mimetypes):
        raise NotAcceptable("This address answers in application/json only; say so in Accept, or leave it out.")


def _protect(response: Response) -> Response:
    """Tell browsers to trust nothing beyond what a page itself names."""
    response.headers.extend(SAFE_HEADERS)
    if response.mimetype == "text/html":
        response.headers["Content-Security-Policy"] = PAGE_POLICY
        response.headers["Referrer-Policy"] = "same-origin"
    return response


def _http_problem(error: HTTPException) -> Response:
    status = error.code or 500
    code = CODE_OF_STATUS.get(status, f"http_{status}")
    response = problem(status, error.name, code, error.description or error.name, [])
    for name, value in error.get_headers():
        if name.lower() in ("allow", "retry-after"):
            response.headers[name] = value
    return response


def unexpected(error: Exception) -> Response:
    """Answer what nobody foresaw, and log it: 503 when the database is away, 500 otherwise."""
    if is_lost(error):
        db.session.rollback()
        return problem_of(away(error, present_pool()))
    log.error("unexpected error in %s %s", request.method, request.path, exc_info=error)
    detail = "Something failed on our side. It is logged; nothing was half done."
    return problem(500, "Internal error", "internal_error", detail, [])


def settings() -> Settings:
    """Return the settings this application was made with."""
    made_with: Settings = current_app.extensions["leadbourse_settings"]
    return made_with


def business_clock() -> Clock:
    """Return the clock that trade runs on in this application."""
    clock: Clock = current_app.extensions["leadbourse_clock"]
    return clock


def kept_by_app(name: str, make: Callable[[], T]) -> T:
    """Return what this application keeps under a name, making it when it is first asked for.

    That may be in the middle of a request: `make` must leave the session and its transaction alone.
    """
    if name not in current_app.extensions:
        current_app.extensions[name] = make()
    kept: T = current_app.extensions[name]
    return kept


def raw_body(limit: int | None = None) -> bytes:
    """Return the request's body; refuses one above the limit (413) before reading it whole."""
    most = limit or settings().max_body_bytes
    if (request.content_length or 0) <= most:
        request.max_content_length = most + 1  # of a chunked body, Werkzeug returns no more and says nothing
        raw = request.get_data(cache=True)
        if len(raw) <= most:
            return raw
    raise RequestEntityTooLarge(f"Send a body of at most {most} bytes.")


class LimitedStream:
    """A request's body read in pieces, and refused (413) as soon as it is longer than it may be."""

    def __init__(self, stream: IO[bytes], most: int) -> None:
        self._stream, self._left = stream, most

    def read(self, size: int) -> bytes:
        """Return up to `size` bytes, none at the end."""
        piece = self._stream.read(size)
        self._left -= len(piece)
        if self._left < 0:
            raise RequestEntityTooLarge("The body is longer than this address takes.")
        return piece


def stream_body(most: int) -> LimitedStream:
    """Return the request's body as a stream of at most `most` bytes, for what must not be held in memory whole."""
    if (request.content_length or 0) > most:
        raise RequestEntityTooLarge(f"Send a body of at most {most} bytes.")
    request.max_content_length = most + 1
    return LimitedStream(request.stream, most)


def body(shape: type[T], limit: int | None = None) -> T:
    """Read the JSON body as this shape; Malformed with all bad fields at once."""
    require_media_type("application/json")
    return decode(raw_body(limit), shape)


def page_request(prefix: str) -> PageRequest:
    """Read which page of a list of these ids the query string asks for; Malformed when it cannot be read."""
    return read_page(prefix, request.args)


def filter_of(name: str, words: Collection[str]) -> str | None:
    """Read a filter of a list from the query string, None without it; Malformed for a word it does not know."""
    word = request.args.get(name)
    if word is not None and word not in words:
        fault = Fault(name, "not_allowed_value", f"Choose one of {', '.join(words)}.")
        raise Malformed("bad_filter", "This list cannot be shown.", [fault])
    return word


def uploaded_file(field_name: str, most_bytes: int) -> tuple[str, bytes]:
    """Return the name and the bytes of the one file of a multipart form; Malformed when there is none or another.

    The body may be a little longer than the file, for the form around it; a longer one is refused (413).
    """
    require_media_type("multipart/form-data")
    raw_body(most_bytes + FORM_BYTES)
    files = request.files.getlist(field_name)
    if len(files) != 1 or len(request.files) != 1:
        fault = Fault(field_name, "missing", f"Send one file in the form field {field_name}.")
        raise Malformed("invalid_fields", "The form cannot be read.", [fault])
    return files[0].filename or "", files[0].read()


def download(name: str, media_type: str, data: bytes) -> Response:
    """Answer with a file that somebody else sent: to be saved, never shown or run in this site's name."""
    response = Response(data, mimetype=media_type)
    response.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(name)}"
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response.headers["Cache-Control"] = "private, no-store"
    return response


def require_media_type(*known: str) -> None:
    """Refuse a body of another media type (415); one that names none is taken for what is asked for."""
    if request.mimetype not in known and request.mimetype != "":
        raise UnsupportedMediaType(f"Send {' or '.join(known)}.")


def bearer() -> str:
    """Return the secret of the request's Authorization header; NotSignedIn without one."""
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not secret.strip():
        raise NotSignedIn("no_key", "Send your API key as Authorization: Bearer <key>.")
    return secret.strip()


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


def calls_out(scope: str) -> Callable[[View], Callable[..., Response]]:
    """Declare a view that calls somebody else's server: it runs in no transaction, and opens its own around the call.

    Under an Idempotency-Key the first answer is kept; of two requests at once both may call, and both get one answer.
    """

    def declare(view: View) -> Callable[..., Response]:
        @wraps(view)
        def guarded(**arguments: Any) -> Response:
            with transaction():
                actor = signed_in(scope)
                kept = _kept_for(actor)
            if kept is not None:
                return replayed(kept)
            response = respond(view(actor, **arguments))
            with transaction():
                return _kept_first(actor, response)

        guarded.guard = scope  # type: ignore[attr-defined]  # the house test reads it
        return guarded

    return declare


def _kept_for(actor: Actor) -> idempotency.Kept | None:
    key = idempotency.key_of(request.headers.get("Idempotency-Key"))
    if key is None:
        return None
    route = f"{request.method} {request.path}"
    return idempotency.claim(actor.account_id, route, key, idempotency.fingerprint_of(raw_body()))


def _kept_first(actor: Actor, response: Response) -> Response:
    """Keep an answer under the request's key, if it has one; the one that was kept meanwhile is given instead."""
    key = idempotency.key_of(request.headers.get("Idempotency-Key"))
    kept = _kept_for(actor)
    if kept is not None:
        return replayed(kept)
    if key is not None:
        fingerprint = idempotency.fingerprint_of(raw_body())
        keep(actor.account_id, f"{request.method} {request.path}", key, fingerprint, response)
    return response


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
