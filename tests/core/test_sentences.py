"""What the domain says in English is found for the catalogues, and read in another language by its words or its shape."""

from collections.abc import Iterator
from io import BytesIO
from typing import Any

import pytest
from babel.messages.catalog import Catalog
from flask import Flask
from flask_babel import force_locale

from core import i18n
from core.extracting import extract_data, extract_program, texts_in
from core.i18n import SENTENCE, said
from core.shapes import shapes_of

CODE = '''
def f(most):
    """No text of a docstring is taken."""
    message = f"Name at most {MOST} of {len(names)} and {MOST} more."
    yield Fault("a", "too_many", message if most else "Name fewer.")
    raise Conflict("not_now", f"The sale is {sale.state}; wait for {100} % of it.")
    raise NotFound(detail="There is no such thing.")
    yield "wrong_type", "Send a whole number."
    log.info("nobody reads this text")
    Fault("a", "b", f"{x}: {y}")
REASONS = sentences({"code": "Send it once."})
'''


def test_refusals_verdicts_and_marked_texts_are_taken_and_nothing_else() -> None:
    assert {one.text for one in texts_in(CODE)} == {
        "Name at most %(most)s of %(names)s and %(most)s more.", "Name fewer.",
        "The sale is %(state)s; wait for %(part)s %% of it.", "There is no such thing.", "Send a whole number.",
        "Send it once.",
    }  # fmt: skip
    found = list(extract_program(BytesIO(CODE.encode()), ["_"], (), {}))
    assert (SENTENCE, "Name at most %(most)s of %(names)s and %(most)s more.") in [one[2] for one in found]


def test_two_different_things_in_holes_have_two_names() -> None:
    [one] = texts_in('Fault("a", "b", f"Send from {limits[0]} to {limits[1]} of them.")')
    assert one.text == "Send from %(limits)s to %(limits2)s of them."


def test_texts_of_data_are_taken() -> None:
    text = b"reasons: {a: {says: Nobody there., sub_reasons: {x: It rang.}, window: 3, evidence: note}}"
    assert [one[2] for one in extract_data(BytesIO(text), [], [], options={})] == ["Nobody there.", "It rang."]


@pytest.fixture
def french(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let the catalogue of French know some sentences with holes."""
    catalogue = Catalog(locale="fr")
    for english, other in (
        ("Send at most %(most)s.", "Envoyez %(most)s au plus."),
        ("%(says)s: only claims that prove it.", "%(says)s : seulement avec preuve."),
        ("More than %(bp)s %% of %(days)s days", "Plus de %(bp)s %% sur %(days)s jours"),
        ("The %(kind)s was a %(kind)s before it.", "%(kind)s encore."), ("Not %(done)s yet, wait.", ""),
    ):  # fmt: skip
        catalogue.add(english, other, context=SENTENCE)
    shapes = shapes_of(catalogue, SENTENCE)
    monkeypatch.setattr(i18n, "_shapes", lambda language: shapes if language == "fr" else [])
    i18n._by_shape.cache_clear()
    yield
    i18n._by_shape.cache_clear()


@pytest.mark.usefixtures("french")
@pytest.mark.parametrize(
    ("english", "other"),
    [("Send at most 5.", "Envoyez 5 au plus."), ("Send at most 5. And more", "Send at most 5. And more"),
     ("More than 15 % of 30 days: only claims that prove it.", "Plus de 15 % sur 30 jours : seulement avec preuve."),
     ("The a was a a before it.", "a encore."), ("The a was a b before it.", "The a was a b before it."),
     ("Not sent yet, wait.", "Not sent yet, wait."), ("Send at most %(x)s.", "Envoyez %(x)s au plus."),
     ("Send at most <b>\n5%.", "Envoyez <b>\n5% au plus."), ("Send at most " + "9" * 2000 + ".", None)],
)  # fmt: skip
def test_a_sentence_is_read_in_another_language_by_its_shape(app: Flask, english: str, other: Any) -> None:
    with app.test_request_context(), force_locale("fr"):
        assert said(english) == (english if other is None else other)
    with app.test_request_context(), force_locale("en"):
        assert said(english) == english
