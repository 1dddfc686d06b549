"""How a command gets its application: the database opened, migrated, and one context around the work."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any, TypeVar

import click

from core.config import Settings
from core.db import migrate, pool_of
from core.postgres import open_database
from marketplace.app import create_app
from marketplace.cli.settings import read_settings

T = TypeVar("T")


@contextmanager
def running_app(settings: Settings | None = None) -> Iterator[None]:
    """Open the database, bring it up to date, and enter an application's context for as long as it is needed."""
    settings = settings or read_settings()
    with open_database(settings) as database:
        app = create_app(settings, database.url)
        try:
            with app.app_context():
                migrate()
                yield
        finally:
            pool_of(app).close()


def with_app(command: Callable[..., T]) -> Callable[..., T]:
    """Run a command inside `running_app`."""

    @wraps(command)
    def run(*arguments: Any, **options: Any) -> T:
        with running_app():
            return command(*arguments, **options)

    return run


def print_json(document: Any) -> None:
    """Print the one JSON document of a command on stdout."""
    click.echo(json.dumps(document, ensure_ascii=False))
