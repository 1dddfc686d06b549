"""The door for posted leads: a plain POST /api/v1/leads goes to the intake without Flask's rounds, all else to Flask.

Most of what Flask does for a request (routing, sessions, hooks, a response object) a lead does not need, and it costs
more than judging and selling it. Whatever is not plain goes on to the view of the same address, which decides
everything; so does a refusal: the view raises it again where errors are answered, and the intake is not asked twice.
"""

import io
from collections.abc import Iterable
from typing import TYPE_CHECKING

import msgspec
from flask import Flask

from core.http import SAFE_HEADERS
from core.identity import remembered_actor
from marketplace.leads.delivery.awaited import ask_buyers, is_awaited
from marketplace.leads.desk import desk
from marketplace.leads.intake import Intake, Sender
from marketplace.web.api import shown
from marketplace.web.api.handed_on import hand_on

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

PATH = "/api/v1/leads"
SCOPE = "leads:write"
BEARER = "Bearer "
_PLAIN_ACCEPT = ("*/*", "application/json", "")


class LeadDoor:
    """A WSGI application before Flask's own."""

    def __init__(self, app: Flask, most_bytes: int) -> None:
        self._app = app
        self._behind: WSGIApplication = app.wsgi_app
        self._most_bytes = most_bytes
        self._intake: Intake | None = None

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer a plain lead that was taken; hand on everything else."""
        if environ["REQUEST_METHOD"] == "POST" and environ["PATH_INFO"] == PATH and _is_plain(environ):
            answer = self._take(environ)
            if answer is not None:
                headers = [("Content-Type", "application/json"), ("Content-Length", str(len(answer))), *SAFE_HEADERS]
                start_response("201 CREATED", headers)
                return (answer,)
        return self._behind(environ, start_response)

    def _take(self, environ: "WSGIEnvironment") -> bytes | None:
        length = int(environ["CONTENT_LENGTH"])
        actor = remembered_actor(environ["HTTP_AUTHORIZATION"].removeprefix(BEARER).strip())
        if actor is None or SCOPE not in actor.scopes or length > self._most_bytes:
            return None
        raw = environ["wsgi.input"].read(length)
        environ["wsgi.input"] = io.BytesIO(raw)
        if len(raw) < length:
            return None
        try:
            sender = Sender(actor.account_id, actor.key_id, awaits=True)
            result = self._ask().post(raw, sender).result
            if is_awaited(result):
                with self._app.app_context():
                    result = ask_buyers(result, sender)
        except Exception as refused:  # noqa: BLE001  # whatever it is, the view raises it where errors are answered
            hand_on(environ, refused)
            return None
        return msgspec.json.encode(shown.lead_answer(result))

    def _ask(self) -> Intake:
        if self._intake is None:
            with self._app.app_context():
                self._intake = desk().intake
        return self._intake


def _is_plain(environ: "WSGIEnvironment") -> bool:
    return (
        environ.get("CONTENT_TYPE") == "application/json"
        and environ.get("CONTENT_LENGTH", "").isdecimal()
        and "HTTP_TRANSFER_ENCODING" not in environ
        and environ.get("HTTP_ACCEPT", "*/*") in _PLAIN_ACCEPT
        and environ.get("HTTP_AUTHORIZATION", "").startswith(BEARER)
        and "HTTP_IDEMPOTENCY_KEY" not in environ
    )
