"""Google's lead forms: read with their flaws, taken once however often they are sent, answered as Google expects."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import Malformed
from marketplace.leads.dialects import google
from marketplace.leads.dialects.posted import Request
from tests.at_once import at_once
from tests.factories import Market
from tests.marketplace.dialects.speaking import Source, a_person, make_source
from tests.marketplace.dialects.test_published_examples import JSON, example, only_lead


@pytest.fixture
def source(market: Market) -> Source:
    market.make_order(market.make_buyer())
    return make_source(market, "google", region="US")


def lead(source: Source, **changes: Any) -> dict[str, Any]:
    columns = [
        {"column_id": "FULL_NAME", "string_value": "Ada Martin"},
        {"column_id": "EMAIL", "string_value": a_person()},
    ]
    return {"lead_id": "one", "user_column_data": columns, "google_key": source.credentials["google_key"]} | changes


def test_the_test_button_gets_an_empty_object(source: Source) -> None:
    answer = source.send(data=example("google/test_payload.json", source), **JSON)
    assert (answer.status_code, answer.json, answer.content_type) == (200, {}, "application/json")
    taken = only_lead(source, test=True)
    assert (taken["region"], taken["contact"]["phone"], taken["channel"]) == ("US-CA", "+16505550123", "search")
    assert taken["source"]["sub"]["1"] == "9007199254740993"  # beyond what a float can hold


def test_trailing_commas_are_tolerated_outside_of_texts(source: Source) -> None:
    answer = source.send(data=example("google/trailing_commas.txt", source), **JSON)
    assert (answer.status_code, answer.json) == (200, {})
    taken = only_lead(source)
    assert (taken["contact"]["first_name"], taken["external_id"]) == ('Ada, "the" Martin,]', "TeSter-456")


def test_a_lead_that_is_sent_again_is_one_lead(source: Source) -> None:
    first = lead(source)
    for again in (first, first, first | {"lead_submit_time": "2026-11-22T09:00:00Z"}):
        assert source.send(json=again).json == {}
    assert only_lead(source)["status"] == "sold"


def test_a_lead_that_is_sent_many_times_at_once_is_one_lead(source: Source) -> None:
    said = lead(source)
    answers = at_once([lambda: source.send(json=said)] * 8)
    assert {answer.status_code for answer in answers} <= {200, 503}  # 503: send it again
    assert only_lead(source)["status"] == "sold"


def test_old_payloads_name_columns_only(source: Source) -> None:
    columns = [
        {"column_name": "User Email", "string_value": "old@example.com"},
        {"column_name": "CITY", "string_value": "Paris"},
    ]
    assert source.send(json=lead(source, user_column_data=columns)).json == {}
    assert only_lead(source)["contact"]["city"] == "Paris"


def test_of_a_column_that_comes_twice_the_first_counts(source: Source) -> None:
    columns = [{"column_id": "EMAIL", "string_value": f"{name}@example.com"} for name in ("first", "second")]
    assert source.send(json=lead(source, user_column_data=columns)).json == {}
    assert only_lead(source)["contact"]["email"] == "first@example.com"


def test_a_lead_nobody_buys_and_a_rejected_one_were_received_all_the_same(market: Market) -> None:
    source = make_source(market, "google", consent_text=None)
    assert source.send(json=lead(source)).json == {}
    assert only_lead(source)["reasons"] == ["consent_missing"]


@pytest.mark.parametrize("key", ["", "another", None, 5, ["a"]])
def test_another_key_is_refused(source: Source, key: Any) -> None:
    answer = source.send(json=lead(source, google_key=key))
    assert (answer.status_code, answer.json) == (403, {"message": "The google_key is unknown."})


def test_a_lead_without_contact_is_refused_for_good(source: Source) -> None:
    answer = source.send(data=example("google/no_columns.json", source), **JSON)
    assert answer.status_code == 422 and "email, phone" in answer.json["message"]


@pytest.mark.parametrize(
    "raw", [b"", b"{", b"[]", b"null", b"[" * 100_000, b'{"a":' * 100_000, b'"' * 100_000, b'{"\\' * 50_000]
)
def test_what_is_not_json_is_refused_with_a_message(source: Source, raw: bytes) -> None:
    answer = source.send(data=raw, **JSON)
    assert (answer.status_code, list(answer.json)) == (400, ["message"])


texts = st.text(max_size=8) | st.sampled_from([",]", ",}", '",', "\\", ", }"])
documents = st.recursive(texts, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3))


@given(st.dictionaries(texts, documents, max_size=4))
def test_commas_inside_texts_are_never_lost(document: dict[str, Any]) -> None:
    raw = json.dumps(document)
    sloppy = google._TEXT_OR_COMMA.sub(lambda found: b"" if found[0] == b"," else found[0], raw.encode())
    assert json.loads(sloppy) == document


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(raw: bytes) -> None:
    with suppress(Malformed):
        google.read(Request("POST", body=raw))
