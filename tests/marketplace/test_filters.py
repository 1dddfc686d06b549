"""Conditions on the fields of a lead, and expressions that cannot hang."""

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marketplace.orders.filters import Filter, all_of, compile_filter, explain, lead_fields, paths_of
from marketplace.orders.patterns import Pattern


def holds(op: str, wanted: Any, *value: Any) -> bool:
    return compile_filter(Filter("x", op, wanted))({"x": value[0]} if value else {})


@pytest.mark.parametrize(
    ("op", "wanted", "value", "expected"),
    [
        ("eq", "Student", "sTUDENT", True),
        ("eq", 5, 5.0, True),
        ("eq", "5", 5, False),
        ("eq", 1, True, False),
        ("eq", True, True, True),
        ("ne", "a", "b", True),
        ("in", ["a", 2], 2, True),
        ("in", ["a", 2], "b", False),
        ("not_in", ["a"], "A", False),
        ("gt", 5, 5, False),
        ("gte", 5, 5, True),
        ("lt", 5, 4.5, True),
        ("lte", 5, 6, False),
        ("gt", 5, "6", False),
        ("lt", 5, True, False),
        ("gt", "2026-01-01", "2026-02-01", True),
        ("between", [18, 25], 25, True),
        ("between", [18, 25], 26, False),
        ("between", ["75000", "75999"], "75011", True),
        ("exists", True, 0, True),
        ("exists", None, False, True),
        ("exists", False, "x", False),
        ("matches", "^75", "75011", True),
        ("matches", "^75", "13750", False),
        ("matches", "^75", 75011, False),
        ("eq", "a", ["b", "a"], True),
        ("ne", "a", ["b", "a"], False),
        ("gt", 5, [1, 6], True),
        ("eq", "a", {"a": 1}, False),
    ],
)
def test_conditions(op: str, wanted: Any, value: Any, expected: bool) -> None:
    assert holds(op, wanted, value) is expected


@pytest.mark.parametrize("missing", [(), (None,), ("",), ([],)])
def test_a_missing_field_satisfies_only_the_negations_and_exists_false(missing: tuple[Any, ...]) -> None:
    wanted = {"in": ["a"], "not_in": ["a"], "between": [1, 2], "exists": False, "matches": ".*"}
    satisfied = {op for op in ("eq", "ne", "in", "not_in", "gt", "gte", "lt", "lte", "between", "exists", "matches")
                 if holds(op, wanted.get(op, "a"), *missing)}  # fmt: skip
    assert satisfied == {"ne", "not_in", "exists"}
    assert not holds("exists", True, *missing)


def test_all_conditions_of_an_order_must_hold() -> None:
    both = all_of([compile_filter(Filter("a", "eq", 1)), compile_filter(Filter("b", "eq", 2))])
    assert both is not None and both({"a": 1, "b": 2}) and not both({"a": 1})
    assert all_of([]) is None


def test_a_region_matches_through_what_holds_it() -> None:
    fields = lead_fields(regions=("FR-75C", "FR-IDF", "FR"), channel=None, interest=None, score=1, temperature="hot",
                         contact_class="quick", contact={}, attributes={}, source_name=None, subs={})  # fmt: skip
    assert compile_filter(Filter("region", "eq", "FR-IDF"))(fields)
    assert not compile_filter(Filter("region", "not_in", ["FR"]))(fields)


def test_orders_never_see_who_the_person_is() -> None:
    fields = lead_fields(regions=("FR",), channel="search", interest=None, score=1, temperature="hot",
                         contact_class="quick", contact={"email": "ada@example.com", "city": "Paris", "phone": None},
                         attributes={"a": 1}, source_name="default", subs={"1": "s"})  # fmt: skip
    assert fields["contact.email"] is True and fields["contact.city"] == "Paris" and "contact.phone" not in fields
    assert set(fields) <= paths_of(["a"])


def test_a_reason_names_what_was_found_and_what_was_asked() -> None:
    assert explain(Filter("a", "between", [1, 2]), {}) == "a is missing; the order asks for between 1 and 2."
    assert explain(Filter("a", "ne", "b"), {"a": "B"}) == 'a is "B"; the order asks for anything but "b".'


@pytest.mark.parametrize("text", ["(", "a)", "*a", "[a", "a{x}", r"\1", "(?=a)", "a**", "a" * 201,
                                  "((a{50}){50}){50}", "\\", "a{5,2}", "[z-a]", "a{999}", "(" * 30])  # fmt: skip
def test_an_expression_that_is_not_understood_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"[a-z]{4}"):
        Pattern(text)


@pytest.mark.parametrize("text", ["(a+)+$", "(a|a)*b", "(.*)*x", "(a|b|ab)*c", "a{0,40}a{0,40}a{0,40}b"])
def test_expressions_that_hang_a_backtracking_matcher_end(text: str) -> None:
    assert not Pattern(text).found_in("a" * 499 + "!")


def test_only_the_first_500_characters_are_read() -> None:
    assert not Pattern("b").found_in("a" * 500 + "b")


atoms = st.sampled_from(["a", "b", "C", ".", "[ab]", "[^a]", "[A-B1-3]", r"\d", r"\W", "^", "$", r"\."])
expressions = st.recursive(
    atoms,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map("".join),
        st.tuples(inner, inner).map("|".join),
        st.tuples(inner.map("(?:{})".format), st.sampled_from(["*", "+", "?", "{2}", "{1,2}", "{0,}", "*?"])).map(
            "".join
        ),
    ),
    max_leaves=8,
)


@settings(max_examples=300)
@given(expressions.filter(lambda text: len(text) <= 200), st.text("abcABC12._", max_size=6))
def test_expressions_mean_what_they_mean_in_python(expression: str, text: str) -> None:
    expected = re.search(expression.replace("$", r"\Z"), text, re.IGNORECASE) is not None
    assert Pattern(expression).found_in(text) is expected
