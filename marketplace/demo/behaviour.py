"""What the sample market's people do with a lead that was bought: call, report, dispute, decide, answer deliveries.

Pure and seeded by the lead's own name and the buyer's, so that whoever asks again gets the same deeds. They know what
a lead truly was, as a buyer does once he has called; the product learns it from them alone.
"""

from base64 import b64encode
from datetime import datetime, timedelta
from random import Random
from typing import Any, NamedTuple

from core.clock import as_rfc3339
from marketplace.catalog.dispute_rules import Reason
from marketplace.demo.market import Behaviour, Buyer, SampleMarket, TrueLabel

LOST = ("not_interested", "no_need_yet", "too_expensive", "chose_competitor", "never_reached", "not_eligible")
# What a buyer who calls takes each kind of lead for, the likeliest first: a robot's number is dead, a paid person never
# asked for anything. Whatever is drawn beyond these weights is claimed as the mix of the market has it.
REASONS_OF: dict[TrueLabel, dict[str, int]] = {
    "mistyped": {"mistyped": 70},
    "bot": {"mistyped": 40, "bot": 35},
    "hired": {"prank": 50, "hired": 20},
    "duplicate": {"duplicate": 80},
    "prank": {"prank": 80},
    "competitor": {"competitor": 80},
    "off_criteria": {"out_of_criteria": 80},
    "weak_consent": {"no_consent": 60, "prank": 20},
}
SUB_REASONS = {"duplicate": "bought_here", "out_of_criteria": "order_conditions", "mistyped": "dead_number"}
NOTES = {
    "unreachable": "Nobody answered on three days.",
    "mistyped": "The number is not in service.",
    "duplicate": "We had this person already.",
    "prank": "The person never asked for anything.",
    "out_of_criteria": "Not what the order asks for.",
    "bot": "The answers look made up by a program.",
    "hired": "The person said they were paid to fill in the form.",
    "competitor": "This is a competitor of ours.",
    "no_consent": "The person denies having agreed.",
}
FALLBACK = "mistyped"  # what a buyer claims where his reason is none in the vertical
QUICK_HOURS, PATIENT_HOURS = (1.0, 40.0), (3.0, 130.0)
QUICK = ("mistyped", "out_of_criteria")
OPERATOR_HOURS = (6.0, 60.0)
MISJUDGED = 0.06  # of what the operator decides


class Sold(NamedTuple):
    """A lead that a buyer bought, as the buyer sees it."""

    sale: str
    lead: str
    vertical: str
    temperature: str
    price_minor: int
    at: datetime


class Known(NamedTuple):
    """What the simulator knows of a lead beside: its publisher's own name for it, and what it truly is."""

    name: str
    label: TrueLabel


class Rules(NamedTuple):
    """What may be disputed in a vertical: its window from delivery, and its reasons."""

    window_hours: int
    reasons: dict[str, Reason]


class Deed(NamedTuple):
    """Something that a buyer does with a sale at an instant; `body` is what is sent to the API."""

    at: datetime
    sale: str
    kind: str
    body: dict[str, Any]


def deeds_of(buyer: Buyer, sold: Sold, known: Known, market: SampleMarket, rules: Rules, bad_bp: int) -> list[Deed]:
    """Return all that a buyer does with a sale; `bad_bp` is how much of what is sold is none, as far as one knows."""
    dice = Random(f"{market.size.seed} {buyer.name} {known.name} after")
    disputed = _dispute(buyer.behaviour, sold, known, market, rules, bad_bp, dice)
    reports = _reports(buyer.behaviour, sold, known, market, dice)
    return [*reports, *([disputed] if disputed else [])]


def _reports(does: Behaviour, sold: Sold, known: Known, market: SampleMarket, dice: Random) -> list[Deed]:
    if dice.random() * 10_000 >= does.reports_bp:
        return []
    tried = sold.at + timedelta(minutes=max(does.first_contact_minutes, 1) * dice.uniform(0.4, 1.8))
    if known.label in ("mistyped", "bot") or dice.random() < 0.3:
        return [_report(sold, "attempted", tried)]
    won = dice.random() * 10_000 < market.temperatures[sold.temperature].buy_bp
    ended = tried + timedelta(hours=dice.uniform(2, 60))
    if not won and dice.random() < 0.5:
        return [_report(sold, "contacted", tried)]
    last = _report(sold, "won", ended) if won else _report(sold, "lost", ended, dice.choice(LOST))
    return [_report(sold, "contacted", tried), last]


def _report(sold: Sold, status: str, at: datetime, lost_reason: str | None = None) -> Deed:
    at = at.replace(microsecond=0)
    reason = {"lost_reason": lost_reason} if lost_reason else {}
    return Deed(at, sold.sale, "disposition", {"status": status, "at": as_rfc3339(at), **reason})


def _dispute(
    does: Behaviour, sold: Sold, known: Known, market: SampleMarket, rules: Rules, bad_bp: int, dice: Random
) -> Deed | None:
    is_bad = known.label != "good"
    disputed, right = does.disputes_bp / 10_000, does.right_bp / 10_000
    share = disputed * right / (bad_bp / 10_000) if is_bad else disputed * (1 - right) / (1 - bad_bp / 10_000)
    if dice.random() >= share:
        return None
    word = _reason(known.label, market, dice)
    if not rules.reasons[word].enabled:
        word = FALLBACK
    return _claim(sold, word, rules, dice)


def _reason(label: TrueLabel, market: SampleMarket, dice: Random) -> str:
    thrown = dice.random() * 100
    for reason, weight in REASONS_OF.get(label, {}).items():
        thrown -= weight
        if thrown < 0:
            return reason
    drawn = dice.choices(list(market.disputes), list(market.disputes.values()))[0]
    return dice.choice(("bot", "hired")) if drawn == "bot_or_hired" else drawn


def _claim(sold: Sold, word: str, rules: Rules, dice: Random) -> Deed:
    reason = rules.reasons[word]
    latest = min(reason.window_hours or rules.window_hours, rules.window_hours) * 0.9
    hours = dice.uniform(*(QUICK_HOURS if word in QUICK else PATIENT_HOURS))
    if reason.from_hours:
        hours = reason.from_hours + dice.uniform(2, 20)
    at = sold.at + timedelta(hours=min(hours, latest))
    body: dict[str, Any] = {"reason": word, "note": NOTES[word]}
    if word in SUB_REASONS:
        body["sub_reason"] = SUB_REASONS[word]
    if not reason.machine:
        body["file"] = {"name": "calls.txt", "base64": b64encode(_file(sold, word).encode()).decode()}
    if reason.attempts:
        body["evidence"] = _attempts(sold.at, at, reason.attempts.calls)
    return Deed(at.replace(microsecond=0), sold.sale, "dispute", body)


def _file(sold: Sold, word: str) -> str:
    return f"{sold.sale}: {NOTES[word]}\nNoted by the agent who called, {sold.at:%Y-%m-%d}.\n"


def _attempts(sold_at: datetime, at: datetime, calls: int) -> list[dict[str, str]]:
    step = (at - sold_at) / (calls + 1)
    instants = [(sold_at + step * (number + 1)).replace(microsecond=0) for number in range(calls)]
    return [{"attempted_at": as_rfc3339(instant)} for instant in instants]


def decision_of(known: Known, opened_at: datetime, seed: int) -> tuple[datetime, dict[str, str]]:
    """Return when the operator decides a dispute that nobody has decided, and how: mostly as it truly was."""
    dice = Random(f"{seed} {known.name} {opened_at.isoformat()} decision")
    upholds = (known.label != "good") != (dice.random() < MISJUDGED)
    at = (opened_at + timedelta(hours=dice.uniform(*OPERATOR_HOURS))).replace(microsecond=0)
    says = "The recording and the log bear the claim out." if upholds else "The file shows no more than the claim."
    return at, {"decision": "uphold" if upholds else "reject", "note": says}


class Reply(NamedTuple):
    """What an endpoint answers, and after how many seconds."""

    status: int
    body: bytes
    content_type: str = "application/json"
    seconds: float = 0.0


def reply_of(does: Behaviour, message: str, clock: str, seed: int) -> Reply:
    """Answer a delivery as a buyer's server does at a local time such as 11:05."""
    dice = Random(f"{seed} {message} {clock}")
    seconds = does.answer_milliseconds / 1000 * dice.uniform(0.7, 1.3)
    if does.errors_from and does.errors_to:
        if does.errors_from <= clock < does.errors_to:
            return Reply(500, b"Internal Server Error", "text/plain", seconds)
        thrown = dice.random()
        if thrown < 0.03:
            return Reply(200, b"<html><body><h1>It works!</h1></body></html>", "text/html", seconds)
        if thrown < 0.05:
            return Reply(200, b'{"accepted": tr', "application/json", seconds)
    if dice.random() * 10_000 < does.timeouts_bp:
        return Reply(200, b"{}", "application/json", 12.0)
    if Random(f"{seed} {message} known").random() * 10_000 < does.refuses_known_bp:
        return Reply(200, b'{"accepted": false, "reason": "known customer"}', "application/json", seconds)
    return Reply(200, b'{"accepted": true}', "application/json", seconds)
