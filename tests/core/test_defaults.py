"""The table of defaults is checked as a whole, and whoever narrows a setting never loosens it."""

import itertools
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from core.defaults import (
    Default,
    DefaultsLoader,
    default,
    defaults,
    faults_in_said,
    filled,
    limits,
    read_table,
    setting,
)
from core.errors import Invalid

ROWS = list(defaults().rows())
NUMBERS = [row for row in ROWS if isinstance(row.value, int)]
BASE: dict[str, Any] = {"key": "a.b", "value": 5, "unit": "days", "says": "What it says.", "source": "judgement"}


def faults_of(*rows: dict[str, Any]) -> dict[str, str]:
    text = yaml.safe_dump({"sections": [{"title": "Title", "settings": list(rows)}]})
    with pytest.raises(Invalid) as refusal:
        read_table(text)
    return {fault.field: fault.code for fault in refusal.value.faults}


def test_every_fault_of_a_table_is_named_at_once() -> None:
    assert faults_of(
        BASE | {"limits": [9, 1], "key": "a.c"},
        BASE | {"limits": [6, 9]},
        BASE | {"limits": [1, 9]},
        BASE | {"key": "a.d", "order": True},
        BASE | {"key": "a.e", "unit": "switch"},
    ) == {
        "a.c.limits": "bounds_reversed",
        "a.c.value": "out_of_range",
        "a.b.value": "out_of_range",
        "a.b": "duplicate_field",
        "a.d.looser": "direction_missing",
        "a.e.unit": "wrong_type",
    }
    assert list(faults_of(BASE | {"colour": 1}).values()) == ["unknown_field"]
    with pytest.raises(Invalid):
        read_table("[")


def test_a_key_that_nobody_defined_ends_the_program_at_its_start() -> None:
    with pytest.raises(KeyError):
        default("no.such")
    with pytest.raises(KeyError):
        setting("no.such")
    with pytest.raises(KeyError):
        limits("replacement.enabled")
    with pytest.raises(yaml.YAMLError):
        yaml.load("x: !default no.such", DefaultsLoader)


def test_a_default_is_read_into_other_data() -> None:
    written = yaml.load("x: [!default dispute.hearing_hours, 1]", DefaultsLoader)
    assert filled(written) == {"x": [48, 1]}
    assert filled(written, {"dispute.hearing_hours": 24}.__getitem__) == {"x": [24, 1]}


def test_who_may_say_nothing_changes_nothing_and_is_told() -> None:
    assert setting("tier.new.share_bp", {"tier.new.share_bp": 9000}) == 7000
    assert [fault.code for fault in faults_in_said("vertical", {"tier.new.share_bp": 9000})] == ["not_settable_here"]
    assert [fault.code for fault in faults_in_said("order", {"no.such": 1})] == ["unknown_setting"]


def test_an_order_is_judged_by_what_stands_above_it() -> None:
    key = "dispute.mistyped.window_hours"
    assert setting(key, {key: 60}, {key: 50}, {key: 55}) == 50
    assert setting(key, {key: 60}, {}, {key: 48}) == 48
    [fault] = faults_in_said("order", {key: 55}, {key: 50})
    assert (fault.code, fault.message[:14]) == ("setting_loosened", "Send at most 5")


def test_a_verticals_file_is_the_operators_and_moves_within_the_limits_only() -> None:
    assert setting("window.hours", {"window.hours": 336}) == 336
    assert setting("window.hours", {"window.hours": 721}) == 168
    assert setting("window.hours", {"window.hours": 336}, {}, {"window.hours": 400}) == 336
    assert setting("window.hours", {"window.hours": True}) == 168


values = st.integers(-1, 20_000) | st.booleans()


@given(st.sampled_from(NUMBERS), values, values, values)
def test_no_level_ever_loosens_what_stands_above_it(row: Default, vertical: Any, country: Any, order: Any) -> None:
    said = ({row.key: vertical}, {row.key: country}, {row.key: order})
    held: list[Any] = [row.value, *(setting(row.key, *said[: place + 1]) for place in range(3))]
    steps = list(itertools.pairwise(held))
    judged = steps[1:] if row.vertical == "within_limits" else steps
    for above, below in judged:
        assert type(below) is type(row.value)
        assert below <= above if row.looser == "more" else below >= above if row.looser == "less" else below == above
    if row.limits:
        assert all(row.limits[0] <= value <= row.limits[1] for value in held)
    if row.vertical == "no":
        assert held[1] == row.value


@given(st.sampled_from(NUMBERS), values)
def test_what_is_refused_is_what_changes_nothing(row: Default, value: Any) -> None:
    for place, level in enumerate(("vertical", "country", "order")):
        said = [{}, {}, {}]
        said[place] = {row.key: value}
        taken = setting(row.key, *said) == value and type(value) is type(row.value)
        assert taken or faults_in_said(level, {row.key: value})


def test_every_setting_says_where_it_comes_from() -> None:
    assert len(ROWS) > 100
    assert [row.key for row in ROWS if not row.source or not row.says.endswith(".")] == []
