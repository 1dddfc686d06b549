"""Limits of every kind under races: the rounds that `leadbourse bench races` holds, three of them."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from benchmarks.stage.races import race
from core.config import Settings
from core.db import pool_of
from marketplace.app import create_app
from tests.at_once import no_deadlocks
from tests.conftest import SetClock


@pytest.fixture
def other_app(app: Flask, database_url: str, clock: SetClock, tmp_path: Path) -> Iterator[Flask]:
    """A second application on the same database, with order books and a memory of its own."""
    made = create_app(Settings(data_folder=tmp_path, database_url=database_url, pool_size=20), database_url, clock)
    yield made
    pool_of(made).close()


@pytest.mark.parametrize("number", [11, 12, 13])
def test_of_500_leads_at_once_as_many_are_sold_as_all_limits_together_allow(
    app: Flask, other_app: Flask, clock: SetClock, database_url: str, number: int
) -> None:
    with no_deadlocks(database_url, app, other_app):
        found = race([app, other_app], number, clock.instant)
    assert found.breaches == []
    assert sum(found.leads.values()) == 500 and found.leads["sold"] > 50
