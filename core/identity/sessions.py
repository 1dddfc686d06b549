"""Sessions are for pages: what answers programs neither reads a cookie nor sets one, so no session opens the API."""

from flask import Flask, Request, Response
from flask import request as present_request
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface, SessionMixin

PROGRAMS = ("/api/", "/in/", "/health/", "/metrics", "/static/", "/bootstrap/")  # what holds no page for people


class PageSessions(SecureCookieSessionInterface):
    """Flask's signed cookies, kept away from programs."""

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        """Return the session of a page's cookie; for programs an empty one that is thrown away."""
        if request.path.startswith(PROGRAMS):
            return SecureCookieSession()
        return super().open_session(app, request)

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Keep a page's session, and never one for a program."""
        if not present_request.path.startswith(PROGRAMS):
            super().save_session(app, session, response)
