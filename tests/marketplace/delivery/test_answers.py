"""Verdicts: what a status and a body come to."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.schemas import convert
from marketplace.leads.delivery.answers import (
    WEBHOOK_RULES,
    AnswerRules,
    Decision,
    Place,
    Verdict,
    answer_faults,
    judged,
)

RULES = convert(
    {
        "decide": [
            {"outcome": "accepted", "json": "$.status", "is": ["matched"]},
            {"outcome": "refused", "json": "$.status", "is": ["unmatched"]},
            {"outcome": "refused", "json": "$.error", "says": ["duplicate"]},
        ],
        "reason": [{"json": "$.error"}, {"json": "$.status"}],
        "price": [{"json": "$.price"}],
        "reference": [{"json": "$.id"}],
        "redirect_url": [{"json": "$.next"}],
    },
    AnswerRules,
)


@pytest.mark.parametrize("body", [b"", b"OK", b'{"accepted": true}', b"<html>", b'{"accepted": null}', b"\xff\xfe"])
def test_any_2xx_accepts_our_webhook(body: bytes) -> None:
    assert judged(WEBHOOK_RULES, 204, body, "EUR").outcome == "accepted"


def test_our_webhook_can_be_refused() -> None:
    assert judged(WEBHOOK_RULES, 200, b'{"accepted": false, "reason": "Too\\n far"}', "EUR") == Verdict(
        "refused", "Too far"
    )


@pytest.mark.parametrize("status", [301, 404, 408, 429, 500, 503])
def test_another_status_is_an_error(status: int) -> None:
    assert judged(WEBHOOK_RULES, status, b'{"accepted": true}', "EUR") == Verdict("error", f"HTTP {status}")


def test_a_4xx_may_refuse_in_words_but_never_accepts() -> None:
    assert judged(RULES, 422, b'{"status": "Unmatched"}', "EUR").outcome == "refused"
    assert judged(RULES, 422, b'{"status": "Matched"}', "EUR").outcome == "error"


def test_a_status_may_decide() -> None:
    conflict = {"decide": [{"outcome": "refused", "status": [409, 422]}], "otherwise": "accepted"}
    rules = convert(conflict, AnswerRules)

    assert judged(rules, 409, b"", "EUR") == Verdict("refused", "HTTP 409")
    assert judged(rules, 200, b"", "EUR").outcome == "accepted"
    assert list(answer_faults("answer", rules)) == []


def test_whole_words_count_in_any_case() -> None:
    assert judged(RULES, 200, b'{"status": " MATCHED\\n"}', "EUR").outcome == "accepted"
    assert judged(RULES, 200, b'{"status": "UnMatched"}', "EUR").outcome == "refused"
    assert judged(RULES, 200, b'{"error": "A Duplicate-lead."}', "EUR") == Verdict("refused", "A Duplicate-lead.")
    assert judged(RULES, 200, b'{"error": "duplicated"}', "EUR").outcome == "error"


def test_html_where_json_was_expected_is_an_error() -> None:
    assert judged(RULES, 200, b"<html><p>matched</p></html>", "EUR") == Verdict(
        "error", "the answer cannot be understood"
    )


def test_values_are_captured() -> None:
    body = b'{"status": "matched", "price": "21.50", "id": 7, "next": "https://thanks.example/?a=1"}'

    assert judged(RULES, 200, body, "EUR") == Verdict("accepted", "", 2150, "7", "https://thanks.example/?a=1")


@pytest.mark.parametrize(
    ("text", "minor"),
    [("15.00", 1500), ("$1,234.50", 123450), ("12,50 €", 1250), ("1.234,50", 123450), ("00.00", 0), ("25", 2500),
     ("25.0", 2500), ("1e5", None), ("-3", None), ("15.005", None), ("", None), ("free", None), ("9" * 40, None)],
)  # fmt: skip
def test_prices_are_read_in_many_forms(text: str, minor: int | None) -> None:
    rules = AnswerRules(otherwise="accepted", price=(Place(regex=r"price=(.*)"),))

    assert judged(rules, 200, f"price={text}".encode(), "USD").price_minor == minor


@pytest.mark.parametrize(
    "link",
    ["javascript:alert(1)", "ftp://a.example/", "//a.example", "https://user@a.example/", "https:///a",
     "https://a.example/\\\\evil", "https://a.example/" + "x" * 2000, "https://[::1"],
)  # fmt: skip
def test_only_plain_links_are_followed(link: str) -> None:
    rules = AnswerRules(otherwise="accepted", redirect_url=(Place(regex=r"(.*)"),))

    assert judged(rules, 200, link.encode(), "EUR").redirect_url is None


@given(st.binary(max_size=300), st.integers(100, 599))
def test_any_answer_has_a_verdict(body: bytes, status: int) -> None:
    rules = AnswerRules(
        decide=(Decision(outcome="accepted", xpath="//a"), Decision(outcome="accepted", css="p"),
                Decision(outcome="accepted", json="$..a"), Decision(outcome="accepted", regex="a(b)?")),
    )  # fmt: skip

    assert judged(rules, status, body, "EUR").outcome in ("accepted", "error")
