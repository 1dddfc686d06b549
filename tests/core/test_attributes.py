"""Fields write their attributes as WTForms would, only quicker."""

from typing import Any

import pytest
from flask_babel import lazy_gettext
from markupsafe import Markup
from wtforms.widgets import Input, Select, TextArea, html_params

from core.attributes import attributes

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
