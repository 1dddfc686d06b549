"""Writes a PNG anew as small as the standard library can: no transparency, no filter, the best compression."""

import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

_HEAD = b"\x89PNG\r\n\x1a\n"


def make_small(path: Path) -> int:
    """Replace an 8-bit PNG without interlacing by the same picture, compressed better; return its size in bytes."""
    chunks = list(_chunks(path.read_bytes()))
    width, height, depth, kind, *_, interlaced = struct.unpack(">IIBBBBB", chunks[0][1])
    if depth != 8 or kind not in (2, 6) or interlaced:
        raise ValueError(f"{path.name} is not a plain picture of 8 bits")
    size = 4 if kind == 6 else 3
    rows = _rows(zlib.decompress(b"".join(data for name, data in chunks if name == b"IDAT")), width * size, size)
    plain = b"".join(b"\0" + (_without_alpha(row) if size == 4 else bytes(row)) for row in rows)
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    small = _HEAD + _chunk(b"IHDR", head) + _chunk(b"IDAT", zlib.compress(plain, 9)) + _chunk(b"IEND", b"")
    path.write_bytes(small)
    return len(small)


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    place = len(_HEAD)
    while place < len(data):
        (length,) = struct.unpack(">I", data[place : place + 4])
        yield data[place + 4 : place + 8], data[place + 8 : place + 8 + length]
        place += length + 12


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def _without_alpha(row: bytearray) -> bytes:
    plain = bytearray(len(row) // 4 * 3)
    for part in range(3):
        plain[part::3] = row[part::4]
    return bytes(plain)


def _rows(data: bytes, length: int, size: int) -> Iterator[bytearray]:
    """Undo each row's filter (PNG 3rd edition, section 9)."""
    above = bytearray(length)
    for start in range(0, len(data), length + 1):
        row = bytearray(data[start + 1 : start + 1 + length])
        _undo(data[start], row, above, size)
        yield row
        above = row


def _undo(kind: int, row: bytearray, above: bytearray, size: int) -> None:
    if kind == 0:
        return
    for place in range(len(row)):
        left = row[place - size] if place >= size else 0
        corner = above[place - size] if place >= size else 0
        up = above[place]
        guess = (0, left, up, (left + up) // 2, _paeth(left, up, corner))[kind]
        row[place] = (row[place] + guess) & 255


def _paeth(left: int, up: int, corner: int) -> int:
    guess = left + up - corner
    return min((left, up, corner), key=lambda value: abs(guess - value))
