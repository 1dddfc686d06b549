"""Arrays of a composite type of the database, written as PostgreSQL reads them: in binary, so that nothing is parsed.

The driver writes such values as well, at a hundred times the cost; this is for the hot path.
"""

from collections.abc import Callable, Sequence
from struct import Struct
from typing import Any

import psycopg

from core.prepared import PreparedStatement, write_instant

_LENGTH = Struct(">i").pack
_INTEGER = Struct(">ii").pack
_BIGINT = Struct(">iq").pack
_ARRAY = Struct(">iiiii").pack  # dimensions, whether there are NULLs, the items' type, how many, the first one's number
_NULL = b"\xff\xff\xff\xff"


class Composite:
    """A composite type of the database by its name and the types of its attributes, in order."""

    def __init__(self, name: str, types: Sequence[str]) -> None:
        self._type_of = PreparedStatement(f"type of {name}", f"SELECT '{name}'::regtype::oid")
        self._heads = [_LENGTH(_OIDS[kind]) for kind in types]
        self._writers = [_WRITERS[kind] for kind in types]
        self._begin = _LENGTH(len(types))

    def write(self, values: Sequence[Any]) -> bytes:
        """Write one item of an array; its values are of the attributes' types, or None."""
        parts = [self._begin]
        for head, writer, value in zip(self._heads, self._writers, values, strict=True):
            parts.append(head)
            parts.append(_NULL if value is None else writer(value))
        return _sized(b"".join(parts))

    def array(self, connection: psycopg.Connection[Any], items: Sequence[bytes]) -> bytes:
        """Put written items together to an array; its connection knows the type's number."""
        known: dict[PreparedStatement, int] = connection.__dict__.setdefault("composite_types", {})
        if self._type_of not in known:
            known[self._type_of] = int(self._type_of.value(connection, ()) or b"0")
        return _ARRAY(1, 0, known[self._type_of], len(items), 1) + b"".join(items)


def _sized(value: bytes) -> bytes:
    return _LENGTH(len(value)) + value


def _array_of(kind: str) -> Callable[[Sequence[Any]], bytes]:
    """Return what writes an array of this type without NULLs in it."""
    writer, oid = _WRITERS[kind], _OIDS[kind]
    return lambda items: _sized(_ARRAY(1, 0, oid, len(items), 1) + b"".join(map(writer, items)))


_OIDS = {
    "boolean": 16, "bytea": 17, "bigint": 20, "integer": 23, "text": 25, "bytea[]": 1001, "bigint[]": 1016,
    "timestamptz": 1184, "uuid": 2950, "jsonb": 3802,
}  # fmt: skip
_WRITERS: dict[str, Callable[[Any], bytes]] = {
    "boolean": {True: b"\0\0\0\1\1", False: b"\0\0\0\1\0"}.__getitem__,
    "bytea": _sized,
    "bigint": lambda number: _BIGINT(8, number),
    "integer": lambda number: _INTEGER(4, number),
    "text": lambda text: _sized(text.encode()),
    "timestamptz": lambda at: _sized(write_instant(at)),
    "uuid": lambda value: b"\0\0\0\x10" + value.bytes,
    "jsonb": lambda text: _sized(b"\1" + text.encode()),  # the form's version
}
_WRITERS["bytea[]"], _WRITERS["bigint[]"] = _array_of("bytea"), _array_of("bigint")
