"""What operators' pages refuse: days and names that lead nowhere, changes of what was not seen, faults that tell too much."""

from typing import Any

import pytest
import yaml
from lxml import html

from core.errors import Invalid
from core.job_faults import told
from marketplace.catalog.verticals import Vertical, read_shipped
from tests.factories import Market
from tests.marketplace.test_operator_verticals import GARDEN, faults_on, typed
from tests.marketplace.test_portal_pages import visitor_of
from tests.visitor import Visitor, words_of


@pytest.fixture
def visitor(market: Market) -> Visitor:
    return visitor_of(market, market.make_operator())


@pytest.mark.parametrize("path", ["/operator/journal?on=9999-12-31", "/operator/journal.csv?on=9999-12-31"])
def test_the_last_day_of_the_calendar_is_no_day_of_the_journal(visitor: Visitor, path: str) -> None:
    assert visitor.open(path).status_code == 400


def test_a_vertical_is_not_called_as_the_page_that_adds_one(visitor: Visitor) -> None:
    answer = visitor.send("/operator/verticals/new", **(GARDEN | {"slug": "new"}))
    assert faults_on(answer) == {"slug": "Choose another name: at the address new a vertical is added."}


def test_nul_is_refused_where_it_was_sent_and_finds_nothing(visitor: Visitor) -> None:
    path = "/operator/settings/contact.request_minutes"
    answer = visitor.send(path, value="4", reason="a\0b", seen="0", country="")
    assert "NUL" in faults_on(answer)["reason"]
    assert visitor.open("/operator/verticals/new?like=%00").status_code == 404


def test_a_text_that_jumps_over_a_version_replaces_nothing_unseen(visitor: Visitor) -> None:
    path = "/operator/verticals/education/text"
    mine: dict[str, Any] = typed(visitor.read(path))
    theirs = typed(visitor.read(path))
    said = yaml.safe_load(theirs["text"][0])
    text = yaml.safe_dump(said | {"dedupe_days": 77}, sort_keys=False)
    assert visitor.open(path, "POST", theirs | {"text": text}).status_code == 302
    far = yaml.safe_dump(said | {"version": said["version"] + 5, "buyer_dedupe_days": 95}, sort_keys=False)
    answer = visitor.open(path, "POST", mine | {"text": far})
    assert answer.status_code == 200 and "Somebody changed this vertical meanwhile" in words_of(answer)
    again = typed(_page(answer))  # whoever saw what they changed may replace it
    kept = visitor.open(path, "POST", again | {"text": far})
    assert kept.status_code == 302, words_of(kept)[:1500]


def _page(answer: Any) -> Any:
    return html.fromstring(answer.text)


@pytest.mark.parametrize("name", ["a\r\nBcc: x@y.z", " ", "\u202eevil", "\x1b[31m", "a\u2028b", "\u200b", "\t"])
def test_a_word_that_cannot_be_seen_or_turns_the_page_around_is_refused(name: str) -> None:
    said = read_shipped("education").as_mapping()
    field = {"name": "level", "type": "string", "label": name}
    with pytest.raises(Invalid) as refused:
        Vertical.load(said | {"names": {"en": name}, "fields": [field]})
    assert [one.field for one in refused.value.faults] == ["names.en", "fields.0.label"]
    Vertical.load(said | {"names": {"fr": "L'École, à 2 €", "zh": "教育", "ar": "تعليم", "en": "👩‍🏫"}, "fields": []})


@pytest.mark.parametrize(
    ("said", "kept"),
    [("{'ada.l@example.com': (550, b'no such user')}", "{'…@…': (550, b'no such user')}"),
     ("call +33199001234 or 0199001234", "call … or …"),
     ("GET https://u:p@hooks.example.com/T0/s3cret?k=v failed", "GET https://hooks.example.com/… failed"),
     ("imaps://me%40x:pass@mail.example.com/INBOX", "imaps://mail.example.com/…"),
     ("Invalid key sk_test_abc, Bearer eyJ.x", "Invalid key …, Bearer …"),
     ("lead_01m8dhpg6yef99fw6xqezy3qhb at 2026-11-22 10:00:00", "lead_01m8dhpg6yef99fw6xqezy3qhb at 2026-11-22 10:00:00")],
)  # fmt: skip
def test_a_kept_fault_has_no_address_number_or_key(said: str, kept: str) -> None:
    assert told(ValueError(said)) == f"ValueError: {kept}"


def test_a_country_that_a_later_word_overtook_is_not_shown_as_if_it_held(visitor: Visitor) -> None:
    path = "/operator/settings/contact.request_minutes"
    for seen, country, value in (("0", "FR", "4"), ("1", "", "3")):
        answer = visitor.send(path, value=value, reason="a test", seen=seen, country=country)
        assert answer.status_code == 302, words_of(answer)
    shown = visitor.read(path).xpath("//dl[@class='facts']/dt/text()")
    assert "FR" not in shown
    visitor.send(path, value="", reason="a test", seen="2", country="")
    assert "FR" in visitor.read(path).xpath("//dl[@class='facts']/dt/text()")
