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
from billing.audit_checks import CHECKS
from billing.balances import Earned, earned_by, wallets_of
from billing.documents.content import content_of
from billing.documents.details import details_of, say_details
from billing.documents.issuing import Paid, issue_receipt
from billing.documents.models import BillingDetails, Document
from billing.documents.pdf import pdf_of
from billing.documents.reading import documents_about, documents_of, get_document
from billing.documents.sheet import Sheet, sheet_of
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
from billing.funding.audit_checks import Check
from billing.funding.chargebacks import chargebacks_lately
from billing.funding.due import run_due_cards
from billing.funding.erasing import erase_card_news
from billing.funding.give_backs import give_backs_of
from billing.funding.models import TopUp
from billing.funding.paying import start_give_back, start_top_up
from billing.funding.recharge.cards import cards_of, get_card_page, latest_card_page, remove_card
from billing.funding.recharge.choosing import (
    Choice,
    choose_recharge,
    demand_currency,
    last_recharges,
    recharge_of,
    recharges_of,
    resume_recharge,
)
from billing.funding.recharge.low import is_low, note_paces, wallets_to_count, warn_low
from billing.funding.recharge.mails import JOB as WALLET_MAIL
from billing.funding.recharge.models import CardPage, RechargeNote, SavedCard
from billing.funding.recharge.pauses import notes_of
from billing.funding.recharge.saving import start_card_page
from billing.funding.recharge.terms import Typed, Wish
from billing.funding.reconciliation import Reconciliation, reconcile
from billing.funding.top_ups import Payer, Ways, find_session, get_top_up, top_ups_of
from billing.history import HistoryItem, history_of
from billing.holds import HoldOutcome, HoldRequest, HoldState, place_hold, resolve_holds
from billing.journal import KINDS, Line, Posted, journal_of, lines_of, posting_of
from billing.journal import Asked as JournalAsked
from billing.own_funds import put_in_funds
from billing.promo import PromoGrant, ask_promo, decide_promo, grants_of, grants_waiting
from billing.refunds import lock_parties, net_owed, refund_capture
from billing.stand_in import StandIn, stand_in_for
from billing.suspending import readmit_wallet, suspend_wallet
from billing.wallets import Posting, WalletBalance, credit_wallet, grant_promo, open_wallet, wallet_of

__all__ = [
    "CHECKS",
    "KINDS",
    "WALLET_MAIL",
    "AuditReport",
    "BillingDetails",
    "CardPage",
    "Check",
    "CheckResult",
    "Choice",
    "Document",
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
    "Paid",
    "Payer",
    "Posted",
    "Posting",
    "PromoGrant",
    "RechargeNote",
    "Reconciliation",
    "ReserveDay",
    "SavedCard",
    "Sheet",
    "StandIn",
    "TopUp",
    "TrialLine",
    "Typed",
    "WalletBalance",
    "Ways",
    "Wish",
    "ask_check",
    "ask_promo",
    "audit",
    "cards_of",
    "charge_fee",
    "chargebacks_lately",
    "choose_recharge",
    "compensate",
    "content_of",
    "credit_wallet",
    "decide_promo",
    "demand_currency",
    "details_of",
    "documents_about",
    "documents_of",
    "earned_by",
    "earnings_of",
    "erase_card_news",
    "figures_of",
    "find_session",
    "get_card_page",
    "get_document",
    "get_top_up",
    "give_backs_of",
    "grant_promo",
    "grants_of",
    "grants_waiting",
    "history_of",
    "is_low",
    "issue_receipt",
    "journal_of",
    "last_recharges",
    "latest_card_page",
    "lines_of",
    "lock_parties",
    "mature_reserves",
    "net_owed",
    "note_paces",
    "notes_of",
    "open_earner",
    "open_wallet",
    "pdf_of",
    "place_hold",
    "posting_of",
    "put_in_funds",
    "readmit_wallet",
    "recharge_of",
    "recharges_of",
    "reconcile",
    "refund_capture",
    "remove_card",
    "reserves_of",
    "resolve_holds",
    "resume_recharge",
    "return_fee",
    "run_due_cards",
    "say_details",
    "sheet_of",
    "stand_in_for",
    "start_card_page",
    "start_give_back",
    "start_top_up",
    "suspend_wallet",
    "top_ups_of",
    "trial_balance",
    "wallet_of",
    "wallets_of",
    "wallets_to_count",
    "warn_low",
]
