"""Adding a vertical and changing one in the browser: as a form, or as its file."""

from collections.abc import Callable
from typing import Any

import yaml
from flask import redirect, render_template, request, url_for
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response

from core.actors import Person, page
from core.defaults import default
from core.errors import Invalid
from core.forms import carry_out
from core.words import gettext
from marketplace.catalog.shelf import get_vertical
from marketplace.catalog.verticals import Vertical
from marketplace.web.operator.routes import operator
from marketplace.web.operator.vertical_body import definition_in, filling_of
from marketplace.web.operator.vertical_faults import lines_of, place_faults, twice_named
from marketplace.web.operator.vertical_form import LOOK, SAVE, TextForm, VerticalForm
from marketplace.web.operator.vertical_outlook import keep, outlook_of, overtaken, seen_of
from marketplace.web.operator.vertical_words import place_word
from marketplace.web.telling import tell

BEGUN: dict[str, Any] = {
    "currency": "EUR", "consent_required": True, "example_region": "FR-IDF",
    "names": [{"language": "en", "name": ""}], "attributes": [{"asked": True, "type": "string"}],
    "window_hours": default("window.hours"), "decision_days": default("window.decision_days"),
    "dedupe_days": default("dedupe.vertical_days"), "buyer_dedupe_days": default("dedupe.buyer_days"),
    "delivery_grace_minutes": default("delivery.grace_minutes"), "share_buyers": default("share.buyers"),
    "share_ceiling": default("share.most_buyers"), "fall_back": True, "consent_days": default("consent.most_days"),
}  # fmt: skip
BEGUN_TEXT = """slug:
version: 1
names: {en: }
currency: EUR
min_price: {amount: "3.50", currency: EUR}
fields:
  - {name: level, type: enum, label: , values: [beginner, advanced]}
"""


@operator.route("/verticals/new", methods=["GET", "POST"])
@page("operator")
def new_vertical(person: Person) -> str | Response:
    """Add a vertical: it begins empty, or with what another says."""
    like = request.args.get("like")
    begun = filling_of(get_vertical(like)[1].as_mapping()) | {"slug": "", "seen": ""} if like else BEGUN
    return _form_answered(person, VerticalForm(data=begun), "", {})


@operator.route("/verticals/<slug>/edit", methods=["GET", "POST"])
@page("operator")
def edit_vertical(person: Person, slug: str) -> str | Response:
    """Change a vertical, unless somebody else has changed it meanwhile: then say what, and ask again."""
    form = VerticalForm(data=filling_of(get_vertical(slug)[1].as_mapping()))
    return _form_answered(person, form, slug, seen_of(slug, form.seen.data or ""))


@operator.route("/verticals/new/text", methods=["GET", "POST"])
@page("operator")
def new_vertical_text(person: Person) -> str | Response:
    """Add a vertical as its file."""
    return _text_answered(person, TextForm(data={"text": BEGUN_TEXT}), "", {})


@operator.route("/verticals/<slug>/text", methods=["GET", "POST"])
@page("operator")
def edit_vertical_text(person: Person, slug: str) -> str | Response:
    """Change a vertical as its file, under the next version."""
    standing = get_vertical(slug)[1].as_mapping()
    written = yaml.safe_dump(standing | {"version": standing["version"] + 1}, sort_keys=False, allow_unicode=True)
    form = TextForm(data={"text": written, "seen": str(standing["version"])})
    return _text_answered(person, form, slug, seen_of(slug, form.seen.data or ""))


def _form_answered(person: Person, form: VerticalForm, slug: str, seen: dict[str, Any]) -> str | Response:
    act = request.form.get("act", SAVE) if request.method == "POST" else ""
    if act not in ("", SAVE, LOOK):
        form.rearrange(act)
    form.offer()

    def read() -> Vertical:
        return Vertical.load(definition_in(form, seen, seen.get("version", 0) + 1))

    def judged() -> Vertical:
        twice = twice_named(form)
        for field, says in twice:
            field.errors = [*field.errors, says]
        try:
            vertical = read()
        except Invalid as refused:
            place_faults(form, refused.faults)
            raise Invalid("invalid_vertical", gettext("Nothing was kept: mend the fields that say so below.")) from None
        if twice:
            raise Invalid("invalid_vertical", gettext("Nothing was kept: mend the fields that say so below."))
        return vertical

    return _answered(person, form, slug, seen, act, (read, judged), "vertical_form.html", place_faults)


def _text_answered(person: Person, form: TextForm, slug: str, seen: dict[str, Any]) -> str | Response:
    act = request.form.get("act", SAVE) if request.method == "POST" else ""

    def read() -> Vertical:
        return Vertical.read((form.text.data or "").replace("\r\n", "\n"))

    def judged() -> Vertical:
        try:
            return read()
        except Invalid as refused:
            _place_in_text(form, refused.faults)
            raise Invalid("invalid_vertical", gettext("Nothing was kept: mend what is named below.")) from None

    return _answered(person, form, slug, seen, act, (read, judged), "vertical_text.html", _place_in_text)


def _place_in_text(form: TextForm, faults: Any) -> None:
    for line, fault in lines_of(form.text.data or "", faults):
        says = {"line": line, "place": fault.field, "message": fault.message}
        told = gettext("Line %(line)s, %(place)s: %(message)s", **says) if line else fault.message
        form.text.errors = [*form.text.errors, told]


def _answered(
    person: Person, form: Any, slug: str, seen: dict[str, Any], act: str,
    ways: tuple[Callable[[], Vertical], Callable[[], Vertical]], template: str, place: Callable[[Any, Any], None],
) -> str | Response:  # fmt: skip
    """Save, look over or only draw; what is drawn tells what saving would do, and what somebody else did meanwhile."""
    read, judged = ways

    def work() -> str:
        vertical = judged()
        if act == LOOK:
            return LOOK
        try:
            return keep(vertical, slug, seen, form.agreed.data or "", person.name)
        except Invalid as refused:
            place(form, refused.faults)
            raise Invalid(refused.code, refused.detail) from None

    done = carry_out(form, work) if act in (SAVE, LOOK) else None
    if done and act == SAVE:
        tell(gettext("%(slug)s is kept, and holds for every lead posted from now on.", slug=done))
        return redirect(url_for("operator.vertical", slug=done))
    return _drawn(form, slug, seen, act, read, template, bool(done))


def _drawn(
    form: FlaskForm, slug: str, seen: dict[str, Any], act: str, read: Callable[[], Vertical], template: str,
    is_sound: bool,
) -> str:  # fmt: skip
    others = overtaken(slug, seen) if act else []
    if slug and others:
        form.seen.data = str(get_vertical(slug)[1].version)
    outlook = outlook_of(read, slug) if act in (SAVE, LOOK) else None
    form.agreed.data = outlook.mark if outlook else ""
    return render_template(f"marketplace/operator/{template}", form=form, slug=slug, seen=seen, others=others,
                           outlook=outlook, is_sound=is_sound, place_word=place_word)  # fmt: skip
