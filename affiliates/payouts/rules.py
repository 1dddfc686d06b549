"""By which rules publishers are paid: those of their present terms, and what is the same for everybody."""

from collections.abc import Sequence
from uuid import UUID

from affiliates.payouts.deciding import PayoutRules
from affiliates.terms.fields import Terms
from affiliates.terms.reading import present_terms, present_terms_of
from core.overrides import overrides


def payout_rules_of(publisher_id: UUID) -> PayoutRules:
    """Return the rules by which a publisher is paid at present; NotFound when there is no such publisher."""
    return _rules(present_terms(publisher_id).terms)


def payout_rules_of_all(publisher_ids: Sequence[UUID]) -> dict[UUID, PayoutRules]:
    """Return the rules of each of these that is a publisher, in one question."""
    return {each: _rules(version.terms) for each, version in present_terms_of(publisher_ids).items()}


def _rules(terms: Terms) -> PayoutRules:
    return PayoutRules(
        payouts_a_month=terms.payouts_a_month,
        threshold_minor=terms.threshold_minor,
        threshold_other_minor=terms.threshold_other_minor,
        small_after_days=overrides().setting("payout.small_after_days"),
        first_most_minor=terms.first_payout_most_minor if terms.first_payout_reviewed else None,
        on_request=terms.on_request,
    )
