"""Calls to the exchange's public API, as any client makes them."""

import http.client
import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple
from urllib.parse import urlencode, urlsplit

TIMEOUT_SECONDS = 30


class Answered(NamedTuple):
    """A status, and the JSON that came with it."""

    status: int
    body: Any


class Api:
    """Speaks to one exchange; threads may share it, since each call has a connection of its own."""

    def __init__(self, host: str, port: int) -> None:
        self._host, self._port = host, port

    def call(self, method: str, path: str, key: str = "", body: Any = None) -> Answered:
        """Make a call and return its answer whatever the status; OSError when nobody answers."""
        headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {key}"} if key else {})
        data = json.dumps(body).encode() if body is not None else None
        connection = http.client.HTTPConnection(self._host, self._port, timeout=TIMEOUT_SECONDS)
        try:
            connection.request(method, path, data, headers)
            response = connection.getresponse()
            return Answered(response.status, json.loads(response.read() or b"null"))
        except (http.client.HTTPException, OSError, ValueError) as broken:
            raise ConnectionError(f"{method} {path}: {broken}") from broken
        finally:
            connection.close()

    def pages(self, path: str, key: str) -> Iterator[Any]:
        """Yield the items of a list, page by page."""
        cursor: str | None = ""
        while cursor is not None:
            answered = self.call("GET", f"{path}{'&' if '?' in path else '?'}limit=100{cursor}", key)
            if answered.status != 200:
                return
            yield from answered.body["items"]
            more = answered.body["next_cursor"]
            cursor = f"&cursor={more}" if more else None


def fill_in_form(url: str, fields: Mapping[str, str]) -> int:
    """Send a page's form as a browser does, and return the status; redirections are not followed."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=TIMEOUT_SECONDS)
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    try:
        connection.request("POST", parts.path, urlencode(fields), headers)
        return connection.getresponse().status
    finally:
        connection.close()
