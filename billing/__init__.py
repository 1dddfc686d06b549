"""The face of billing: wallets, holds, earners and the audit of their books; nothing here commits.

Whoever sits above imports from here and from nowhere deeper. Amounts are `Money`, instants are given, every verb that
moves money takes a key (or derives it from its hold), and doing it twice is doing it once.
"""

from billing.audit import (
    AuditReport,
    CheckResult,
    Executes,
    Figure,
    TrialLine,
    ask_check,
    audit,
    figures_of,
    trial_balance,
)
from billing.audit_checks import CHECKS, Check
from billing.balances import Earned, earned_by, wallets_of
from billing.earners import (
    EarnerBalance,
    ReserveDay,
    compensate,
    earnings_of,
    mature_reserves,
    open_earner,
    reserves_of,
)
from billing.fees import charge_fee, return_fee
from billing.history import HistoryItem, history_of
from billing.holds import HoldOutcome, HoldRequest, HoldState, place_hold, resolve_holds
from billing.journal import KINDS, Line, Posted, journal_of, lines_of, posting_of
from billing.journal import Asked as JournalAsked
from billing.refunds import lock_parties, net_owed, refund_capture
from billing.wallets import Posting, WalletBalance, credit_wallet, grant_promo, open_wallet, wallet_of

__all__ = [
    "CHECKS",
    "KINDS",
    "AuditReport",
    "Check",
    "CheckResult",
    "Earned",
    "EarnerBalance",
    "Executes",
    "Figure",
    "HistoryItem",
    "HoldOutcome",
    "HoldRequest",
    "HoldState",
    "JournalAsked",
    "Line",
    "Posted",
    "Posting",
    "ReserveDay",
    "TrialLine",
    "WalletBalance",
    "ask_check",
    "audit",
    "charge_fee",
    "compensate",
    "credit_wallet",
    "earned_by",
    "earnings_of",
    "figures_of",
    "grant_promo",
    "history_of",
    "journal_of",
    "lines_of",
    "lock_parties",
    "mature_reserves",
    "net_owed",
    "open_earner",
    "open_wallet",
    "place_hold",
    "posting_of",
    "refund_capture",
    "reserves_of",
    "resolve_holds",
    "return_fee",
    "trial_balance",
    "wallet_of",
    "wallets_of",
]
