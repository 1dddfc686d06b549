"""What the clock does about terms: a tier's settings reach its publishers, and each tier is reviewed once a week."""

from datetime import datetime

from affiliates import due_for_review, renew_terms, review, rules_in
from core.overrides import overrides
from marketplace.terms.figures import figures_of
from marketplace.terms.granting import note

BATCH = 100


def renew_batch(as_of: datetime) -> int:
    """Say the terms of some publishers anew whose tier grants something else by now; return of how many."""
    renewed = renew_terms(overrides().exchange, as_of)
    for now in renewed:
        note(now, as_of)
    return len(renewed)


def review_batch(as_of: datetime) -> int:
    """Review the tiers of some publishers not reviewed in this week yet (from Monday, UTC); return of how many.

    The figures are those of this moment; a week that passed without a review is not made up for.
    """
    due, said = due_for_review(as_of, BATCH), overrides().exchange
    figures = figures_of(due, rules_in(said), as_of) if due else {}
    for account_id in due:
        now = review(account_id, figures[account_id], said, as_of)
        if now is not None:
            note(now, as_of)
    return len(due)


STEPS = {"terms_renewed": renew_batch, "tiers_reviewed": review_batch}
