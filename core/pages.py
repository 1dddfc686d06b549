"""Pages: what every one of them may use, and refusals shown to people instead of programs.

A refusal leaves the edge as a problem document; when a browser asked for a page, the same refusal is drawn as one. What
had been typed into a form is kept, with a fresh token, so that it can be sent again.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib import metadata, resources
from pathlib import Path

import msgspec
from flask import Flask, Response, current_app, g, make_response, redirect, render_template, request, url_for
from flask_bootstrap import Bootstrap5
from flask_wtf.csrf import CSRFError
from lxml import etree
from markupsafe import Markup

from core.actors import keep_private
from core.http import PROBLEM, business_clock, problem
from core.identity import PROGRAMS
from core.ids import show_id
from core.money import Money

THEMES = ("light", "dark")
YEAR_SECONDS = 31_536_000
UNSAID = ("csrf_token", "submit", "next")  # fields that nobody typed
SVG = "{http://www.w3.org/2000/svg}"


@dataclass(frozen=True, slots=True)
class Typed:
    """A field as it was sent; what is secret is asked for again."""

    name: str
    text: str
    is_secret: bool


def install(app: Flask) -> None:
    """Draw refusals as pages for browsers, and give templates what all pages share."""
    app.config["BOOTSTRAP_SERVE_LOCAL"] = True
    app.config["SEND_FILE_MAX_AGE_DEFAULT"] = YEAR_SECONDS  # addresses of files carry a mark of their content
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.globals.update(icon=icon, asset=asset, now=page_time, theme=theme, show_id=show_id, money_of=Money)
    app.jinja_env.globals["bootstrap_version"] = metadata.version("bootstrap-flask")
    Bootstrap5(app)
    app.register_error_handler(CSRFError, _form_expired)
    app.after_request(keep_private)
    app.after_request(_drawn)


def wants_page() -> bool:
    """Tell whether this request is a browser's for a page."""
    return not request.path.startswith(PROGRAMS) and "text/html" in request.accept_mimetypes.values()


def page_time() -> datetime:
    """Return the business instant of this page; the same wherever the page asks."""
    if "now" not in g:
        g.now = business_clock().now()
    now: datetime = g.now
    return now


def theme() -> str:
    """Return the theme that the reader chose, empty for the browser's own."""
    chosen = request.cookies.get("theme", "")
    return chosen if chosen in THEMES else ""


def asset(name: str) -> str:
    """Return the address of a file of ours, with a mark that changes with its content."""
    return url_for("static", filename=name, v=_mark(Path(current_app.static_folder or "") / name))


@cache
def _mark(path: Path) -> str:
    return f"{path.stat().st_mtime_ns:x}"[-8:]


@cache
def _icons() -> etree._Element:
    place = resources.files("flask_bootstrap") / "static" / "bootstrap5" / "icons" / "bootstrap-icons.svg"
    return etree.fromstring(place.read_bytes())


@cache
def icon(name: str, size: int = 16) -> Markup:
    """Return one of Bootstrap's packaged icons, drawn within the page; it says nothing to those who cannot see it."""
    symbol = _icons().find(f"{SVG}symbol[@id='{name}']")
    if symbol is None:
        raise LookupError(f"there is no icon {name!r}")
    inside = "".join(etree.tostring(each, encoding="unicode") for each in symbol).replace(
        ' xmlns="http://www.w3.org/2000/svg"', ""
    )
    head = (
        f'<svg class="icon" width="{size}" height="{size}" fill="currentColor" viewBox="0 0 16 16" aria-hidden="true">'
    )
    return Markup(f"{head}{inside}</svg>")  # noqa: S704  # the package's own drawing


def _form_expired(_: CSRFError) -> Response:
    detail = "This form was open too long, or in another session. Nothing was done: check it and send it again."
    return problem(400, "The form has expired", "form_expired", detail, [])


def _drawn(response: Response) -> Response:
    """Draw a problem document as a page when a browser asked for one; who is not signed in is asked to."""
    if response.mimetype != PROBLEM or not wants_page():
        return response
    if response.status_code == 401 and request.method in ("GET", "HEAD"):
        return redirect(url_for("security.login", next=request.full_path.rstrip("?")))  # type: ignore[return-value]
    told = msgspec.json.decode(response.get_data())
    typed = [] if response.status_code == 413 else _typed()  # what was too long to be read is not read now
    page = make_response(render_template("errors/refused.html", told=told, typed=typed), response.status_code)
    for name in ("Allow", "Retry-After"):
        if name in response.headers:
            page.headers[name] = response.headers[name]
    return page


def _typed() -> Iterable[Typed]:
    """Return what this site's own form sent; nothing of what another site made the browser send."""
    if request.method != "POST" or request.headers.get("Sec-Fetch-Site") != "same-origin":
        return []
    return [
        Typed(name, text, "password" in name) for name, text in request.form.items(multi=True) if name not in UNSAID
    ]
