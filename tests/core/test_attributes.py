"""Fields write their attributes as WTForms would, only quicker."""

from typing import Any

import pytest
from flask import Flask
from flask_babel import lazy_gettext
from markupsafe import Markup
from wtforms import Form, SelectField, StringField
from wtforms.fields.choices import Choice
from wtforms.widgets import Input, Select, TextArea, html_params

from core.attributes import attributes
from core.fields import bare, labelled

TOLD: tuple[dict[str, Any], ...] = (
    {},
    {"name": "a", "id": "b", "class_": "c d", "for_": "e"},
    {"value": """<script>"it's" & more</script>""", "title": Markup("""<b title="x">&amp;</b>""")},
    {"checked": True, "required": False, "disabled": None, "rows": 3, "min": 0, "max": 2.5},
    {"aria_invalid": "true", "aria-label": lazy_gettext("Name"), "data_row_of": "1", "maxlength": ""},
)


@pytest.mark.parametrize("told", TOLD)
def test_attributes_are_written_as_wtforms_writes_them(told: dict[str, Any]) -> None:
    assert attributes(**told) == html_params(**told)
    assert isinstance(attributes(**told), Markup)


@pytest.mark.usefixtures("app")
def test_every_kind_of_field_writes_them_so() -> None:
    assert html_params is not attributes
    for writes in (Input().html_params, Select.__call__.__globals__["html_params"],
                   Select.render_option.__globals__["html_params"], TextArea.__call__.__globals__["html_params"]):  # fmt: skip
        assert writes is attributes


@pytest.mark.usefixtures("app")
def test_an_option_is_drawn_by_its_own_class() -> None:
    class Loud(Select):
        @classmethod
        def render_option(cls, choice: Choice, **told: Any) -> Markup:
            return Markup(super().render_option(choice, **told).upper())

    class Lists(Form):
        plain = SelectField(choices=[("a", "<b>")])
        loud = SelectField(choices=[("a", "b")], widget=Loud())

    shown = Lists()
    for _ in range(2):
        assert shown.plain() == '<select id="plain" name="plain"><option value="a">&lt;b&gt;</option></select>'
        assert shown.loud() == '<select id="loud" name="loud"><OPTION VALUE="A">B</OPTION></select>'


class Asked(Form):
    """A form of one field."""

    name = StringField()


def test_a_field_names_its_faults_and_its_help(app: Flask) -> None:
    asked = Asked(data={"name": "<x>"})
    plain = labelled(asked["name"], "<Name>", unit="EUR")
    assert '<label for="name">&lt;Name&gt; <span class="unit">EUR</span></label>' in plain
    assert 'class="form-control"' in plain and 'value="&lt;x&gt;"' in plain and "aria-" not in plain

    asked["name"].errors = ["Too <short>."]
    with app.test_request_context():
        told = labelled(asked["name"], "Name", help=Markup("<b>Help</b>"), rows=2)
        row = bare(asked["name"], "Name")
    assert 'aria-invalid="true"' in told and 'aria-describedby="name-fault name-help"' in told and 'rows="2"' in told
    assert '<p class="fault" id="name-fault">Too &lt;short&gt;.</p>' in told
    assert '<p class="help" id="name-help"><b>Help</b></p>' in told
    assert 'aria-label="Name"' in row and 'aria-describedby="name-fault"' in row and "<label" not in row
