"""Words of templates: in the reader's language, with what fills their holes escaped only where the template is HTML."""

from collections.abc import Callable

import pytest
from flask import Flask, render_template_string
from flask_babel import force_locale
from markupsafe import Markup

Written = Callable[..., str]
HOSTILE = "<b>&</b>"


@pytest.fixture
def written(app: Flask) -> Written:
    """Return what a template of an app's page writes."""

    def write(template: str, **named: object) -> str:
        with app.test_request_context():
            return render_template_string(template, **named)

    return write


def test_what_fills_a_hole_is_escaped_in_html_and_as_it_is_in_a_text(written: Written) -> None:
    asked = '{{ _("Change %(slug)s", slug=name) }}'
    assert written(asked, name=HOSTILE) == "Change &lt;b&gt;&amp;&lt;/b&gt;"
    assert written(asked, name=Markup("<bdi>x</bdi>")) == "Change <bdi>x</bdi>"
    assert written(f"{{% autoescape false %}}{asked}{{% endautoescape %}}", name=HOSTILE) == f"Change {HOSTILE}"


def test_a_word_without_holes_keeps_its_marks_and_writes_a_percent_once(written: Written) -> None:
    assert written('{{ _("Whose & what") }}') == "Whose & what"
    assert written('{{ _("Keeps 5 %% of it") }}') == "Keeps 5 % of it"


def test_each_reader_gets_his_own_language_whoever_was_first(app: Flask) -> None:
    def shown(language: str) -> str:
        with app.test_request_context(), force_locale(language):
            return render_template_string('{{ _("Time zone") }}{% for _a in "1" %} {{ _("Time zone") }}{% endfor %}')

    assert [shown(language) for language in ("en", "fr", "nl", "en")] == [
        "Time zone Time zone", "Fuseau horaire Fuseau horaire", "Tijdzone Tijdzone", "Time zone Time zone",
    ]  # fmt: skip
