"""Encryption at rest: AES-256-GCM with a key generation beside each text, and the installation's own secrets."""

import os
from datetime import UTC, datetime
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import CheckConstraint, DateTime, LargeBinary, SmallInteger, Text, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Model, db

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
    """Return a secret's generations, making the first when there is none; call it inside `transaction()`.

    Several processes may call it at once for a new name: one of them makes it, all get the same.
    """
    first = insert(Secret).values(name=name, generation=1, value=os.urandom(32), created_at=datetime.now(UTC))
    db.session.execute(first.on_conflict_do_nothing())
    rows = db.session.execute(select(Secret.generation, Secret.value).where(Secret.name == name))
    return {row.generation: row.value for row in rows}


class Vault:
    """Encrypts with the newest key and decrypts with the one that a text names; the row's id is authenticated too."""

    def __init__(self, keys: dict[int, bytes]) -> None:
        self.generation = max(keys)
        self._ciphers = {generation: AESGCM(key) for generation, key in keys.items()}

    def seal(self, plain: bytes, row: UUID) -> bytes:
        """Encrypt for one row: nonce, then ciphertext with its tag; store `generation` beside it."""
        nonce = os.urandom(_NONCE)
        return nonce + self._ciphers[self.generation].encrypt(nonce, plain, row.bytes)

    def open(self, sealed: bytes, generation: int, row: UUID) -> bytes:
        """Decrypt what was sealed for this row; ValueError when it was altered or moved to another row."""
        try:
            return self._ciphers[generation].decrypt(sealed[:_NONCE], sealed[_NONCE:], row.bytes)
        except InvalidTag as tampered:
            raise ValueError("this ciphertext was altered or belongs to another row") from tampered
