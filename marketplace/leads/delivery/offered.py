"""Which deliveries an order may ask for, and the secret with which ours are signed, sealed beside the order."""

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from msgspec import to_builtins
from sqlalchemy import select

from core.crypto import Vault
from core.db import db
from core.errors import Fault, Malformed
from core.http import settings as program
from core.outbound import NoAnswer, outbound, sftp_door
from core.signatures import make_secret
from marketplace.catalog.verticals import Vertical
from marketplace.leads.delivery.checks import delivery_faults
from marketplace.leads.delivery.credentials import restored, sealed
from marketplace.leads.delivery.models import OrderSecret
from marketplace.leads.delivery.parcel import sample_parcel
from marketplace.leads.delivery.settings import SEALED, Delivery, delivery_of, in_order
from marketplace.leads.desk import desk


def judge_delivery(
    buyer_id: UUID, document: Mapping[str, Any], vertical: Vertical, before: dict[str, Any] | None = None
) -> tuple[dict[str, Any], list[Fault]]:
    """Return a delivery's settings as they are kept, without the secret and credentials sealed, and every fault.

    What is masked keeps the credential of `before`. Malformed for a wrong type or an unknown field.
    """
    vault = desk().vault
    plain, masks = restored(document, before, vault, buyer_id)
    asked, faults = judged_settings(plain, vertical)
    kept = {name: value for name, value in to_builtins(asked).items() if name not in SEALED}
    return in_order(sealed(kept, before, vault, buyer_id)), [*masks, *faults]


def judged_settings(document: Mapping[str, Any], vertical: Vertical) -> tuple[Delivery, list[Fault]]:
    """Read settings whose credentials are in the clear, and return them with every fault; Malformed as above."""
    try:
        asked = delivery_of(document)
    except Malformed as malformed:
        faults = [Fault(f"delivery.{each.field}", each.code, each.message) for each in malformed.faults]
        raise Malformed(malformed.code, malformed.detail, faults) from malformed
    faults = delivery_faults(asked, sample_parcel(vertical), plain_http=program().allow_private_targets)
    return asked, faults or _target_faults(asked)


def keep_secret(order_id: UUID, document: Mapping[str, Any] | None, vault: Vault) -> str | None:
    """Keep the secret that signs an order's webhook, made when none was ever given; return it, None for other kinds."""
    if document is None or document.get("kind") != "webhook":
        return None
    row = db.session.get(OrderSecret, order_id)
    if row is not None and not document.get("secret"):
        return _opened(row, vault)
    secret: str = document.get("secret") or make_secret()
    row = row or OrderSecret(order_id=order_id)
    row.sealed, row.sealed_key = vault.seal(secret.encode(), order_id), vault.generation
    db.session.add(row)
    db.session.flush()
    return secret


def secret_of(order_id: UUID, vault: Vault) -> str | None:
    """Return the secret that signs an order's webhook, if it has one."""
    return secrets_of([order_id], vault).get(order_id)


def secrets_of(order_ids: list[UUID], vault: Vault) -> dict[UUID, str]:
    """Return the secrets of those of these orders that have one, in one query."""
    rows = db.session.scalars(select(OrderSecret).where(OrderSecret.order_id.in_(order_ids)))
    return {row.order_id: _opened(row, vault) for row in rows}


def _opened(row: OrderSecret, vault: Vault) -> str:
    return vault.open(row.sealed, row.sealed_key, row.order_id).decode()


def _target_faults(asked: Delivery) -> list[Fault]:
    places = (("url", outbound().check), ("sftp_url", sftp_door().check))
    return [
        fault for name, check in places if (url := getattr(asked, name, None)) for fault in _refused(name, check, url)
    ]


def _refused(name: str, check: Callable[[str], None], url: str) -> list[Fault]:
    try:
        check(url)
    except NoAnswer as refused:
        return [Fault(f"delivery.{name}", refused.code, str(refused))]
    return []
