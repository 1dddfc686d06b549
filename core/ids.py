"""Identifiers: UUIDv7 inside (RFC 9562 section 5.7), TypeID text outside (`lead_01h455vb4pex5vsknk084sn02q`)."""

import time
from datetime import datetime
from uuid import UUID

from core.entropy import random_bytes
from core.errors import NotFound

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32, as TypeID uses it
_VALUE_OF = {letter: value for value, letter in enumerate(_ALPHABET)}
_TEXT_LENGTH = 26
_PAIRS = [first + second for first in _ALPHABET for second in _ALPHABET]
_SHIFTS = range(120, -1, -10)


def new_id() -> UUID:
    """Make an id that sorts by the real time at which it was made."""
    milliseconds = time.time_ns() // 1_000_000
    random_bits = int.from_bytes(random_bytes(10), "big")
    value = (milliseconds & ((1 << 48) - 1)) << 80
    value |= 0x7 << 76 | (random_bits >> 68) << 64
    value |= 0b10 << 62 | random_bits & ((1 << 62) - 1)
    return UUID(int=value)


def first_id_at(instant: datetime) -> UUID:
    """Return the id below which all ids are that were made before this real instant."""
    return UUID(int=int(instant.timestamp() * 1000) << 80)


def show_id(prefix: str, value: UUID) -> str:
    """Write an id for the outside: its prefix, an underscore, 26 letters."""
    return _written(prefix, value.int)


def show_id_text(prefix: str, text: str) -> str:
    """Write an id for the outside that is known as PostgreSQL writes a UUID; as `show_id`."""
    return _written(prefix, int(text.replace("-", ""), 16))


def _written(prefix: str, number: int) -> str:
    return prefix + "_" + "".join([_PAIRS[number >> shift & 1023] for shift in _SHIFTS])


def parse_id(prefix: str, text: str) -> UUID:
    """Read an id from the outside; one that cannot exist is NotFound, as a missing row would be."""
    head, _, tail = text.rpartition("_")
    number = 0
    if head != prefix or len(tail) != _TEXT_LENGTH:
        raise NotFound(detail=f"There is no {prefix} with this id.")
    for letter in tail:
        if letter not in _VALUE_OF:
            raise NotFound(detail=f"There is no {prefix} with this id.")
        number = number << 5 | _VALUE_OF[letter]
    if number >> 128:
        raise NotFound(detail=f"There is no {prefix} with this id.")
    return UUID(int=number)
