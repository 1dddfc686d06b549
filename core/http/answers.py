"""How requests are answered: Answers, RFC 9457 problem documents, and which HTTP status belongs to which refusal."""

import logging
from dataclasses import dataclass, field
from typing import Any

import msgspec
from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException, NotAcceptable

from core.db import away, db, is_lost, present_pool
from core.errors import (
    Conflict,
    DomainError,
    Invalid,
    Malformed,
    NotAllowed,
    NotFound,
    NotSignedIn,
    TooMany,
    Unavailable,
)

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
JSON_ONLY = "/api/v1/"
JSON_RANGES = ("application/json", "application/*", "*/*", "application/problem+json")
PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
SAFE_HEADERS = (("X-Content-Type-Options", "nosniff"),)
CODE_OF_STATUS = {404: "not_found", 405: "method_not_allowed", 406: "not_acceptable", 413: "too_large",
                  415: "unsupported_media_type", 400: "malformed"}  # fmt: skip

N_ = str  # marks a sentence for the catalogues; pages translate it, programs get it as it is
# What is said where only the framework refused, whose own words tell nobody what to do.
SAYS_OF_STATUS = {
    400: N_("The request cannot be read. Go back, look over what you sent, and send it again."),
    404: N_("There is nothing at this address. Follow a link instead of writing it, or begin at the first page."),
    405: N_("This address does not take this kind of request. Go back and use the links and buttons of the page."),
    406: N_("This address has no answer in a form that you accept. Accept text/html for pages, JSON for programs."),
    413: N_("What you sent is too large. Send less at once, or smaller files."),
    415: N_("What you sent is of a kind that this address does not take. Send it from the page's own form."),
}


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
    response = problem(status, error.name, code, _detail_of(error, status), [])
    for name, value in error.get_headers():
        if name.lower() in ("allow", "retry-after"):
            response.headers[name] = value
    return response


def _detail_of(error: HTTPException, status: int) -> str:
    """Return what was written for this refusal; in place of the framework's own words, ours."""
    said = error.description
    if said is None or said == type(error).description:
        return SAYS_OF_STATUS.get(status) or said or error.name
    return said


def unexpected(error: Exception) -> Response:
    """Answer what nobody foresaw, and log it: 503 when the database is away, 500 otherwise."""
    if is_lost(error):
        db.session.rollback()
        return problem_of(away(error, present_pool()))
    log.error("unexpected error in %s %s", request.method, request.path, exc_info=error)
    detail = "Something failed on our side. It is logged; nothing was half done."
    return problem(500, "Internal error", "internal_error", detail, [])
