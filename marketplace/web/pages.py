"""The pages that need no sign-in: what this is, and the HTTP interface with its OpenAPI document."""

import re
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, current_app, redirect, render_template, url_for
from werkzeug.wrappers import Response as AnyResponse

from core.actors import present_person
from core.http import Answer, business_clock, public, respond
from marketplace.catalog.verticals import read_shipped
from marketplace.web.api.openapi import document_of
from marketplace.web.api.reference import fields_of, sections_of

pages = Blueprint("pages", __name__)
_ROW = re.compile(r"^\| `([a-z0-9_<>]+)` \|(?: (\d+) \|)? (.+) \|$", re.MULTILINE)


@pages.get("/")
@public
def home() -> str | AnyResponse:
    """Say what this is and where to go on; who is signed in goes on to their own pages."""
    if present_person() is not None:
        return redirect(url_for("people.start"))
    return render_template("marketplace/home.html")


@pages.get("/api/openapi.json")
@public
def openapi() -> Response:
    """Give the OpenAPI 3.1 document of this very program."""
    return respond(Answer(_document()))


@pages.get("/api/docs")
@public
def docs() -> str:
    """Show the same document to people."""
    document = _document()
    shapes = {name: fields_of(schema) for name, schema in document["components"]["schemas"].items()}
    return render_template("marketplace/docs.html", document=document, sections=sections_of(document), shapes=shapes)


@pages.get("/docs/errors")
@public
def errors() -> str:
    """Show what each code of a refusal means; the `type` of every problem document points here."""
    text = (Path(current_app.root_path) / "docs" / "errors.md").read_text(encoding="utf-8")
    sections = [
        (head, _ROW.findall(body)) for head, _, body in (part.partition("\n") for part in text.split("\n## ")[1:])
    ]
    return render_template("marketplace/errors.html", sections=sections)


def _document() -> dict[str, Any]:
    return document_of(current_app, read_shipped("education").example(business_clock().now()))
