"""How an account's documents are taxed, said by an operator with a reason, and booking the tax of an issued one."""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import func, select, text
from sqlalchemy.dialects.postgresql import insert

from billing.documents.models import Document
from billing.documents.months.drafts import TAKEN_BACK, Draft
from billing.documents.months.models import VatTerms
from billing.documents.taxes import tax_on, vat_rates
from billing.ledger import AVAILABLE, OWED_BY_WALLET, VAT_OUTPUT, Line, post
from core.db import db
from core.errors import Conflict, Fault, Invalid
from core.http import settings
from core.months import month_after

TREATMENTS = ("none", "rate", "reverse_charge")
MOST_RATE_BP, MOST_NUMBER, MOST_REASON = 5000, 40, 200
_ALONE = text("SELECT billing.vat_alone(:account)")
_SUPPLIED = text("""
    SELECT t.id, coalesce(s.occurred_at, r.occurred_at, t.occurred_at)
    FROM billing.transactions t
    LEFT JOIN billing.transactions r ON r.id = t.reverses
    LEFT JOIN billing.hold_resolutions v ON v.hold_id = CASE WHEN t.kind = 'refund' THEN t.source::uuid END
    LEFT JOIN billing.transactions s ON s.id = v.transaction_id
    WHERE t.id = ANY (:ids)
""")
_INPUT = text("SELECT billing.post_earner_vat(:account, :currency, :minor, :key, :source, :actor, :at)")


class VatPart(Struct, frozen=True, kw_only=True):
    """What of a document was taxed in one way: its net and the tax on it."""

    treatment: str = "none"
    country: str = ""
    vat_number: str = ""
    rate_bp: int = 0
    net_minor: int = 0
    minor: int = 0


class Vat(Struct, frozen=True, kw_only=True):
    """How a document was taxed: the treatment, the place and number it rests on, the rate, and what it came to.

    Where that changed within the document these are the latest, `parts` has each, and `minor` is the tax of all.
    """

    treatment: str = "none"
    country: str = ""
    vat_number: str = ""
    rate_bp: int = 0
    minor: int = 0
    parts: tuple[VatPart, ...] = ()


class Wish(Struct, frozen=True, kw_only=True):
    """What an operator says of an account's tax; without a rate the country's standard one, without a day today."""

    treatment: str
    country: str = ""
    vat_number: str = ""
    rate_bp: int | None = None
    reason: str = ""
    valid_from: date | None = None


def vat_terms_of(account_id: UUID) -> list[VatTerms]:
    """Return how an account's documents were taxed over time, the newest first."""
    query = select(VatTerms).where(VatTerms.account_id == account_id).order_by(VatTerms.version.desc())
    return list(db.session.scalars(query))


def vat_on(draft: Draft) -> Vat:
    """Work out the tax on a draft: of each line by the terms of the day of its supply, rounded once for each of them.

    What is taken back is taxed as its sale or fee was. From here on nobody says terms for this account until the end
    of the transaction.
    """
    db.session.execute(_ALONE, {"account": draft.account_id})
    versions, nets = vat_terms_of(draft.account_id), dict[int, int]()
    supplied = _supplied(draft) if versions else {}
    for line in draft.lines if versions else ():
        day = supplied.get(line.transaction_id, line.occurred_at).astimezone(UTC).date()
        version = next((one.version for one in versions if one.valid_from <= day), 0)
        nets[version] = nets.get(version, 0) + line.amount_minor - line.promo_minor
    by_version = {one.version: one for one in versions}
    parts = _merged(_part(by_version.get(version), net) for version, net in sorted(nets.items()) if net)
    latest = parts[-1] if parts else _part(_at_end(versions, draft.period), 0)
    return Vat(treatment=latest.treatment, country=latest.country, vat_number=latest.vat_number,
               rate_bp=latest.rate_bp, minor=sum(one.minor for one in parts),
               parts=parts if len(parts) > 1 else ())  # fmt: skip


def _at_end(versions: Sequence[VatTerms], period: date) -> VatTerms | None:
    return next((one for one in versions if one.valid_from < month_after(period)), None)


def _supplied(draft: Draft) -> dict[UUID, datetime]:
    """Return when that was supplied which a line of the draft takes back: a sale or a fee."""
    back = [line.transaction_id for line in draft.lines if line.kind in TAKEN_BACK]
    return dict(db.session.execute(_SUPPLIED, {"ids": back}).all()) if back else {}


def _part(terms: VatTerms | None, net_minor: int) -> VatPart:
    if terms is None:
        return VatPart(net_minor=net_minor)
    return VatPart(treatment=terms.treatment, country=terms.country, vat_number=terms.vat_number,
                   rate_bp=terms.rate_bp, net_minor=net_minor)  # fmt: skip


def _merged(parts: Iterable[VatPart]) -> tuple[VatPart, ...]:
    """Put what is taxed alike together, and work out its tax."""
    nets = dict[VatPart, int]()
    for one in parts:
        alike = replace(one, net_minor=0)
        nets[alike] = nets.get(alike, 0) + one.net_minor
    return tuple(replace(one, net_minor=net, minor=tax_on(net, one.rate_bp)) for one, net in nets.items() if net)


def say_vat_terms(account_id: UUID, wish: Wish, seen: int, actor: str, at: datetime) -> VatTerms:
    """Tax what an account is supplied from a day on otherwise; documents that were issued stay.

    `seen` is the version that was read, 0 for none: a Conflict when another stands. Invalid with each field that is
    wrong.
    """
    db.session.execute(_ALONE, {"account": account_id})
    said = _checked(wish, wish.valid_from or at.astimezone(UTC).date(), _open_from(account_id))
    standing = next(iter(vat_terms_of(account_id)), None)
    if seen != (standing.version if standing else 0):
        raise Conflict("version_changed", "Somebody changed how this account is taxed; read it and try again.")
    row = said | {"account_id": account_id, "version": seen + 1, "actor": actor, "said_at": at}
    made = insert(VatTerms).values(row).on_conflict_do_nothing().returning(VatTerms.version)
    if db.session.scalar(made) is None:
        raise Conflict("version_changed", "Somebody changed how this account is taxed; read it and try again.")
    return vat_terms_of(account_id)[0]


def _open_from(account_id: UUID) -> date:
    """Return the first day that no issued document of an account covers."""
    query = select(func.max(Document.period)).where(Document.account_id == account_id)
    last = db.session.scalar(query)
    return month_after(last) if last else date.min


def _checked(wish: Wish, valid_from: date, open_from: date) -> dict[str, str | int | date]:
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
        (is_somewhere and not settings().seller.vat_id,
         Fault("treatment", "seller_number_missing",
               "Set LEADBOURSE_SELLER_VAT_ID first: such a document names the exchange's own number.")),
        (valid_from < open_from,
         Fault("valid_from", "month_issued", f"Say a day from {open_from} on: what was before is issued.")),
        (is_rate and not 0 < rate <= MOST_RATE_BP,
         Fault("rate_bp", "out_of_range", "Say a rate in basis points from 1 to 5000; 2100 are 21 %.")),
        (not reason, Fault("reason", "missing", "Say why: whoever reads this later wants to know.")),
        (len(reason) > MOST_REASON, Fault("reason", "too_long", f"Write at most {MOST_REASON} characters.")),
        (not reason.isprintable(), Fault("reason", "not_printable", "Remove the control characters.")),
    ]  # fmt: skip
    faults = [fault for is_wrong, fault in found if is_wrong]
    if faults:
        raise Invalid("invalid_vat_terms", "The tax stays as it is.", faults)
    return {
        "treatment": wish.treatment,
        "country": country,
        "vat_number": number,
        "rate_bp": rate,
        "reason": reason,
        "valid_from": valid_from,
    }


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
