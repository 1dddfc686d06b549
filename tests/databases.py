"""A database that many tests use one after another, with its connections: emptied after each, warm for the next.

A copy of the template has a thousand files, and each new connection learns the catalogue and compiles every function
anew; emptying takes a tenth of that. Whatever a test changes beyond rows (a function, a trigger, a setting, a table)
makes the database unfit: then the next test gets a new copy. So does every hundredth, since emptied tables grow.
"""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg
import pytest
from psycopg import sql

from core import db as core_db
from core.postgres import create_database, drop_database
from marketplace.audit import ALL_CHECKS

_Pool = core_db.Pool
LENT_AT_MOST = 100
DIFFERENCES_SHOWN = 20
Table = tuple[str, str]
USED = """
    SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = 'r' AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND pg_relation_size(c.oid) > 0
    ORDER BY 1, 2
"""
SEQUENCES = "SELECT schemaname, sequencename, last_value FROM pg_sequences ORDER BY 1, 2"
# Every row of the catalogue that a statement other than on rows would write: its version is its xmin.
SHAPE = """
    SELECT count(*), sum(oid::bigint), sum(version), (SELECT count(*) FROM pg_db_role_setting s WHERE s.setdatabase =
        (SELECT oid FROM pg_database WHERE datname = current_database()))
    FROM (SELECT oid, xmin::text::bigint AS version FROM pg_proc WHERE oid >= 16384
          UNION ALL SELECT oid, xmin::text::bigint FROM pg_trigger
          UNION ALL SELECT oid, xmin::text::bigint FROM pg_constraint WHERE oid >= 16384
          UNION ALL SELECT oid, xmin::text::bigint FROM pg_namespace WHERE nspname !~ '^pg_(toast_)?temp_'
          UNION ALL SELECT oid, 0 FROM pg_class WHERE oid >= 16384) AS known
"""
OTHERS = """
    SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> ALL (%s) AND backend_type = 'client backend'
"""
CLEAN = "RESET ALL; DISCARD TEMP; UNLISTEN *; SELECT pg_advisory_unlock_all()"
LOST = ("connections_lost", "connections_errors", "returns_bad")  # then a new one may just be under way
_numbers = itertools.count()


@dataclass
class Databases:
    """Gives out one database at a time on a server, each time as its template is."""

    server: str
    template: str
    url: str = ""
    pool: core_db.Pool | None = None
    own: psycopg.Connection[Any] | None = None
    lent: int = 0
    shape: Any = None
    sequences: dict[Table, int | None] = field(default_factory=dict)
    rows: dict[Table, list[bytes]] = field(default_factory=dict)
    versions: dict[Table, Any] = field(default_factory=dict)

    def lend(self) -> str:
        """Return the URL of a database that is as the template."""
        self.lent += 1
        if not self.url:
            self.url = create_database(self.server, f"test_{next(_numbers)}", self.template)
            with self._connection() as connection:
                self._remember(connection)
        return self.url

    def differences(self) -> dict[str, list[Any]]:
        """Audit the books: ask every check in one go, on a connection that has planned them, and return what differs."""
        with self._connection() as own, own.pipeline():
            asked = {check.name: own.execute(check.query.replace(r"\:", ":").encode()) for check in ALL_CHECKS}
            found = {name: cursor.fetchmany(DIFFERENCES_SHOWN) for name, cursor in asked.items()}
        return {name: rows for name, rows in found.items() if rows}

    @contextmanager
    def pooled(self) -> Iterator[None]:
        """Have the application that is made inside take the connections of those before it."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(core_db, "Pool", self._kept_pool)
            yield

    def take_back(self) -> None:
        """Empty what was lent, or drop it when rows are not all that changed, or somebody still uses it."""
        if self._is_at_rest() and self.lent < LENT_AT_MOST:
            with self._connection() as connection:
                if self._is_shaped(connection):
                    self._restore(connection)
                    return
        self.drop()

    def drop(self) -> None:
        """Drop the database, if there is one."""
        if self.pool is not None and not self.pool.closed:
            self.pool.close()
        if self.own is not None:
            self.own.close()
        if self.url:
            drop_database(self.server, self.url.rpartition("/")[2])
        self.url, self.pool, self.own, self.lent = "", None, None, 0

    @contextmanager
    def _connection(self) -> Iterator[psycopg.Connection[Any]]:
        """Open a transaction on a connection of our own, a new one when a test ended it."""
        if self.own is not None:
            try:
                self.own.execute("SELECT")
                self.own.rollback()
            except psycopg.OperationalError:
                self.own.close()
                self.own = None
        self.own = self.own or psycopg.connect(self.url, prepare_threshold=0)
        with self.own.transaction():
            yield self.own

    def _kept_pool(self, url: str, **options: Any) -> core_db.Pool:
        assert url == self.url, "only an application on the lent database takes the kept connections"
        if self.pool is None or self.pool.closed:
            self.pool = _Pool(url, **options)
        return self.pool

    def _is_at_rest(self) -> bool:
        """Tell whether every connection of the kept pool came back, and clean them of what a test set."""
        if self.pool is None or self.pool.closed:
            return True
        self.pool.let_go()
        stats = self.pool.pop_stats()
        if stats.get("pool_available", 0) != stats.get("pool_size", 0) or any(map(stats.get, LOST)):
            return False
        held = [self.pool.getconn() for _ in range(stats["pool_size"])]
        for connection in held:
            connection.autocommit = True
            connection.execute(CLEAN)
            self.pool.putconn(connection)
        return True

    def _is_shaped(self, connection: psycopg.Connection[Any]) -> bool:
        kept = [one.info.backend_pid for one in self.pool._pool] if self.pool else []
        connection.execute(OTHERS, ([*kept, connection.info.backend_pid],))
        return bool(connection.execute(SHAPE).fetchone() == self.shape)

    def _remember(self, connection: psycopg.Connection[Any]) -> None:
        self.shape = connection.execute(SHAPE).fetchone()
        self.sequences = {(schema, name): last for schema, name, last in connection.execute(SEQUENCES)}
        self.rows = {(schema, name): _rows_of(connection, (schema, name))
                     for schema, name in connection.execute(USED).fetchall()}  # fmt: skip
        self.versions = _versions(connection, [*self.rows])

    def _restore(self, connection: psycopg.Connection[Any]) -> None:
        connection.execute("SET LOCAL session_replication_role = replica")  # no trigger, no check of a foreign key
        used = connection.execute(USED).fetchall()
        now = _versions(connection, [*self.rows])
        changed = [table for table in self.rows if now[table] != self.versions[table]]
        emptied = [sql.Identifier(*table) for table in used if table not in self.rows or table in changed]
        if emptied:
            deletes = sql.SQL("; ").join(sql.SQL("DELETE FROM {}").format(table) for table in emptied)
            connection.execute(deletes, prepare=False)
        for table in changed:
            with connection.cursor().copy(sql.SQL("COPY {} FROM STDIN").format(sql.Identifier(*table))) as copy:
                for row in self.rows[table]:
                    copy.write(row)
        self.versions |= _versions(connection, changed) if changed else {}
        for schema, name, last in connection.execute(SEQUENCES).fetchall():
            kept = self.sequences[schema, name]
            if last != kept:
                values = (sql.Identifier(schema, name).as_string(), kept or 1, kept is not None)
                connection.execute("SELECT setval(%s, %s, %s)", values)


def _rows_of(connection: psycopg.Connection[Any], table: Table) -> list[bytes]:
    with connection.cursor().copy(sql.SQL("COPY {} TO STDOUT").format(sql.Identifier(*table))) as copy:
        return [bytes(row) for row in copy]


def _versions(connection: psycopg.Connection[Any], tables: list[Table]) -> dict[Table, Any]:
    """Return what changes whenever a row of a table does: how many rows there are, and of which transactions."""
    one = "SELECT {} AS a, {} AS b, count(*), sum(xmin::text::bigint) FROM {}"
    asked = [sql.SQL(one).format(*table, sql.Identifier(*table)) for table in tables]
    rows = connection.execute(sql.SQL(" UNION ALL ").join(asked)).fetchall()
    return {(schema, name): rest for schema, name, *rest in rows}
