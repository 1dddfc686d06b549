"""The installation's root key, kept outside the database, and the keys derived from it.

What the database alone must not be enough for hangs on it: signing sessions and links, opening second factors. Whoever
copies the database without this key can sign nobody in.
"""

import os
import secrets
from pathlib import Path

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

FILE = "root.key"
LEAST_BYTES = 32


def read_root_key(folder: Path, given: str | None) -> bytes:
    """Return the key that the environment gives, or the data folder's own, made when it is first asked for.

    Several processes may ask at once for a new folder: one of them makes it, all get the same.
    """
    if given is not None:
        return given.encode()
    place = folder / FILE
    if not place.exists():
        folder.mkdir(parents=True, exist_ok=True)
        _make(place)
    return place.read_bytes()


def _make(place: Path) -> None:
    """Write the key beside its place and link it there, which fails when another process was first."""
    made = place.with_name(f".{FILE}.{os.getpid()}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(secrets.token_urlsafe(48))
    try:
        place.hardlink_to(made)
    except FileExistsError:
        return
    finally:
        made.unlink()


def derive(root: bytes, purpose: str) -> bytes:
    """Derive the 32-byte key of one purpose (RFC 5869); the purposes' keys tell nothing of each other."""
    return HKDF(SHA256(), 32, salt=None, info=b"leadbourse " + purpose.encode()).derive(root)
