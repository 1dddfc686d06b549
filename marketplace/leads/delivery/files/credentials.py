"""What signs in where an order's files go: sealed, never shown again, and used only for the server it was given for."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import msgspec
from msgspec import Struct

from core.crypto import Vault
from core.db import db
from core.errors import Fault, Invalid
from core.outbound import read_private_key
from core.schemas import convert, learned
from marketplace.leads.delivery.files.models import FileCredential


class Credential(Struct, frozen=True):
    """A password or private key, and the address and key of the server that may see it."""

    sftp_url: str
    host_key: str
    password: str | None = None
    private_key: str | None = None


def keep_credential(order_id: UUID, document: Mapping[str, Any] | None, vault: Vault) -> None:
    """Keep what a document brings; without anything new the earlier one stays, for the same server alone.

    Invalid when nothing is there to sign in with: whoever may change orders must not lead a password to another server.
    """
    if document is None or document.get("kind") != "csv" or not document.get("sftp_url"):
        return
    given = convert({name: document.get(name) for name in Credential.__struct_fields__}, Credential)
    if given.password is None and given.private_key is None:
        known = credential_of(order_id, vault)
        if known is None or (known.sftp_url, known.host_key) != (given.sftp_url, given.host_key):
            raise _refused("password", "required", "Send the password or private_key for this server.")
        return
    if given.private_key is not None:
        try:
            read_private_key(given.private_key)
        except ValueError:
            raise _refused("private_key", "invalid_value", "Send a private key without a passphrase.") from None
    row = db.session.get(FileCredential, order_id) or FileCredential(order_id=order_id)
    row.sealed, row.sealed_key = vault.seal(msgspec.json.encode(given), order_id), vault.generation
    db.session.add(row)
    db.session.flush()


def credential_of(order_id: UUID, vault: Vault) -> Credential | None:
    """Return what signs in for an order's files, if anything does."""
    row = db.session.get(FileCredential, order_id)
    if row is None:
        return None
    return msgspec.json.decode(vault.open(row.sealed, row.sealed_key, order_id), type=learned(Credential))


def _refused(name: str, code: str, message: str) -> Invalid:
    fault = Fault(f"delivery.{name}", code, message)
    return Invalid("invalid_order", "The order cannot be kept as it is.", [fault])
