"""A person at a browser, without the browser: keeps cookies, sends what a form holds, and starts each request afresh."""

import re
from contextvars import Context
from html import unescape
from typing import Any

from flask import Flask
from lxml import html
from werkzeug.test import TestResponse

BROWSER = {"Accept": "text/html,application/xhtml+xml", "Sec-Fetch-Site": "same-origin"}
PASSWORD = "a good password"


class Visitor:
    """Visits pages of an application; each request has a context of its own, as on a server."""

    def __init__(self, app: Flask, address: str = "192.0.2.1", site: str = "http://localhost") -> None:
        self.app = app
        self._client = app.test_client()
        self._address, self._site = {"REMOTE_ADDR": address}, site

    def open(self, path: str, method: str = "GET", data: Any = None, **headers: str) -> TestResponse:
        """Make one request as a browser does, without following redirects."""
        named = BROWSER | {name.replace("_", "-"): text for name, text in headers.items()}
        return Context().run(
            self._client.open, path, method=method, data=data, headers=named, base_url=self._site,
            environ_overrides=self._address,
        )  # fmt: skip

    def read(self, path: str) -> html.HtmlElement:
        """Return a page that must be there."""
        response = self.open(path)
        assert response.status_code == 200, (path, response.status_code, response.text[:2000])
        return html.fromstring(response.text)

    def token(self, path: str = "/login") -> str:
        """Return the token that a form of a page carries."""
        return str(self.read(path).xpath("//input[@name='csrf_token']/@value")[0])

    def send(self, path: str, form_at: str = "", **fields: Any) -> TestResponse:
        """Send a form with the token of the page that it stands on."""
        return self.open(path, "POST", {"csrf_token": self.token(form_at or path), **fields})

    def sign_in(self, email: str, password: str = PASSWORD) -> TestResponse:
        """Sign in with a password."""
        return self.send("/login", email=email, password=password)


def words_of(response: TestResponse) -> str:
    """Return what a page says, without its marks."""
    body = re.sub(r"<(script|style|nav).*?</\1>", " ", response.text, flags=re.DOTALL)
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", body))).strip()
