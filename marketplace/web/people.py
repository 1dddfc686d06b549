"""Pages about the person who looks: their account, the accounts they may act for, and how they want to read."""

from flask import Blueprint, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from core.actors import Person, act_for, page, present_person
from core.db import transaction
from core.http import public
from core.i18n import COOKIE, LANGUAGES
from core.identity import refused_tries, speak
from core.pages import THEMES, YEAR_SECONDS
from marketplace.web.chrome import first_page

people = Blueprint("people", __name__)


@people.get("/account")
@page()
def account(person: Person) -> str:
    """Show who is signed in, what guards their sign-in, and the accounts they belong to."""
    return render_template("people/account.html", person=person, refused=refused_tries(person.user.email))


@people.get("/start")
@page()
def start(person: Person) -> Response:
    """Go to the page that the account begins with."""
    return redirect(first_page(person))


@people.post("/account/switch")
@page()
def switch(person: Person) -> Response:
    """Act for another of one's accounts from now on."""
    act_for(person, request.form.get("account", ""))
    g.pop("person")
    return redirect(url_for("people.start"))


@people.post("/preferences")
@public
def change_reading() -> Response:
    """Keep the theme or the language that the reader wants; it changes how pages look and nothing else."""
    response = redirect(_local(request.form.get("back", "/")))
    language, theme = request.form.get("language"), request.form.get("theme")
    if language in LANGUAGES:
        response.set_cookie(COOKIE, language, max_age=YEAR_SECONDS, samesite="Lax", httponly=True)
        person = present_person()
        if person is not None:
            with transaction():
                speak(person.user.user_id, language)
    if theme is not None:
        response.set_cookie("theme", theme if theme in THEMES else "", max_age=YEAR_SECONDS, samesite="Lax")
    return response


def _local(path: str) -> str:
    """Return a path of this site, the first page for anything else."""
    return path if path.startswith("/") and path[1:2] not in ("/", "\\") and path.isprintable() else "/"
