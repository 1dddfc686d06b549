"""The words that pages have for payouts: their states, why there is none, the ways of paying, how often."""

from typing import Any

from core.words import lazy_gettext as _l
from marketplace.web.words import Word

STATES = {
    "skipped": Word("neutral", _l("No payout")),
    "drafted": Word("held", _l("Looked at by a person")),
    "approved": Word("held", _l("Approved")),
    "ordered": Word("held", _l("Being sent")),
    "sent": Word("held", _l("On its way")),
    "paid": Word("won", _l("Paid")),
    "refused": Word("refused", _l("Refused")),
    "failed": Word("refused", _l("Not arrived")),
    "reversed": Word("neutral", _l("Taken back")),
    "withdrawn": Word("neutral", _l("Withdrawn")),
}
REASONS = {
    "nothing_payable": _l("nothing is payable"),
    "owed": _l("more is owed than payable"),
    "no_rail": _l("nobody said where"),
    "onboarding_unfinished": _l("the processor does not know you yet"),
    "more_needed": _l("the processor asks for more, or your bank refused"),
    "not_looked_at_yet": _l("your account is being looked at"),
    "account_closed": _l("the account is closed"),
    "account_rejected": _l("the processor refuses the account"),
    "rail_blocked": _l("nothing arrives there"),
    "below_threshold": _l("below the smallest payout"),
    "draft_waits": _l("the last one is not sent yet"),
    "first_payout_capped": _l("a first payout is limited"),
    "standing_paused": _l("the publisher is paused"),
    "new_place": _l("a new place is looked at"),
    "shared_place": _l("another publisher is paid there too"),
    "came_back": _l("the last one came back"),
    "owed_netted": _l("less what is owed"),
    "rail_other_currency": _l("SEPA is in euros"),
    "waits_for_balance": _l("waits for the exchange's balance"),
    "second_needed": _l("a second person has to agree"),
    "tried_again": _l("tried again"),
    "balance_fell": _l("less is payable by now"),
    "rail_changed": _l("another place was said"),
    "withdrawn_by_operator": _l("withdrawn by an operator"),
    "file_withdrawn": _l("its file was given up"),
    "payer_could_not_deliver": _l("the payer could not deliver it"),
    "bank_sent_back": _l("your bank sent it back"),
    "being_taken_back": _l("being taken back"),
    "taken_back": _l("taken back"),
    "taken_back_in_part": _l("taken back in part"),
    "not_taken_back": _l("could not be taken back"),
    "balance_insufficient": _l("the exchange's balance was short"),
    "never_arrived": _l("it never reached the processor"),
}
RAILS = {
    "connect": _l("Stripe, to your bank"),
    "sepa": _l("SEPA transfer"),
    "wise": _l("Wise"),
    "paypal": _l("PayPal"),
}
RAIL_STATES = {
    "opening": Word("held", _l("Being opened")),
    "pending": Word("held", _l("Not ready yet")),
    "ready": Word("won", _l("Ready")),
    "blocked": Word("refused", _l("Blocked")),
    "closed": Word("refused", _l("Closed")),
}
SCHEDULES = {
    "monthly": _l("on the 1st of each month"),
    "twice_a_month": _l("on the 1st and 16th of each month"),
    "weekly": _l("each Monday"),
}
OUTCOMES = {
    "paid": Word("won", _l("Paid")),
    "failed": Word("refused", _l("Not arrived")),
    "waits": Word("held", _l("Waits")),
    "repeated": Word("neutral", _l("Known already")),
    "refused": Word("refused", _l("Refused")),
}


def payout_state(code: str) -> Word:
    """Return how a payout's state is shown."""
    return STATES[code]


def why_word(code: str | None) -> Any:
    """Say in some words why a payout stands where it stands; a code of an outsider as it is."""
    return REASONS.get(code or "") or (code or "").replace("_", " ")
