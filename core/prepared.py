"""One statement of the hot path, prepared once a connection and sent with its values as PostgreSQL reads them.

The driver's own way looks at every value's type, builds a cursor and waits in Python: for a statement with dozens of
values, called thousands of times a second, that took longer than anything else before the database.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from operator import attrgetter
from typing import Any
from uuid import UUID

import psycopg
from psycopg import errors, pq

_NO_SUCH_STATEMENT = "26000"
_TEXT, _BINARY = 0, 1
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)  # PostgreSQL counts microseconds from here


class PreparedStatement:
    """A statement with $1, $2 ... whose values' types PostgreSQL infers, and which gives rows."""

    def __init__(self, name: str, statement: str) -> None:
        self._name = name.encode()
        self._statement = statement.encode()

    def value(self, connection: psycopg.Connection[Any], values: Sequence[object]) -> bytes | None:
        """Run it on a connection in autocommit and return the first value of its row as text; None for NULL.

        psycopg.Error as the driver would raise it. The interpreter is free for other threads meanwhile.
        """
        return self._run(connection, values).get_value(0, 0)

    def rows(self, connection: psycopg.Connection[Any], values: Sequence[object]) -> list[tuple[bytes | None, ...]]:
        """Run it as `value` does and return all of its rows."""
        result = self._run(connection, values)
        columns = range(result.nfields)
        return [tuple(result.get_value(row, column) for column in columns) for row in range(result.ntuples)]

    def _run(self, connection: psycopg.Connection[Any], values: Sequence[object]) -> pq.abc.PGresult:
        written = [_WRITERS.get(type(value), _write_any)(value) for value in values]
        formats = [_FORMATS.get(type(value), _TEXT) for value in values]
        if self._name not in _prepared_on(connection):
            self._prepare(connection)
        result = self._execute(connection, written, formats)
        if _sqlstate(result) == _NO_SUCH_STATEMENT:  # the driver deallocates all after a rollback
            self._prepare(connection)
            result = self._execute(connection, written, formats)
        if result.status != pq.ExecStatus.TUPLES_OK:
            raise _error_of(connection, result)
        return result

    def _execute(
        self, connection: psycopg.Connection[Any], written: list[bytes | None], formats: list[int]
    ) -> pq.abc.PGresult:
        # None is NULL, which the driver's annotation leaves out.
        return connection.pgconn.exec_prepared(self._name, written, formats)  # type: ignore[arg-type]

    def _prepare(self, connection: psycopg.Connection[Any]) -> None:
        result = connection.pgconn.prepare(self._name, self._statement)
        if result.status != pq.ExecStatus.COMMAND_OK:
            raise _error_of(connection, result)
        _prepared_on(connection).add(self._name)


def _prepared_on(connection: psycopg.Connection[Any]) -> set[bytes]:
    """Return the names of what was prepared on a connection, kept with it."""
    names: set[bytes] = connection.__dict__.setdefault("prepared_statements", set())
    return names


def write(value: object) -> bytes | None:
    """Write a value as PostgreSQL reads it: bytes, UUIDs and instants in its binary form, which it need not parse, all
    else as text; DataError for a NUL in a text.

    Knows None, text, whole numbers, booleans, bytes, UUIDs, instants and lists of these.
    """
    return _WRITERS.get(type(value), _write_any)(value)


def _write_any(value: object) -> bytes:
    return str(value).encode()


def _same(value: Any) -> Any:
    return value


def _write_text(text: str) -> bytes:
    if "\0" in text:
        raise psycopg.DataError("PostgreSQL text cannot hold a NUL character")
    return text.encode()


def write_instant(at: datetime) -> bytes:
    """Write an instant in PostgreSQL's binary form: microseconds since 2000."""
    since = at - _EPOCH
    return ((since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds).to_bytes(8, "big", signed=True)


def _write_list(items: list[Any]) -> bytes:
    return _write_text(f"{{{','.join(map(_item, items))}}}")


def _item(value: object) -> str:
    """Write an item of an array; what is no number or id is quoted."""
    if isinstance(value, int | UUID):
        return str(value)
    if isinstance(value, bytes):
        return f'"\\\\x{value.hex()}"'
    quoted = str(value).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{quoted}"'


# By the exact type, since this is asked forty times a lead.
_WRITERS: dict[type, Callable[[Any], bytes | None]] = {
    type(None): _same,
    bytes: _same,
    str: _write_text,
    list: _write_list,
    UUID: attrgetter("bytes"),
    datetime: write_instant,
    int: b"%d".__mod__,
    bool: {True: b"t", False: b"f"}.__getitem__,
}
_FORMATS = {bytes: _BINARY, UUID: _BINARY, datetime: _BINARY}


def _sqlstate(result: pq.abc.PGresult) -> str | None:
    code = result.error_field(pq.DiagnosticField.SQLSTATE) if result.status == pq.ExecStatus.FATAL_ERROR else None
    return code.decode() if code else None


def _error_of(connection: psycopg.Connection[Any], result: pq.abc.PGresult) -> psycopg.Error:
    if connection.pgconn.status == pq.ConnStatus.BAD and _sqlstate(result) is None:
        return psycopg.OperationalError(connection.pgconn.get_error_message())
    return errors.error_from_result(result)
