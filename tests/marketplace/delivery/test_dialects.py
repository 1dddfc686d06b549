"""The templates that come with the program: they ask as the vendor documents, and understand how it answers."""

import json
from pathlib import Path
from urllib.parse import parse_qsl

import pytest

from marketplace.leads.delivery.answers import answer_faults, judged
from marketplace.leads.delivery.mapping import mapping_faults
from marketplace.leads.delivery.parcel import plain_of
from marketplace.leads.delivery.ready import dialects
from marketplace.leads.delivery.requests import request_of
from tests.marketplace.delivery.parcels import example, make_parcel, settings_of

DATA = Path(__file__).parents[2] / "data" / "dialects"
VENDORS = sorted(dialects())
ANSWERS = sorted(
    path.relative_to(DATA).as_posix()
    for vendor in VENDORS
    for path in (DATA / vendor).iterdir()
    if path.stem.partition("_")[0] in ("accepted", "rejected", "duplicate", "error")
)
OUTCOMES = {"accepted": "accepted", "rejected": "refused", "duplicate": "refused", "error": "error"}


def request_for(vendor: str, parcel=None):
    asked = {name: {"constant": "71"} for name in dialects()[vendor].asks}
    settings = settings_of("http", url="https://crm.example/post", template=vendor, fields=asked)
    return request_of(settings, parcel or example())


def published(vendor: str) -> dict[str, str]:
    path = next((DATA / vendor).glob("request.*"))
    text = path.read_text()
    return json.loads(text) if path.suffix == ".json" else dict(parse_qsl(text.partition("\n\n")[2].strip()))


def sent(request) -> dict[str, str]:
    return json.loads(request.body) if request.body.startswith(b"{") else dict(parse_qsl(request.body.decode()))


def test_the_five_are_there() -> None:
    assert VENDORS == ["boberdoo", "leadbyte", "leadexec", "leadprosper", "leadspedia"]


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_template_is_sound_and_says_where_it_is_from(vendor: str) -> None:
    ready = dialects()[vendor]

    assert list(mapping_faults("fields", ready.fields, plain_of(example()))) == []
    assert list(answer_faults("answer", ready.answer)) == []
    assert all(page.startswith("https://") for page in ready.pages)
    assert not set(ready.asks) & set(ready.fields)


@pytest.mark.parametrize("vendor", VENDORS)
def test_the_sample_goes_out_in_the_published_shape(vendor: str) -> None:
    request, shape = request_for(vendor), published(vendor)
    values = sent(request)

    assert request.method == "POST"
    assert set(values) <= set(shape)
    assert set(dialects()[vendor].asks) <= set(values)
    assert {type(value) for value in values.values()} == {str}
    assert request.headers["Content-Type"] == (
        "application/json" if vendor == "leadprosper" else "application/x-www-form-urlencoded"
    )


@pytest.mark.parametrize(
    ("vendor", "switch"),
    [("leadspedia", "lp_test"), ("leadprosper", "lp_action"), ("leadbyte", "testmode"), ("boberdoo", "Test_Lead")],
)
def test_a_test_is_marked_and_a_lead_is_not(vendor: str, switch: str) -> None:
    assert sent(request_for(vendor))[switch] == published(vendor)[switch]
    assert switch not in sent(request_for(vendor, make_parcel()))


@pytest.mark.parametrize("answer", ANSWERS)
def test_answers_are_understood(answer: str) -> None:
    vendor, _, name = answer.partition("/")
    verdict = judged(dialects()[vendor].answer, 200, (DATA / answer).read_bytes(), "USD")

    assert verdict.outcome == OUTCOMES[name.partition(".")[0].partition("_")[0]]
    assert (verdict.reason == "") == (verdict.outcome == "accepted")


@pytest.mark.parametrize("vendor", VENDORS)
@pytest.mark.parametrize("body", [b"", b"<html><h1>accepted, success, matched, true, 1</h1></html>", b"{}", b"null"])
def test_what_cannot_be_understood_is_an_error(vendor: str, body: bytes) -> None:
    assert judged(dialects()[vendor].answer, 200, body, "USD").outcome == "error"


def test_reasons_prices_references_and_links_are_found() -> None:
    def verdict_on(answer: str):
        return judged(dialects()[answer.partition("/")[0]].answer, 200, (DATA / answer).read_bytes(), "USD")

    assert verdict_on("leadspedia/accepted.xml")[2:] == (2150, "Q7XM2R4K", "https://thanks.example/next")
    assert verdict_on("leadspedia/rejected.xml").reason == "No Match"
    assert verdict_on("leadspedia/rejected_validation.json").reason == "State is not valid"
    assert verdict_on("leadspedia/rejected_texts.json").reason == "Out of hours"
    assert verdict_on("leadprosper/accepted_with_price.json").price_minor == 1850
    assert verdict_on("leadprosper/rejected_validation.json").reason == "Phone is on a list"
    assert verdict_on("leadexec/accepted_capitals.xml").reference == "5550002"
    assert verdict_on("leadexec/rejected_capitals.xml").reason == "DayPhone is missing."
    assert verdict_on("leadbyte/rejected.txt").reason == "Validation error"
    assert verdict_on("boberdoo/accepted.xml").price_minor == 1725
    assert verdict_on("boberdoo/rejected.xml").reason == "Unmatched"
