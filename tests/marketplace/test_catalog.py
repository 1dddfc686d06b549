"""Verticals are data that is checked as a whole; regions know what holds them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import Invalid
from core.money import Money
from core.schemas import convert
from marketplace.catalog.regions import country_of, is_region, parents_of, region_of, regions_in
from marketplace.catalog.verticals import Vertical, read_shipped, shipped_slugs
from marketplace.leads.submission import Submission

AT = datetime(2026, 11, 22, 12, tzinfo=UTC)
EDUCATION = read_shipped("education")

SMALL: dict[str, Any] = {
    "slug": "small",
    "version": 1,
    "names": {"en": "Small"},
    "currency": "EUR",
    "min_price": {"amount": "1.00", "currency": "EUR"},
    "fields": [
        {"name": "colour", "type": "enum", "label": "Colour", "values": ["red", "green"], "required": True},
        {"name": "count", "type": "integer", "label": "Count", "min": 1, "max": 9},
        {"name": "ratio", "type": "number", "label": "Ratio", "min": 0.5},
        {"name": "agreed", "type": "boolean", "label": "Agreed"},
        {"name": "note", "type": "string", "label": "Note", "max_length": 3},
        {"name": "day", "type": "date", "label": "Day"},
    ],
}


def faults_of(mapping: dict[str, Any]) -> dict[str, str]:
    with pytest.raises(Invalid) as refusal:
        Vertical.load(mapping)
    return {fault.field: fault.code for fault in refusal.value.faults}


def verdict(vertical: Vertical, **attributes: Any) -> dict[str, str]:
    return {fault.field.removeprefix("attributes."): fault.code for fault in vertical.check(attributes)}


def test_education_trades_by_the_shipped_defaults() -> None:
    assert EDUCATION.min_price == Money(420, "EUR")
    assert (EDUCATION.window_hours, EDUCATION.decision_days, EDUCATION.dedupe_days) == (240, 5, 90)
    assert EDUCATION.consent.required and EDUCATION.share.new_publisher_bp == 7000
    assert "education" in shipped_slugs()


def test_education_accepts_the_contracts_attributes_and_requires_none() -> None:
    assert verdict(EDUCATION, course="business", occupation="student") == {}
    assert verdict(EDUCATION) == {}


def test_every_bad_attribute_is_named_at_once() -> None:
    vertical = Vertical.load(SMALL)
    assert verdict(vertical, count="3", ratio="1", agreed="yes", note="long", day="2026-02-30", other=1) == {
        "colour": "missing",
        "count": "wrong_type",
        "ratio": "wrong_type",
        "agreed": "wrong_type",
        "note": "too_long",
        "day": "not_a_date",
        "other": "unknown_attribute",
    }
    assert verdict(vertical, colour="blue", count=10, ratio=0.1, note=5, day="20260101") == {
        "colour": "unknown_value",
        "count": "out_of_range",
        "ratio": "out_of_range",
        "note": "wrong_type",
        "day": "not_a_date",
    }
    assert verdict(vertical, colour=5, count=True, ratio=False, agreed=1, day="2026-W01-1") == dict.fromkeys(
        ("colour", "count", "ratio", "agreed"), "wrong_type"
    ) | {"day": "not_a_date"}


def test_null_is_not_given_and_whole_floats_are_integers_as_in_json_schema() -> None:
    vertical = Vertical.load(SMALL)
    assert verdict(vertical, colour="red", count=None, day="2026-02-28") == {}
    assert verdict(vertical, colour=None) == {"colour": "missing"}
    assert verdict(vertical, colour="red", count=2.0) == {}
    assert verdict(vertical, colour="red", count=2.5) == {"count": "wrong_type"}


def test_an_unknown_value_is_told_the_allowed_ones() -> None:
    assert Vertical.load(SMALL).check({"colour": "blue"})[0].message == "Send one of: red, green."


def test_the_schema_says_what_the_check_does() -> None:
    schema = Vertical.load(SMALL).json_schema()
    assert schema["required"] == ["colour"] and schema["additionalProperties"] is False
    assert schema["properties"]["colour"] == {"title": "Colour", "type": "string", "enum": ["red", "green"]}
    assert schema["properties"]["count"] == {"title": "Count", "type": ["integer", "null"], "minimum": 1, "maximum": 9}
    assert schema["properties"]["day"]["format"] == "date"


def test_all_faults_of_a_definition_are_named_at_once() -> None:
    assert faults_of(
        SMALL
        | {
            "currency": "XTS",
            "example_region": "Paris",
            "share": {"buyers": 5, "buyers_ceiling": 2},
            "fields": [
                {"name": "a", "type": "enum", "label": "A"},
                {"name": "a", "type": "string", "label": "A", "values": ["x"], "min": 1},
                {"name": "b", "type": "integer", "label": "B", "min": 5, "max": 1, "max_length": 3},
                {"name": "c", "type": "enum", "label": "C", "values": ["x", "x"], "example": "y"},
            ],
        }
    ) == {
        "currency": "unknown_currency",
        "share.buyers": "above_ceiling",
        "example_region": "unknown_region",
        "fields.0.values": "values_missing",
        "fields.1.name": "duplicate_field",
        "fields.1.values": "values_not_allowed",
        "fields.1.min": "bounds_not_allowed",
        "fields.2.max": "bounds_reversed",
        "fields.2.max_length": "max_length_not_allowed",
        "fields.3.values": "duplicate_value",
        "fields.3.example": "example_refused",
    }
    assert faults_of({"slug": 5, "colour": 1})["colour"] == "unknown_field"
    assert faults_of(SMALL | {"min_price": {"amount": "1.001", "currency": "EUR"}}) == {
        "min_price.amount": "bad_amount"
    }
    assert faults_of(SMALL | {"min_price": {"amount": "-1", "currency": "EUR"}}) == {"min_price.amount": "negative"}
    assert faults_of(SMALL | {"min_price": {"amount": "1", "currency": "USD"}}) == {
        "min_price.currency": "wrong_currency"
    }


@pytest.mark.parametrize(
    "text", ["", "[1]", "a: [", "a: &x [*x]", "a: 2026-99-99", "a: !!python/name:os.system", "\0", "[" * 10_000]
)
def test_a_file_that_is_no_vertical_is_invalid(text: str) -> None:
    with pytest.raises(Invalid):
        Vertical.read(text)


def test_a_definition_survives_being_stored() -> None:
    again = Vertical.load(EDUCATION.as_mapping())
    assert again.definition == EDUCATION.definition


def test_the_example_is_a_submission_of_its_own_vertical_and_no_duplicate_of_another_moments() -> None:
    first, second = EDUCATION.example(AT), EDUCATION.example(AT + timedelta(milliseconds=1))
    assert EDUCATION.check(convert(first, Submission).attributes) == []
    assert first["contact"]["email"] != second["contact"]["email"]
    assert first["contact"]["phone"] != second["contact"]["phone"]
    small = Vertical.load(SMALL)
    assert small.check(small.example(AT)["attributes"]) == []


def test_regions_know_all_that_holds_them() -> None:
    assert parents_of("FR-75C") == ("FR-75C", "FR-IDF", "FR")
    assert parents_of("FR") == ("FR",)
    assert is_region("FR-IDF") and not is_region("Paris") and not is_region("fr") and not is_region("")
    assert region_of("FR-75C").parent == "FR-IDF" and region_of("FR").parent is None


def test_every_region_of_a_country_ends_in_it() -> None:
    for country in ("FR", "GB", "ES", "NL", "BE", "US", "IN", "AQ"):
        regions = regions_in(country)
        assert regions[0].code == country
        assert all(parents_of(region.code)[-1] == country == country_of(region.code) for region in regions)
    assert regions_in("XX") == []


scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()


@given(st.dictionaries(st.sampled_from(["colour", "count", "ratio", "agreed", "note", "day", "other"]), scalars))
def test_any_attributes_are_judged_without_a_crash(attributes: dict[str, Any]) -> None:
    assert ("other" in attributes) <= any(
        fault.code == "unknown_attribute" for fault in Vertical.load(SMALL).check(attributes)
    )
