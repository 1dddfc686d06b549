"""The platform's own money: booked once per key, never less than something, and counted to what there is to pay with."""

import pytest

from billing import put_in_funds
from core.db import transaction
from core.errors import Invalid
from core.money import Money
from tests.billing.conftest import NOON


def test_own_funds_are_booked_once_per_key_and_make_the_platform_solvent(books, app) -> None:
    for state in ("committed", "repeated"):
        with transaction():
            assert put_in_funds(Money(10_000, "EUR"), "first", "to begin with", "tester", NOON).state == state

    figure = next(figure for figure in books.audit().figures if figure.name == "solvency")
    assert figure.value == {"EUR": 10_000} and not figure.warns


def test_own_funds_of_nothing_are_refused(app) -> None:
    with pytest.raises(Invalid), transaction():
        put_in_funds(Money(0, "EUR"), "none", "why", "tester", NOON)
