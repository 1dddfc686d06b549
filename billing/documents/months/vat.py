"""How an account's documents are taxed, said by an operator with a reason, and booking the tax of an issued one."""

from datetime import datetime
from uuid import UUID

from msgspec import Struct
from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert

from billing.documents.models import Document
from billing.documents.months.models import VatTerms
from billing.documents.taxes import tax_on, vat_rates
from billing.ledger import AVAILABLE, OWED_BY_WALLET, VAT_OUTPUT, Line, post
from core.db import db
from core.errors import Conflict, Fault, Invalid

TREATMENTS = ("none", "rate", "reverse_charge")
MOST_RATE_BP, MOST_NUMBER, MOST_REASON = 5000, 40, 200
_INPUT = text("SELECT billing.post_earner_vat(:account, :currency, :minor, :key, :source, :actor, :at)")


class Vat(Struct, frozen=True, kw_only=True):
    """How a document was taxed: the treatment, the place and number it rests on, the rate, and what it came to."""

    treatment: str = "none"
    country: str = ""
    vat_number: str = ""
    rate_bp: int = 0
    minor: int = 0


class Wish(Struct, frozen=True, kw_only=True):
    """What an operator says of an account's tax; without a rate, the country's standard one."""

    treatment: str
    country: str = ""
    vat_number: str = ""
    rate_bp: int | None = None
    reason: str = ""


def vat_terms_of(account_id: UUID) -> list[VatTerms]:
    """Return how an account's documents were taxed over time, the newest first."""
    query = select(VatTerms).where(VatTerms.account_id == account_id).order_by(VatTerms.version.desc())
    return list(db.session.scalars(query))


def vat_on(account_id: UUID, net_minor: int) -> Vat:
    """Work out the tax on what an account's document comes to, by the terms that stand."""
    terms = next(iter(vat_terms_of(account_id)), None)
    if terms is None:
        return Vat()
    return Vat(treatment=terms.treatment, country=terms.country, vat_number=terms.vat_number, rate_bp=terms.rate_bp,
               minor=tax_on(net_minor, terms.rate_bp))  # fmt: skip


def say_vat_terms(account_id: UUID, wish: Wish, seen: int, actor: str, at: datetime) -> VatTerms:
    """Tax an account's documents otherwise from now on; those that were issued stay.

    `seen` is the version that was read, 0 for none: a Conflict when another stands. Invalid with each field that is
    wrong.
    """
    said = _checked(wish)
    standing = next(iter(vat_terms_of(account_id)), None)
    if seen != (standing.version if standing else 0):
        raise Conflict("version_changed", "Somebody changed how this account is taxed; read it and try again.")
    row = said | {"account_id": account_id, "version": seen + 1, "actor": actor, "said_at": at}
    made = insert(VatTerms).values(row).on_conflict_do_nothing().returning(VatTerms.version)
    if db.session.scalar(made) is None:
        raise Conflict("version_changed", "Somebody changed how this account is taxed; read it and try again.")
    return vat_terms_of(account_id)[0]


def _checked(wish: Wish) -> dict[str, str | int]:
    country, number, reason = wish.country.strip().upper(), wish.vat_number.strip(), wish.reason.strip()
    is_rate, is_somewhere = wish.treatment == "rate", wish.treatment in ("rate", "reverse_charge")
    is_country = len(country) == 2 and country.isascii() and country.isalpha()
    known = vat_rates().rates.get(country)
    rate = (wish.rate_bp if wish.rate_bp is not None else known.rate_bp if known else 0) if is_rate else 0
    found = [
        (wish.treatment not in TREATMENTS,
         Fault("treatment", "not_allowed_value", "Choose none, rate or reverse_charge.")),
        (is_somewhere and not is_country,
         Fault("country", "not_a_country", "Write the country as two letters, such as FR.")),
        (not is_somewhere and len(country) > 2, Fault("country", "not_a_country", "Write two letters, or nothing.")),
        (wish.treatment == "reverse_charge" and not number,
         Fault("vat_number", "missing", "Give the number that reverse charge rests on.")),
        (len(number) > MOST_NUMBER, Fault("vat_number", "too_long", f"Write at most {MOST_NUMBER} characters.")),
        (not number.isprintable(), Fault("vat_number", "not_printable", "Remove the control characters.")),
        (is_rate and not 0 < rate <= MOST_RATE_BP,
         Fault("rate_bp", "out_of_range", "Say a rate in basis points from 1 to 5000; 2100 are 21 %.")),
        (not reason, Fault("reason", "missing", "Say why: whoever reads this later wants to know.")),
        (len(reason) > MOST_REASON, Fault("reason", "too_long", f"Write at most {MOST_REASON} characters.")),
        (not reason.isprintable(), Fault("reason", "not_printable", "Remove the control characters.")),
    ]  # fmt: skip
    faults = [fault for is_wrong, fault in found if is_wrong]
    if faults:
        raise Invalid("invalid_vat_terms", "The tax stays as it is.", faults)
    return {"treatment": wish.treatment, "country": country, "vat_number": number, "rate_bp": rate, "reason": reason}


def book_vat(document: Document, minor: int, actor: str, at: datetime) -> None:
    """Book the tax of a document under its id, once; nothing for none.

    Of an invoice: D recv:wallet / C vat:output, a debt that is due at once, and back into the wallet where the month
    gave more back than it charged. Of a statement: D vat:input / C payable.
    """
    key, source = f"vat:{document.id}", str(document.id)
    if minor == 0:
        return
    if document.kind == "statement":
        asked = {"account": document.account_id, "currency": document.currency, "minor": minor}
        db.session.execute(_INPUT, asked | {"key": key, "source": source, "actor": actor, "at": at})
        return
    owner = OWED_BY_WALLET if minor > 0 else AVAILABLE
    lines = [Line(owner, minor, document.account_id), Line(VAT_OUTPUT, -minor)]
    post("vat_invoice", key, document.currency, lines, source=source, actor=actor, at=at)
