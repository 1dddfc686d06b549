"""The template language: enough to write a lead, and nothing that runs long or looks around."""

import pytest

from core.errors import Invalid
from marketplace.leads.delivery.parcel import plain_of
from marketplace.leads.delivery.wording import MAX_OUTPUT, rendered
from tests.marketplace.delivery.parcels import make_parcel

NAMES = plain_of(make_parcel())
LOOP = "{% for pair in attributes %}"


def refused(template: str) -> str:
    with pytest.raises(Invalid) as wrong:
        rendered(template, NAMES)
    assert wrong.value.code == "bad_template"
    return wrong.value.detail


def test_values_are_escaped_for_the_format() -> None:
    assert rendered("{{ contact.company }}", NAMES, "xml") == "Dupont &amp; Fils &lt;SARL&gt;"
    assert rendered("{{ contact.company }}", NAMES, "form") == "Dupont+%26+Fils+%3CSARL%3E"
    assert rendered("{{ comments }}", NAMES, "json") == 'Call\\r\\n\\"soon\\" & <loud>'
    assert rendered("{{ comments | json }}", NAMES, "json") == '"Call\\r\\n\\"soon\\" & <loud>"'
    assert rendered("{{ contact.company }}", NAMES) == "Dupont & Fils <SARL>"


def test_a_filter_for_another_format_does_not_save_from_escaping() -> None:
    assert rendered("{{ contact.company | json }}", NAMES, "xml") == "&quot;Dupont &amp; Fils &lt;SARL&gt;&quot;"
    assert rendered("{{ comments | xml }}", NAMES, "json") == "Call\\r\\n&quot;soon&quot; &amp; &lt;loud&gt;"
    assert rendered("{{ contact.company | json }}", NAMES, "form") == "%22Dupont+%26+Fils+%3CSARL%3E%22"
    assert rendered("{{ contact.company | url_encode }}", NAMES, "form") == "Dupont%20%26%20Fils%20%3CSARL%3E"


def test_conditions_and_loops() -> None:
    assert (
        rendered(LOOP + "{{ pair[0] }}={{ pair[1] }};{% endfor %}", NAMES) == "course=business;free_copy=true;visits=3;"
    )
    assert rendered("{% if contact.phone %}y{% else %}n{% endif %}", NAMES) == "y"


def test_numbers_and_null_are_json() -> None:
    assert rendered("[{{ score | json }}, {{ contact.position | json }}]", NAMES, "json") == "[80, null]"


def test_names_that_do_not_exist_are_refused_when_saved_and_empty_when_sent() -> None:
    assert rendered("a{{ contact.nothing }}b", NAMES) == "ab"
    with pytest.raises(Invalid):
        rendered("a{{ contact.nothing }}b", NAMES, strict=True)


@pytest.mark.parametrize(
    "reach",
    ["contact.__class__", "contact.items", "contact.first_name.__class__.__mro__", "contact['__class__']",
     "contact.keys", "score.real", "score.__init__.__globals__"],
)  # fmt: skip
def test_nothing_of_python_can_be_reached(reach: str) -> None:
    assert rendered(f"{{{{ {reach} }}}}", NAMES) == ""
    with pytest.raises(Invalid):
        rendered(f"{{{{ {reach} }}}}", NAMES, strict=True)


@pytest.mark.parametrize(
    "template",
    ["{% include 'passwd' %}", "{% render 'passwd' %}", "{% assign a = 1 %}", "{% capture a %}{% endcapture %}",
     "{% increment a %}", "{% cycle 'a', 'b' %}", "{% tablerow a in b %}{% endtablerow %}", "{{ 'a' | nothing }}",
     "{{ contact }}", "{{ attributes | json }}", "{{ now }}", "{{", "{% if %}", "{{ 'a' | truncate }}"],
)  # fmt: skip
def test_what_is_not_in_the_language_is_refused(template: str) -> None:
    assert refused(template)


@pytest.mark.parametrize(
    "template",
    [
        "{% for i in (1..1000000000) %}x{% endfor %}",
        "{% for i in (1..1000000000) reversed %}x{% endfor %}",
        LOOP * 8 + "x" + "{% endfor %}" * 8,
        "{% if true %}" * 100 + "{% endif %}" * 100,
        "{{ 'aaaaaaaaaa'" + " | replace: 'a', 'aaaaaaaaaa'" * 9 + " }}",
        "{{ 'a'" + " | replace: '', 'aaaa'" + " }}",
        LOOP * 3 + "{{ comments" + " | append: comments | remove: 'x'" * 200 + " }}" + "{% endfor %}" * 3,
        "x" * 10_001,
    ],
)
def test_what_would_run_long_or_grow_is_refused(template: str) -> None:
    assert refused(template)


def test_output_is_bounded() -> None:
    names = {"text": "é" * 9_000, "list": list(range(100))}

    with pytest.raises(Invalid):
        rendered("{% for i in list %}{{ text }}{% endfor %}", names)
    assert len(rendered("{{ text }}", names).encode()) < MAX_OUTPUT
