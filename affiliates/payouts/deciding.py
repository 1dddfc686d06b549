"""Whether and how much a publisher is paid, by what he has, where he can be paid, and his rules; or why not."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from core.sentences import sentences

LEAST_MINOR = 100  # of whoever waited long

# Why nothing is paid, or less; each is a code that the publisher sees, with what it means.
SENTENCES: dict[str, str] = sentences(
    {
        "nothing_payable": "Nothing is payable yet. Look at the balance for what is released when.",
        "owed": "Leads that came back cost more than is payable. What is owed is netted against what is earned next.",
        "no_rail": "Say where you are paid: nobody has yet.",
        "onboarding_unfinished": "Finish the pages of the payment processor, which has yet to learn who you are.",
        "more_needed": "Give the payment processor what it still asks for; your bank may have refused a payout.",
        "not_looked_at_yet": "Wait some minutes: your account at the payment processor is looked at again.",
        "account_closed": "Your account at the payment processor is closed. Say another place.",
        "account_rejected": "The payment processor refuses your account. Say another place.",
        "rail_blocked": "Nothing arrives where you are paid. Say another place.",
        "below_threshold": "Less is payable than the smallest payout. It is paid once there is more, or after long.",
        "draft_waits": "Your last payout is not sent yet. What has become payable since comes with the next one.",
        "first_payout_capped": "A first payout is limited and looked at by a person. The rest comes with the next one.",
        "standing_paused": "You are paused, so that a person looks at payouts before they are sent.",
        "new_place": "You were paid elsewhere before, so that a person looks at the first payout to the new place.",
        "shared_place": "Another publisher is paid at the same place, so that a person looks at it before it is sent.",
        "came_back": "Your last payout was said to have come back, so that a person looks at this one.",
        "owed_netted": "What you owe after leads came back is taken off first.",
        "rail_other_currency": "SEPA transfers are in euros. Say another place for what you earn in another currency.",
        "waits_for_balance": "It is sent as soon as the exchange's balance at the payment processor covers it.",
        "second_needed": "It is large, so that a second person agrees before it is sent.",
        "tried_again": "It was refused and is tried once more.",
        "balance_fell": "Leads came back after it was drafted, so that less is payable. The next run pays what is.",
        "rail_changed": "You said another place after it was drafted. The next run pays there.",
        "withdrawn_by_operator": "An operator withdrew it before it was sent, and says why.",
        "file_withdrawn": "The file that it stood in was never handed on. It is payable again.",
        "bank_sent_back": "Your bank sent it back to your account at the payment processor, where it waits.",
        "being_taken_back": "An operator asked for it back, and says why.",
        "taken_back": "It was taken back and is payable again.",
        "taken_back_in_part": "A part of it was taken back and is payable again.",
        "not_taken_back": "It could not be taken back, and stays yours.",
    }
)


@dataclass(frozen=True, slots=True)
class PayoutRules:
    """When a publisher is paid, from which amount on, and what holds for the first time."""

    payouts_a_month: int
    threshold_minor: int
    threshold_other_minor: int
    small_after_days: int
    first_most_minor: int | None  # also says that a person looks at it
    on_request: bool
    is_paused: bool = False  # then a person looks at whatever is paid


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of one publisher in one currency; `rail` is where, `obstacle` why nothing arrives there.

    `came_back` is true when somebody, not a bank, said that his last payout by file came back.
    """

    payable_minor: int
    owed_minor: int
    rail: str | None
    obstacle: str | None
    is_first: bool
    since: datetime | None
    is_new_place: bool = False
    is_shared_place: bool = False
    came_back: bool = False


@dataclass(frozen=True, slots=True)
class Decision:
    """How much is paid; nothing, for a reason, when `pays` is false; a reason beside an amount explains it."""

    pays: bool
    minor: int
    reason: str | None = None
    needs_review: bool = False


def decide(facts: Facts, rules: PayoutRules, at: datetime) -> Decision:
    """Decide about one publisher: the first obstacle is the reason, and a first payout may be limited."""
    minor = facts.payable_minor - facts.owed_minor
    reason = _obstacle(facts, rules, at)
    if reason is not None:
        return Decision(False, max(minor, 0), reason)
    is_capped = facts.is_first and rules.first_most_minor is not None
    why = _why_looked_at(facts, rules)
    netted = "owed_netted" if facts.owed_minor > 0 else None
    if not is_capped or rules.first_most_minor is None:
        return Decision(True, minor, why or netted, needs_review=why is not None)
    capped = "first_payout_capped" if minor > rules.first_most_minor else None
    return Decision(True, min(minor, rules.first_most_minor), why or capped or netted, needs_review=True)


def _why_looked_at(facts: Facts, rules: PayoutRules) -> str | None:
    """Return why a person looks at what is paid, the gravest first."""
    if rules.is_paused:
        return "standing_paused"
    if facts.came_back:  # it may have arrived all the same, and would be paid twice
        return "came_back"
    if facts.is_shared_place:
        return "shared_place"
    return "new_place" if facts.is_new_place else None  # whoever took over an account says another place first


def _obstacle(facts: Facts, rules: PayoutRules, at: datetime) -> str | None:
    if facts.owed_minor > 0 and facts.payable_minor <= facts.owed_minor:
        return "owed"
    if facts.payable_minor <= 0:
        return "nothing_payable"
    if facts.rail is None:
        return "no_rail"
    if facts.obstacle is not None:
        return facts.obstacle
    least = rules.threshold_minor if facts.rail in ("connect", "sepa") else rules.threshold_other_minor
    if facts.since is not None and at - facts.since >= timedelta(days=rules.small_after_days):
        least = min(least, LEAST_MINOR)
    return "below_threshold" if facts.payable_minor - facts.owed_minor < least else None
