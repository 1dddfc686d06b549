"""The migrations, run from empty, make what the models describe."""

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from flask import Flask

from core.db import Model, db
from tests.house.tree import FLOORS

QUEUE = "procrastinate_"  # the job queue's own tables, made by its package


def test_the_migrated_database_is_what_the_models_say(app: Flask) -> None:
    with db.engine.connect() as connection:
        options = {"include_schemas": True, "include_object": _is_ours, "compare_type": True}
        found = compare_metadata(MigrationContext.configure(connection, opts=options), db.metadata)

    assert found == []


def test_every_floor_has_models_in_its_own_schema(app: Flask) -> None:
    assert {table.schema for table in db.metadata.tables.values()} == set(FLOORS)
    strangers = [
        mapper.class_.__name__
        for mapper in Model.registry.mappers
        if mapper.class_.__module__.split(".")[0] != mapper.local_table.schema
    ]
    assert strangers == []


def _is_ours(_object: object, name: str | None, kind: str, _reflected: bool, _compare_to: object) -> bool:
    return not (kind == "table" and (name or "").startswith((QUEUE, "alembic_version")))
