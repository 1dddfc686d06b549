"""Bodies: the same pairs as JSON, form, XML, SOAP and text, with every value escaped."""

import json
from urllib.parse import parse_qsl

from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from marketplace.leads.delivery.bodies import ENVELOPE, body_of, query_of

PAIRS = [("lead.name", 'A "B" & <C>'), ("lead.tags.0", "x"), ("lead.tags.1", "y"), ("score", 80), ("ok", True)]
TEXTS = st.text(st.characters(exclude_categories=["Cs"]))


def test_json_nests_by_dots_and_lists_by_numbers() -> None:
    assert json.loads(body_of("json", PAIRS)) == {
        "lead": {"name": 'A "B" & <C>', "tags": ["x", "y"]}, "score": 80, "ok": True,
    }  # fmt: skip


def test_a_list_of_objects() -> None:
    assert json.loads(body_of("json", [("leads.0.fields.Email", "a"), ("source.vid", 7)])) == {
        "leads": [{"fields": {"Email": "a"}}],
        "source": {"vid": 7},
    }


def test_xml_has_elements_attributes_and_repeats() -> None:
    pairs = [("@id", "1"), ("person.@type", "a<"), ("person.name", "B & C\x00"), ("tag.0", "x"), ("tag.1", "y")]

    assert body_of("xml", pairs, "lead").decode().partition("?>\n")[2] == (
        '<lead id="1"><person type="a&lt;"><name>B &amp; C</name></person><tag>x</tag><tag>y</tag></lead>'
    )


def test_soap_has_an_envelope() -> None:
    root = etree.fromstring(body_of("soap", [("name", "A")], "AddLead", "urn:crm"))

    assert root.tag == f"{{{ENVELOPE}}}Envelope"
    assert root.findtext(f"{{{ENVELOPE}}}Body/{{urn:crm}}AddLead/{{urn:crm}}name") == "A"


def test_text_keeps_a_line_a_field() -> None:
    assert body_of("text", [("a", "x\r\ny: z"), ("b", False)]) == b"a: x y: z\nb: false\n"


@given(st.lists(st.tuples(TEXTS, TEXTS)))
def test_forms_and_queries_give_back_what_was_put_in(pairs) -> None:
    assert parse_qsl(query_of(pairs), keep_blank_values=True, strict_parsing=bool(pairs)) == pairs
    assert body_of("form", pairs) == query_of(pairs).encode()


@given(TEXTS)
def test_json_and_xml_give_back_any_text(text: str) -> None:
    assert json.loads(body_of("json", [("a", text)])) == {"a": text}
    root = etree.fromstring(body_of("xml", [("a", text)]))
    found = root.findtext("a") or ""
    assert all(char in text for char in found)
