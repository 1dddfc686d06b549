"""Walking an exchange's pages as its people do: signed in, from link to link, one page of every rule of the URL map."""

import re
import time
from collections.abc import Iterator
from contextvars import Context
from dataclasses import dataclass
from html import unescape
from http import HTTPStatus
from urllib.parse import urlsplit

from flask import Flask
from sqlalchemy import event
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect, Rule
from werkzeug.test import TestResponse

from core.db import db

_SITE = "http://localhost"
_HEADERS = {"Accept": "text/html", "Sec-Fetch-Site": "same-origin"}
_LINK = re.compile(r'<a\b[^>]*\bhref="([^"]+)"')
_TOKEN = re.compile(r'name="csrf_token"[^>]*value="([^"]+)"|value="([^"]+)"[^>]*name="csrf_token"')
GUARD = "page:"  # how a view says that it is a page for signed-in people


@dataclass(frozen=True, slots=True)
class Look:
    """One look at a page: how long the server took (seconds), how often it asked the database, what it answered."""

    seconds: float
    queries: int
    status: int
    bytes: int


class Walker:
    """Somebody signed in, without a browser; each request has a context of its own, as on a server."""

    def __init__(self, app: Flask, email: str, password: str) -> None:
        """Sign in; RuntimeError when that fails."""
        self._app, self._client = app, app.test_client()
        found = _TOKEN.search(self._ask("/login").text)
        token = next(part for part in found.groups() if part) if found else ""
        said = {"csrf_token": token, "email": email, "password": password}
        if self._ask("/login", "POST", said).status_code != 302:
            raise RuntimeError(f"{email} could not sign in")

    def look(self, path: str) -> Look:
        """Ask for a page once and measure it."""
        asked: list[str] = []

        def hear(_: object, __: object, statement: str, *___: object) -> None:
            asked.append(statement)

        event.listen(db.engine, "before_cursor_execute", hear)
        begun = time.perf_counter()
        answer = self._ask(path)
        length = len(answer.data)
        seconds = time.perf_counter() - begun
        event.remove(db.engine, "before_cursor_execute", hear)
        return Look(seconds, len(asked), answer.status_code, length)

    def pages(self, kind: str) -> tuple[dict[str, str], list[str]]:
        """Find one address for each page of a kind of account; the second part names rules that no link leads to."""
        rules = {rule.rule: rule for rule in pages_of(self._app, kind)}
        found: dict[str, str] = {}
        linked: dict[str, str] = {}
        waiting = alone = [rule for rule in rules if not rules[rule].arguments]
        found.update((rule, rule) for rule in waiting)
        while waiting:
            rule, *waiting = waiting
            for link in self._links(found[rule]):
                to = self._rule_of(urlsplit(link).path)
                if to in rules and to not in found:
                    waiting.append(to)
                if to in rules and to not in linked:
                    linked[to] = link
                    found.setdefault(to, link)
        for rule in alone:  # some are only for what a query names, or for accounts that are given a link
            if self.look(rule).status >= HTTPStatus.BAD_REQUEST:
                found.pop(rule)
                found.update({rule: linked[rule]} if rule in linked else {})
        return found, sorted(rules.keys() - found.keys())

    def _links(self, path: str) -> Iterator[str]:
        answer = self._ask(path)
        for link in _LINK.findall(answer.text if answer.mimetype == "text/html" else ""):
            parts = urlsplit(unescape(link))
            if parts.path.startswith("/") and not parts.netloc:
                yield f"{parts.path}?{parts.query}" if parts.query else parts.path

    def _rule_of(self, path: str) -> str:
        try:
            rule, _ = self._app.url_map.bind("localhost").match(path, return_rule=True)
        except (HTTPException, RequestRedirect):
            return ""
        return rule.rule

    def _ask(self, path: str, method: str = "GET", data: dict[str, str] | None = None) -> TestResponse:
        return Context().run(self._client.open, path, method=method, data=data, headers=_HEADERS, base_url=_SITE)


def pages_of(app: Flask, kind: str) -> list[Rule]:
    """Return the rules of the GET pages that people of a kind may open."""
    return [
        rule
        for rule in app.url_map.iter_rules()
        if "GET" in (rule.methods or ()) and kind in _kinds_of(app, rule).removeprefix(GUARD).split("|")
    ]


def _kinds_of(app: Flask, rule: Rule) -> str:
    guard = str(getattr(app.view_functions[rule.endpoint], "guard", ""))
    return guard if guard.startswith(GUARD) else ""
