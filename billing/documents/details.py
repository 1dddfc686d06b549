"""Whom an account's documents name: what its people said, or the account's own name."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert

from billing.documents.models import BillingDetails
from core.db import db
from core.errors import Fault, Invalid
from core.identity import get_account

LONGEST = {"name": 200, "address": 500, "vat_id": 40}
LINES = 6
JOINERS = "\u200c\u200d"  # whether letters join; names in Persian and the scripts of India are misspelt without them
_LET_BE = dict.fromkeys(map(ord, JOINERS + "\n"))


def details_of(account_id: UUID) -> BillingDetails:
    """Return whom documents of an account name from now on; not kept when nobody has said anything."""
    said = db.session.get(BillingDetails, account_id, populate_existing=True)
    name = get_account(account_id).name if said is None else ""
    return said or BillingDetails(account_id=account_id, name=name[:200], address="", vat_id="")


def say_details(account_id: UUID, name: str, address: str, vat_id: str, actor: str, at: datetime) -> BillingDetails:
    """Name an account otherwise on documents from now on; Invalid with each field that cannot be printed.

    Documents that were issued stay as they are.
    """
    lines = [line.strip() for line in address.splitlines()]
    said = {"name": name.strip(), "address": "\n".join(filter(None, lines)), "vat_id": vat_id.strip()}
    faults = [
        Fault(field, "too_long", f"Write at most {most} characters.")
        for field, most in LONGEST.items() if len(said[field]) > most
    ]  # fmt: skip
    if not said["name"].strip(JOINERS):
        faults.append(Fault("name", "missing", "Give the name that documents are made out to."))
    if said["address"].count("\n") >= LINES:
        faults.append(Fault("address", "too_long", f"Write at most {LINES} lines."))
    faults += [
        Fault(field, "not_printable", "Remove the control characters.")
        for field, text in said.items() if not (text if field == "vat_id" else text.translate(_LET_BE)).isprintable()
    ]  # fmt: skip
    if faults:
        raise Invalid("invalid_billing_details", "The billing details stay as they are.", faults)
    row = said | {"said_by": actor, "said_at": at}
    kept = insert(BillingDetails).values(account_id=account_id, **row)
    db.session.execute(kept.on_conflict_do_update(index_elements=["account_id"], set_=row))
    return details_of(account_id)
