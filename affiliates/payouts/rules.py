"""By which rules publishers are paid: those of their present terms, and what is the same for everybody."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select

from affiliates.models import Publisher
from affiliates.payouts.deciding import PayoutRules
from affiliates.terms.fields import Terms
from affiliates.terms.models import TermsVersion
from core.db import db
from core.errors import NotFound
from core.overrides import overrides


def payout_rules_of(publisher_id: UUID) -> PayoutRules:
    """Return the rules by which a publisher is paid at present; NotFound when there is no such publisher."""
    found = payout_rules_of_all([publisher_id]).get(publisher_id)
    if found is None:
        raise NotFound(detail="There is no publisher with this id.")
    return found


def payout_rules_of_all(publisher_ids: Sequence[UUID]) -> dict[UUID, PayoutRules]:
    """Return the rules of each of these that is a publisher, in one question."""
    present = (Publisher.account_id == TermsVersion.account_id) & (Publisher.terms_version == TermsVersion.version)
    query = select(TermsVersion, Publisher.standing).join(Publisher, present)
    rows = db.session.execute(query.where(Publisher.account_id.in_(publisher_ids)))
    return {version.account_id: _rules(version.terms, standing == "paused") for version, standing in rows}


def _rules(terms: Terms, is_paused: bool) -> PayoutRules:
    return PayoutRules(
        payouts_a_month=terms.payouts_a_month,
        threshold_minor=terms.threshold_minor,
        threshold_other_minor=terms.threshold_other_minor,
        small_after_days=overrides().setting("payout.small_after_days"),
        first_most_minor=terms.first_payout_most_minor if terms.first_payout_reviewed else None,
        on_request=terms.on_request,
        is_paused=is_paused,
    )
