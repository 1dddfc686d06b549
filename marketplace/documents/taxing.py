"""An operator says how an account is taxed: it stands in the log with why, beside the versions themselves."""

from datetime import datetime
from uuid import UUID

from billing import VatTerms, VatWish, say_vat_terms
from core.db import db
from marketplace.leads.models import Event


def tax_account(account_id: UUID, wish: VatWish, seen: int, actor: str, at: datetime) -> VatTerms:
    """Tax what an account is supplied from a day on otherwise, leaving an event; raises what `say_vat_terms` does."""
    now = say_vat_terms(account_id, wish, seen, actor, at)
    rate = f" {now.rate_bp / 100:g} %" if now.rate_bp else ""
    place = f" {now.country}" if now.country else ""
    move = f"vat>version {now.version}: {now.treatment}{place}{rate} from {now.valid_from}"
    db.session.add(Event(subject_id=account_id, at=at, move=move, actor=actor, why=now.reason))
    db.session.flush()
    return now
