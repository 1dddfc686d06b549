"""The addresses that an account's leads go to: those of its own people, and others once they have confirmed it.

Nobody can have leads, or any mail of ours again and again, sent to a stranger. Until an address is confirmed, and while
mail comes back from it, its leads go to the account's own people.
"""

import hashlib
import hmac
import logging
from base64 import b32encode
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from uuid import UUID

from sqlalchemy import CheckConstraint, DateTime, Text, func, select
from sqlalchemy.orm import Mapped, mapped_column

from core.bounces import bounced_among, forgive, token_for
from core.crypto import secret_generations
from core.db import Model, db, transaction
from core.errors import Conflict, Fault, Invalid, TooMany
from core.http import kept_by_app
from core.identity import emails_of, get_account
from core.jobs import enqueue, job
from core.mail import NotSent, mailer
from marketplace.leads.addresses import read_email

log = logging.getLogger(__name__)

CODE_LIVES = timedelta(hours=24)
ASKED_AGAIN_AFTER = timedelta(minutes=1)
MOST_WAITING = 20
MAIL_JOB = "market.confirm_address"
ADDRESS_KIND = "a"  # of the tokens of mails that ask for a confirmation
_CODE_LETTERS = 10  # 50 bits, which nobody guesses in a day
_TEXT = """Hello,

{account} wants to receive leads at this address. If that is right, the code is

    {code}

It is good for a day. To confirm: POST /api/v1/addresses/confirm {{"address": "{address}", "code": "{code}"}}

If you do not know what this is about, do nothing: nothing more will be sent to you.
"""


class MailAddress(Model):
    """An address that an account asked for; leads go there once it is confirmed."""

    __tablename__ = "mail_addresses"
    __table_args__ = (CheckConstraint("address = lower(address)"), {"schema": "marketplace"})

    account_id: Mapped[UUID] = mapped_column(primary_key=True)
    address: Mapped[str] = mapped_column(Text, primary_key=True)
    asked_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    confirmed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


def recipients_for(account_id: UUID, wanted: Iterable[str]) -> tuple[str, ...]:
    """Return who gets an account's leads now: those of these addresses that may, else its own people, or nobody."""
    own = emails_of(account_id)
    confirmed = select(MailAddress.address).where(
        MailAddress.account_id == account_id, MailAddress.confirmed_at.is_not(None)
    )
    asked = [address.lower() for address in wanted]
    known = {*own, *(db.session.scalars(confirmed) if asked else ())}
    back = bounced_among([*asked, *own])
    able = [address for address in asked if address in known and address not in back]
    return tuple(able or [address for address in own if address not in back])


def ask_new(account_id: UUID, addresses: Iterable[str]) -> None:
    """Ask those of these addresses for a confirmation that were never asked and are nobody's own.

    Those that were asked are locked: nobody deletes them before the order that names them is committed.
    """
    own = emails_of(account_id)
    for address in addresses:
        key = (account_id, address.lower())
        known = db.session.get(MailAddress, key, with_for_update={"read": True, "key_share": True})
        if known is None and address.lower() not in own:
            ask(account_id, address)


def ask(account_id: UUID, address: str) -> MailAddress:
    """Send a new code to an address, which ends the one before; also to one that mail came back from.

    Invalid for what is no address, TooMany when it was asked a minute ago, Conflict while too many others are waiting.
    """
    if read_email(address) is None or not address.isascii() or not address.isprintable():
        fault = Fault("address", "invalid_email", "Send one usable e-mail address.")
        raise Invalid("invalid_address", "The address cannot be used.", [fault])
    now, row = datetime.now(UTC), db.session.get(MailAddress, (account_id, address.lower()), with_for_update=True)
    if row is not None and now - row.asked_at < ASKED_AGAIN_AFTER:
        raise TooMany("A code was sent to this address a moment ago; wait a minute.", 60)
    if row is None:
        _refuse_too_many(account_id)
        row = MailAddress(account_id=account_id, address=address.lower())
    row.asked_at = now
    db.session.add(row)
    db.session.flush()
    enqueue(MAIL_JOB, account_id=str(account_id), address=row.address)
    return row


def confirm(account_id: UUID, address: str, code: str) -> MailAddress:
    """Take a code back: leads go to the address from now on, and mail that came back from it is forgiven.

    Invalid for a wrong code, Conflict when there is none that waits: each is good for a day and for once.
    """
    row = db.session.get(MailAddress, (account_id, address.lower()), with_for_update=True)
    now = datetime.now(UTC)
    if row is None or now - row.asked_at > CODE_LIVES or (row.confirmed_at or row.asked_at) > row.asked_at:
        raise Conflict("no_code_waiting", "Ask for a new code with POST /api/v1/addresses first.")
    if not hmac.compare_digest(code_of(row).encode(), code.strip().upper().encode("utf-8", "surrogatepass")):
        fault = Fault("code", "wrong_code", "Send the code of the last mail to this address.")
        raise Invalid("invalid_address", "The address is not confirmed.", [fault])
    row.confirmed_at = now
    forgive(row.address, now)
    db.session.flush()
    return row


def addresses_of_account(account_id: UUID) -> list[tuple[str, str]]:
    """Return every address of an account with its state: own, confirmed, waiting or bounced."""
    rows = db.session.scalars(select(MailAddress).where(MailAddress.account_id == account_id))
    found = {row.address: "confirmed" if row.confirmed_at else "waiting" for row in rows}
    found |= dict.fromkeys(emails_of(account_id), "own")
    found |= dict.fromkeys(bounced_among(found), "bounced")
    return sorted(found.items())


def code_of(row: MailAddress) -> str:
    """Return the code that was sent last; it follows from a secret of ours, so that it is kept nowhere."""
    keys = kept_by_app("leadbourse_address_keys", lambda: secret_generations("address"))
    said = f"{row.account_id} {row.address} {row.asked_at.timestamp():.6f}".encode()
    return b32encode(hmac.new(keys[1], said, hashlib.sha256).digest()).decode("ascii")[:_CODE_LETTERS]


def _refuse_too_many(account_id: UUID) -> None:
    waiting = select(func.count()).where(MailAddress.account_id == account_id, MailAddress.confirmed_at.is_(None))
    if (db.session.scalar(waiting) or 0) >= MOST_WAITING:
        raise Conflict("too_many_addresses", f"At most {MOST_WAITING} addresses may wait for their confirmation.")


@job(MAIL_JOB)
def mail_code(account_id: str, address: str) -> None:
    """Send the present code of an address; tried again when mail cannot be sent."""
    with transaction():
        row = db.session.get(MailAddress, (UUID(account_id), address))
        if row is None:
            return
        code, account = code_of(row), get_account(row.account_id).name
    token = token_for(ADDRESS_KIND, UUID(account_id))
    message = EmailMessage()
    message["To"], message["Subject"] = address, "Confirm that leads may be sent to you"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(_TEXT.format(account=" ".join(account.split()), code=code, address=address))
    try:
        mailer().send(message, token)
    except NotSent as none:
        if none.code in ("later", "connection"):
            raise
        log.warning("an address of %s could not be asked: %s", account_id, none)
