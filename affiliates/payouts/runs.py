"""Runs: each slot of a schedule looks once at every publisher with a balance, and drafts a payout or says why not."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from affiliates.payouts.calendar import last_run_day
from affiliates.payouts.deciding import SENTENCES, Decision, PayoutRules, decide
from affiliates.payouts.facts import facts_of
from affiliates.payouts.rules import payout_rules_of, payout_rules_of_all
from affiliates.terms.schedule import SCHEDULES, next_run_day
from billing import (
    Payout,
    PayoutDraft,
    PayoutRail,
    PayoutRun,
    ToPay,
    draft_payout,
    earners_to_pay,
    note_run_seen,
    open_payout_run,
    paid_currencies,
    to_pay,
)
from core.errors import Conflict, Fault, NotAllowed
from core.failpoints import failpoint
from core.ids import new_id
from core.money import Money

BATCH = 200
ACTOR = "system:payouts"


@dataclass(frozen=True, slots=True)
class NextPayout:
    """When a publisher is paid next, and how much it would be today, or why nothing."""

    schedule: str
    on: date
    money: Money
    reason: str | None
    on_request: bool
    threshold: Money
    rail: PayoutRail | None


def draft_due_payouts(at: datetime) -> int:
    """Look at the next publishers of a run that is due, in the session's transaction; return how many, 0 in the end.

    A run has one key for its currency, schedule and day, so that several workers draft one and none twice.
    """
    for currency in paid_currencies():
        for often, schedule in SCHEDULES.items():
            day = last_run_day(often, at.date())
            run = open_payout_run(f"{currency}:{schedule}:{day}", currency, day, ACTOR, at)
            while run.ended_at is None:
                batch = earners_to_pay(currency, run.seen_to, BATCH)
                drafted = _draft_batch(run, often, batch, at)
                note_run_seen(run, batch[-1].account_id if batch else None, at)
                if drafted:
                    failpoint("payouts.drafted")
                    return drafted
    return 0


def ask_payout(publisher_id: UUID, currency: str, actor: str, at: datetime) -> Payout:
    """Draft a payout of all that is payable now, for a publisher whose terms let him ask for it on any day.

    NotAllowed `not_on_request` for others; Conflict `payout_not_due`, with the reason as its fault, when there is
    nothing to pay, nowhere to pay it, or a payout that waits already.
    """
    rules = payout_rules_of(publisher_id)
    if not rules.on_request:
        raise NotAllowed("not_on_request", "Wait for the next day of payouts: your terms pay on no other.")
    run = open_payout_run(f"request:{new_id()}", currency, at.date(), actor, at)
    note_run_seen(run, None, at)
    decision, rail = _decide_alone(to_pay(publisher_id, currency), rules, at)
    if not decision.pays or rail is None:
        raise _not_due(decision.reason or "no_rail")
    drafted = draft_payout(run, _draft(publisher_id, currency, decision, rail), actor, at)
    if drafted.state == "skipped":
        raise _not_due(drafted.reason or "draft_waits")
    return drafted


def next_payout_of(has: ToPay, at: datetime) -> NextPayout:
    """Return when a publisher is paid next, and what that would be by what he has today."""
    rules, currency = payout_rules_of(has.account_id), has.payable.currency
    decision, rail = _decide_alone(has, rules, at)
    is_other = rail is not None and rail.kind in ("wise", "paypal")
    threshold = rules.threshold_other_minor if is_other else rules.threshold_minor
    often, today = rules.payouts_a_month, at.date()
    return NextPayout(
        SCHEDULES[often], next_run_day(often, today), Money(decision.minor if decision.pays else 0, currency),
        decision.reason, rules.on_request, Money(threshold, currency), rail,
    )  # fmt: skip


def _not_due(reason: str) -> Conflict:
    says = SENTENCES.get(reason) or SENTENCES["rail_blocked"]
    return Conflict("payout_not_due", says, [Fault("payout", reason, says)])


def _draft_batch(run: PayoutRun, payouts_a_month: int, batch: Sequence[ToPay], at: datetime) -> int:
    ids = [one.account_id for one in batch]
    rules = payout_rules_of_all(ids)
    due = {each for each, rule in rules.items() if rule.payouts_a_month == payouts_a_month}
    mine = [one for one in batch if one.account_id in due]
    for each, (facts, rail) in facts_of(mine, run.currency, rules).items():
        draft_payout(run, _draft(each, run.currency, decide(facts, rules[each], at), rail), ACTOR, at)
    return len(mine)


def _decide_alone(has: ToPay, rules: PayoutRules, at: datetime) -> tuple[Decision, PayoutRail | None]:
    facts, rail = facts_of([has], has.payable.currency, {has.account_id: rules})[has.account_id]
    return decide(facts, rules, at), rail


def _draft(publisher_id: UUID, currency: str, decision: Decision, rail: PayoutRail | None) -> PayoutDraft:
    money = Money(max(decision.minor, 0), currency)
    rail_id = rail.id if rail and decision.pays else None
    return PayoutDraft(publisher_id, money, rail_id, decision.reason, decision.needs_review)
