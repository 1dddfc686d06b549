"""The addresses for posts in other dialects: /in/{dialect}/{source}, each answered in its dialect's own form.

Whatever is refused or fails is answered by the blueprint's one error handler, in the dialect's form too.
"""

from flask import Blueprint, Response, g, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from core.db import transaction
from core.errors import DomainError, Invalid, Malformed, NotAllowed, NotFound, NotSignedIn
from core.http import RETRY_AFTER_SECONDS, business_clock, problem_of, public, raw_body, unexpected
from core.ids import parse_id
from marketplace.leads.dialects import DIALECTS, Outcome, Reply, Request
from marketplace.leads.dialects.posted import Kind
from marketplace.leads.refusals import count_refusal
from marketplace.leads.sources.register import admit, find_source
from marketplace.leads.sources.taking import refused_post, take_post

inbound = Blueprint("inbound", __name__, url_prefix="/in")

MULTIPART = "multipart/form-data"
COUNTED = (Malformed, Invalid, NotSignedIn, NotAllowed)
# What a refusal means to whoever posts: an unknown source is told like unknown credentials.
KIND_OF: dict[type[Exception], Kind] = {
    Malformed: "unreadable", Invalid: "refused", NotFound: "stranger", NotSignedIn: "stranger", NotAllowed: "closed",
    MethodNotAllowed: "method",
}  # fmt: skip


@inbound.route("/<dialect>/<source_id>", methods=["GET", "POST"])
@inbound.route("/<dialect>/<source_id>/<path:ending>", methods=["GET", "POST"])
@public
def post_in_dialect(dialect: str, source_id: str, ending: str = "") -> Response:
    """Take one lead in a vendor's own words; the source's credentials are those of the dialect."""
    spoken = DIALECTS.get(dialect)
    if spoken is None:
        raise NotFound(detail="There is no dialect of this name.")
    if request.method not in spoken.methods:
        raise MethodNotAllowed(spoken.methods)
    with transaction():
        g.source = find_source(dialect, parse_id("src", source_id))
    posted = spoken.read(_asked(ending))
    g.form = posted.form
    with transaction():
        admit(g.source, posted)
    return _reply(spoken.answer(take_post(g.source, posted, awaits=True), posted.form))


def _asked(ending: str) -> Request:
    raw, kind = raw_body(), request.mimetype
    form = tuple(request.form.items(multi=True)) if kind == MULTIPART else ()
    return Request(
        request.method, kind, request.mimetype_params.get("charset", "utf-8"), request.query_string,
        {name.lower(): value for name, value in request.headers.items()}, b"" if form else raw, form, ending,
    )  # fmt: skip


@inbound.errorhandler(Exception)
def refuse(error: Exception) -> Response:
    """Answer what was refused or failed in the dialect's form, counted for the source's publisher."""
    spoken = DIALECTS.get((request.view_args or {}).get("dialect", ""))
    if spoken is None:
        return problem_of(error) if isinstance(error, DomainError) else unexpected(error)
    outcome = _outcome(error)
    if "source" in g and isinstance(error, COUNTED):
        with transaction():
            count_refusal(g.source.publisher_id, error, outcome.at)
    return _reply(spoken.answer(outcome, g.get("form", "")))


def _outcome(error: Exception) -> Outcome:
    at = business_clock().now()
    if isinstance(error, Malformed | Invalid) and error.faults:
        return refused_post(g.source, error)
    kind = KIND_OF.get(type(error), "failed")
    if isinstance(error, HTTPException):
        return Outcome("unreadable" if kind == "failed" else kind, at, detail=error.description or error.name,
                       status=error.code or 400)  # fmt: skip
    if isinstance(error, DomainError) and kind != "failed":
        return Outcome(kind, at, detail=error.detail)
    status = 503 if isinstance(error, DomainError) else unexpected(error).status_code
    return Outcome("failed", at, detail="Not available for the moment: send it again.", status=status)


def _reply(reply: Reply) -> Response:
    response = Response(reply.body, reply.status, mimetype=reply.media_type)
    response.headers["Cache-Control"] = "no-store"
    if reply.status == 503:
        response.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return response
