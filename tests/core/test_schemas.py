"""Documents are read strictly, and a refused one has every bad field named."""

import json
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import Malformed
from core.money import Money
from core.schemas import MAX_FAULTS, Amount, Whole, convert, decode, openapi_of


class Inner(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    email: Annotated[str, msgspec.Meta(max_length=5)] | None = None
    colour: Literal["red", "green"] = "red"
    counts: tuple[Whole, ...] = ()


class Shape(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    name: str
    inner: Inner = Inner()
    loose: dict[str, None | bool | Whole | float | str] = {}
    at: Annotated[datetime, msgspec.Meta(tz=True)] | None = None
    price: Amount | None = None


class Priced(msgspec.Struct):
    price: Money


def faults_of(document: Any, shape: Any = Shape) -> dict[str, str]:
    raw = document if isinstance(document, bytes) else json.dumps(document).encode()
    with pytest.raises(Malformed) as refusal:
        decode(raw, shape)
    assert all(fault.message.endswith((".", "}")) for fault in refusal.value.faults)
    return {fault.field: fault.code for fault in refusal.value.faults}


def test_a_fitting_document_is_read() -> None:
    shape = decode(b'{"name":"a","at":"2026-11-22T10:00:00Z","inner":{"counts":[1]},"loose":{"x":1.5}}', Shape)
    assert shape == Shape(
        name="a", at=datetime(2026, 11, 22, 10, tzinfo=UTC), inner=Inner(counts=(1,)), loose={"x": 1.5}
    )


def test_all_bad_fields_are_named_at_once() -> None:
    assert faults_of(
        {
            "inner": {"email": "123456", "colour": "blue", "counts": [1, "2", 2**64], "other": 1},
            "loose": {"list": [1], "nul": "a\0b", "nul\0": 1},
            "at": "2026-11-22T10:00:00",
            "price": {"amount": 5, "currency": "eur"},
        }
    ) == {
        "name": "missing",
        "inner.email": "too_long",
        "inner.colour": "not_allowed_value",
        "inner.counts.1": "wrong_type",
        "inner.counts.2": "out_of_range",
        "inner.other": "unknown_field",
        "loose.list": "wrong_type",
        "loose.nul": "nul_character",
        "loose.nul\\u0000": "nul_character",
        "at": "not_an_instant",
        "price.amount": "wrong_type",
        "price.currency": "bad_format",
    }


def test_a_refused_value_is_told_the_allowed_ones() -> None:
    with pytest.raises(Malformed) as refusal:
        decode(b'{"name":"a","inner":{"colour":"blue"}}', Shape)
    assert refusal.value.faults[0].message == "Send one of: red, green."


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"{}x",
        b'{"name":NaN}',
        b'{"name":"a","loose":{"x":Infinity}}',
        b'{"name":"\xff"}',
        b'{"name":"\\ud800"}',
        b'{"name":5,"loose":{"x":"\\udc00"}}',
        b'\xef\xbb\xbf{"name":"a"}',
        b'{"name":"\x00"}',
        b'{"name":5,',
        b"[" * 100_000,
        b'{"name":5,"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    ],
)
def test_what_is_not_json_is_called_so(raw: bytes) -> None:
    with pytest.raises(Malformed) as refusal:
        decode(raw, Shape)
    assert refusal.value.code == "not_json" and refusal.value.faults


@pytest.mark.parametrize("digits", ["9" * 19 + "9", "-" + "9" * 30, "1" + "0" * 6000, "1e400"])
def test_numbers_that_nothing_could_store_are_named(digits: str) -> None:
    assert faults_of(b'{"name":"a","loose":{"x":%s}}' % digits.encode()) == {"loose.x": "out_of_range"}
    assert faults_of(b'{"x":[%s]}' % digits.encode(), dict[str, Any]) == {"x.0": "out_of_range"}


def test_nul_characters_are_found_where_anything_is_allowed_and_escapes_are_not_mistaken_for_them() -> None:
    assert faults_of({"x": [{"y\0": "\0"}]}, Any) == {"x.0.y\\u0000": "nul_character"}
    assert faults_of({"name": "a\0"}) == {"name": "nul_character"}
    assert faults_of({"name": "a", "loose": {"\0": 1}}) == {"loose.\\u0000": "nul_character"}
    assert decode(b'{"name":"\\\\u0000"}', Shape).name == "\\u0000"


@pytest.mark.parametrize("amount", ["1e5", "1,5", "5.", ".5", "5\n", " 5", "+5", "٥", ""])
def test_amounts_are_plain_decimal_text(amount: str) -> None:
    assert faults_of({"name": "a", "price": {"amount": amount, "currency": "EUR"}}) == {"price.amount": "bad_format"}


def test_an_answer_does_not_grow_with_the_nonsense_that_was_sent() -> None:
    assert len(faults_of({"name": "a", **{f"x{number}": 1 for number in range(10_000)}})) == MAX_FAULTS
    assert max(map(len, faults_of({"name": "a", "x" * 100_000: 1}))) == 100


def test_plain_values_are_read_like_documents() -> None:
    assert convert({"name": "a"}, Shape) == Shape(name="a")
    for document in ({"name": 5}, {"name": "\0"}, {1: 2}, {"name": "a", "loose": {"x": float("nan")}}, None):
        with pytest.raises(Malformed):
            convert(document, Shape)


def test_money_is_described_as_it_travels() -> None:
    components = openapi_of([Priced, Shape])
    assert set(components) == {"Priced", "Shape", "Inner", "Amount", "Money"}
    assert set(components["Money"]["properties"]) == {"amount", "currency"}
    assert components["Shape"]["properties"]["inner"]["$ref"] == "#/components/schemas/Inner"


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda parts: st.lists(parts, max_size=3) | st.dictionaries(st.text(max_size=5), parts, max_size=3),
)
near_misses = st.dictionaries(
    st.sampled_from(["name", "inner", "loose", "at", "price", "email", "colour", "counts", "amount", "currency"]),
    anything | st.dictionaries(st.sampled_from(["email", "colour", "counts", "amount", "currency"]), anything),
)


@given(anything | near_misses)
def test_any_document_is_either_read_or_refused_with_a_fault(document: Any) -> None:
    try:
        shape = decode(json.dumps(document).encode(), Shape)
    except Malformed as refusal:
        assert 1 <= len(refusal.faults) <= MAX_FAULTS
        with pytest.raises(Malformed):
            convert(document, Shape)
    else:
        assert convert(document, Shape) == shape


@given(st.binary(max_size=64))
def test_any_bytes_are_either_read_or_refused_with_a_fault(raw: bytes) -> None:
    for shape in (Shape, Any):
        try:
            decode(raw, shape)
        except Malformed as refusal:
            assert refusal.faults
