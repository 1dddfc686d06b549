"""Where each setting may be said otherwise, and why nowhere else: at the exchange, a vertical, a country, an order.

A setting is here for a level when whoever goes by it knows that level; the table of defaults may permit more than that.
"""

from collections.abc import Iterator

from affiliates import RULE_KEYS, TERMS_KEYS
from core.defaults import Default, defaults
from core.overrides import Reach
from core.sentences import sentences
from marketplace.catalog.definition import OWN_FIELDS

LEVELS = ("exchange", "vertical", "country", "order")
_ALL_BUT_COUNTRY = ("exchange", "vertical", "order")

BY_SALE = sentences("It is what it is for each sale: nothing else knows it.")
FOR_ALL = sentences(
    "It is one number for the whole exchange: what goes by it knows neither vertical nor country nor order."
)
OF_A_BUYER = (
    "It counts all that a buyer bought, of every vertical, country and order together: only the exchange says it."
)
OF_A_SOURCE = (
    "It counts all sales of a source, of every vertical, country and order together: only the exchange says it."
)
OF_AN_ORDER = sentences("It counts an order's sales of every country together, so a country says nothing of it.")
NOT_BY_COUNTRY = sentences("Whether a reason counts is for the vertical and the order to say, not for the country.")
NOT_BY_ORDER = sentences("A buyer gives this right up for nobody: an order says nothing of it.")
IN_VERTICALS = sentences(
    "Every vertical states this number itself and leads are judged by that as they arrive: change it there."
)
BUILT_IN = sentences("It is built into the program and changes with a new version of it.")
NESTED = sentences(
    "The days that verticals hold sales for a decision were judged by it, so it is fixed while the program runs."
)
IN_LINES = sentences("Every credit line states its own days, 7, 15 or 30: change it at the line.")
BY_VERTICAL = sentences(
    "Leads are offered again by the rule of their vertical: neither a country nor an order says otherwise."
)
BUT_BY_ORDER = sentences("How long data is kept is for no order to say.")
NOT_BUILT = sentences("Nothing goes by this number yet.")

_CONTACT = ("order", "request", "callback", "call", "question", "message", "estimate", "appointment", "download",
            "registration", "subscription")  # fmt: skip
_OF_THE_EXCHANGE = (
    "dispute.cluster.window_days", "dispute.no_consent.liability_days", "dispute.silence_business_days",
    "dispute.appeal_days", "dispute.appeal_business_days", "contact.left_alone_least",
    *TERMS_KEYS, *RULE_KEYS, "wallet.top_up_least_minor", "wallet.top_up_most_minor", "wallet.transfer_most_minor",
    "wallet.warn_hours", "wallet.recharge_below_days", "wallet.recharge_to_days", "card.new_day_minor",
    "card.new_week_minor", "card.new_days", "card.news_days", "card.tries_a_day", "card.asks_a_day", "card.pages_a_day",
    "credit.most_days", "document.issue_after_hours",
    "credit.overdue_days", "four_eyes.credit_minor", "four_eyes.payout_minor", "payout.small_after_days",
    "debt.receivable_after_days", "order.no_return_discount_bp",
    "market.days", "market.least_sales", "market.least_buyers", "market.delay_hours", "market.reads_a_minute",
    "market.sample_leads", "market.quality_days", "market.quality_least", "what_if.days",
    "wait.hours", "new_order.day_leads", "new_order.day_budget_minor",
    "new_order.from_hour", "new_order.to_hour", "uploads.running", "uploads.kept",
)  # fmt: skip
_OF_BUYERS = ("return.cap_bp", "return.cap_days", "return.cap_least_sales", "claims.false_bp", "claims.false_least",
              "claims.fee_minor")  # fmt: skip
_OF_SOURCES = ("source.warn_bp", "source.pause_bp", "source.least_sales", "source.bot_pause_bp",
               "source.bot_least_leads")  # fmt: skip
_OF_SALES = (
    *(f"dispute.{reason}.window_hours" for reason in (
        "mistyped", "out_of_criteria", "duplicate", "prank", "competitor", "unreachable")),
    *(f"dispute.unreachable.{part}" for part in ("from_hours", "calls", "call_days", "credit_bp")),
    *(f"contact.{interest}_minutes" for interest in _CONTACT), "contact.left_alone_hours",
)  # fmt: skip
_BUILT_IN = ("delivery.timeout_seconds", "delivery.lead_seconds", "delivery.tries_seconds", "breaker.failed_bp",
             "breaker.least_tries", "breaker.minutes", "breaker.probe_minutes", "dispute.machine_seconds",
             "resubmit.seconds")  # fmt: skip
_AGED = (*(f"aged.{part}" for part in ("week_bp", "month_bp", "quarter_bp", "later_bp", "most_resales", "returned_bp",
                                     "most_days")), "wait.most_hours")  # fmt: skip
_NESTED = ("dispute.hearing_hours", "dispute.decision_business_days")


def _reaches() -> Iterator[tuple[str, Reach]]:
    for row in defaults().rows():
        yield row.key, Reach((), NOT_BUILT)
    for keys, levels, why in (
        (_OF_THE_EXCHANGE, ("exchange",), FOR_ALL), (_OF_BUYERS, ("exchange",), OF_A_BUYER),
        (_OF_SOURCES, ("exchange",), OF_A_SOURCE), (_OF_SALES, LEVELS, BY_SALE),
        (OWN_FIELDS, ("vertical",), IN_VERTICALS),
        (_AGED, ("exchange", "vertical"), BY_VERTICAL),
        (("retention.unsold_days", "retention.sold_months"), ("exchange", "vertical", "country"), BUT_BY_ORDER),
        (("credit.net_days",), (), IN_LINES), (_BUILT_IN, (), BUILT_IN), (_NESTED, (), NESTED),
        (("dispute.unreachable.enabled",), _ALL_BUT_COUNTRY, NOT_BY_COUNTRY),
        (("dispute.no_consent.window_hours",), ("exchange", "vertical", "country"), NOT_BY_ORDER),
        (("contact.left_alone_bp",), _ALL_BUT_COUNTRY, OF_AN_ORDER),
    ):  # fmt: skip
        yield from ((key, Reach(levels, why)) for key in keys)


REACHES: dict[str, Reach] = dict(_reaches())


def settings_of_orders() -> list[Default]:
    """Return the settings that an order may narrow for itself."""
    return [row for row in defaults().rows() if "order" in REACHES[row.key].levels]


def reach_said(row: Default) -> str:
    """Say in one line who may say a setting otherwise, and who may only narrow what stands above."""
    levels = REACHES[row.key].levels
    said = [level if level == "exchange" else f"{level} {_manner(row, level)}" for level in LEVELS if level in levels]
    return ", ".join(said)


def _manner(row: Default, level: str) -> str:
    return "within" if level == "vertical" and row.vertical == "within_limits" else "narrows"
