"""Encryption at rest: AES-256-GCM with a key generation beside each text, and the installation's own secrets."""

import os
from datetime import UTC, datetime
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import CheckConstraint, DateTime, LargeBinary, SmallInteger, Text
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Model, driver_connection
from core.entropy import random_bytes

_NONCE = 12  # bytes, NIST SP 800-38D section 8.2


class Secret(Model):
    """A secret of this installation, in its generations."""

    __tablename__ = "secrets"
    __table_args__ = (CheckConstraint("length(value) = 32"), {"schema": "core"})

    name: Mapped[str] = mapped_column(Text, primary_key=True)
    generation: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    value: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


def secret_generations(name: str) -> dict[int, bytes]:
    """Return a secret's generations, making the first when there is none.

    On a connection of its own, so that it may be asked in the middle of a request. Several processes may call it at
    once for a new name: one of them makes it, all get the same.
    """
    with driver_connection() as connection:
        connection.execute(
            "INSERT INTO core.secrets (name, generation, value, created_at) VALUES (%s, 1, %s, %s)"
            " ON CONFLICT DO NOTHING",
            (name, os.urandom(32), datetime.now(UTC)),
        )
        return dict(
            connection.execute("SELECT generation, value FROM core.secrets WHERE name = %s", (name,)).fetchall()
        )


class Vault:
    """Encrypts with the newest key and decrypts with the one that a text names; the row's id is authenticated too."""

    def __init__(self, keys: dict[int, bytes]) -> None:
        self.generation = max(keys)
        self._ciphers = {generation: AESGCM(key) for generation, key in keys.items()}

    def seal(self, plain: bytes, row: UUID) -> bytes:
        """Encrypt for one row: nonce, then ciphertext with its tag; store `generation` beside it."""
        nonce = random_bytes(_NONCE)
        return nonce + self._ciphers[self.generation].encrypt(nonce, plain, row.bytes)

    def open(self, sealed: bytes, generation: int, row: UUID) -> bytes:
        """Decrypt what was sealed for this row; ValueError when it was altered or moved to another row."""
        try:
            return self._ciphers[generation].decrypt(sealed[:_NONCE], sealed[_NONCE:], row.bytes)
        except InvalidTag as tampered:
            raise ValueError("this ciphertext was altered or belongs to another row") from tampered
