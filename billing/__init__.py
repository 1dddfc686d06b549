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
from billing.balances import Earned, currencies_earned, earned_by, wallets_of
from billing.bank.accounts import (
    Payee,
    ask_bank_account,
    asked_bank_accounts,
    bank_accounts,
    decide_bank_account,
    find_bank_account,
    say_bank_account,
)
from billing.bank.agreeing import agree_to_import, asked_imports, refuse_import
from billing.bank.booking import book_lines
from billing.bank.models import (
    BankAccount,
    BankAccountWish,
    BankImport,
    ProForma,
    SuspenseMove,
)
from billing.bank.pro_formas import (
    OLD_AFTER,
    ask_pro_forma,
    cancel_pro_forma,
    get_pro_forma,
    payable_pro_formas_of,
    pro_formas_of,
    transfers_of,
)
from billing.bank.reading import Sent, take_in
from billing.bank.references import shown as shown_reference
from billing.bank.rounds import wake_bank
from billing.bank.sheet import FIELDS as SHEET_FIELDS
from billing.bank.sheet import Sheet as BankSheet
from billing.bank.standing import (
    Suspended,
    bank_unexplained,
    get_import,
    get_suspended,
    imports,
    line_of,
    lines_of_import,
    moves_of,
    open_moves,
    outcomes_of,
    statements_of,
    suggestions_for,
    suspended,
)
from billing.bank.suspense import (
    Wish,
    confirm_move,
    move_suspense,
    settle_against,
    settle_by_hand,
    withdraw_move,
)
from billing.check import Check
from billing.credit.debts import (
    Owing,
    collect_due,
    open_debts_of,
    owing_of,
    pay_early,
    stop_overdue,
)
from billing.credit.lines import NET_DAYS, Grant, lines_after, set_credit_line, versions_of
from billing.credit.models import CreditLine, Debt
from billing.credit.statement import DebtMove, debt_moves_of, every_debt_move
from billing.documents.content import Party, content_of
from billing.documents.details import details_of, say_details
from billing.documents.issuing import Paid, issue_receipt
from billing.documents.models import BillingDetails, Document
from billing.documents.months.content import Counted, Label, MonthContent, month_content_of
from billing.documents.months.drafts import (
    Booked,
    Draft,
    Position,
    Side,
    draft_of,
    position_of,
    unpaid_lines,
)
from billing.documents.months.explaining import Difference, unexplained
from billing.documents.months.issuing import issue_month, next_due_month
from billing.documents.months.models import DocumentLine, VatTerms
from billing.documents.months.pdf import month_pdf_of
from billing.documents.months.printing import ask_print, forget_prints, is_long, printed_month
from billing.documents.months.reading import (
    find_month,
    is_looked_at,
    issued_months,
    lines_of_document,
    month_documents_of,
    paid_lines_of,
)
from billing.documents.months.sheet import month_sheet_of
from billing.documents.months.vat import Wish as VatWish
from billing.documents.months.vat import say_vat_terms, vat_terms_of
from billing.documents.pdf import pdf_of
from billing.documents.reading import documents_about, documents_of, get_document
from billing.documents.sheet import Sheet, sheet_of
from billing.earners import (
    EarnerBalance,
    OpenLot,
    ReserveDay,
    compensate,
    earnings_of,
    earnings_together,
    mature_reserves,
    open_earner,
    open_lots_of,
    reserve_weeks,
    reserves_of,
)
from billing.exporting import Exported, beancount_text, exported
from billing.fees import charge_fee, return_fee
from billing.funding.chargebacks import chargebacks_lately
from billing.funding.due import run_due_cards, run_due_payouts
from billing.funding.erasing import erase_card_news
from billing.funding.give_backs import give_backs_of
from billing.funding.models import TopUp
from billing.funding.onboarding import look_at_rail, onboarding_address
from billing.funding.paying import start_give_back, start_top_up
from billing.funding.recharge.cards import get_card_page, latest_card_page, remove_card
from billing.funding.recharge.choosing import (
    Choice,
    choose_recharge,
    demand_currency,
    recharge_of,
    recharges_of,
    resume_recharge,
)
from billing.funding.recharge.low import is_low, note_paces, wallets_to_count, warn_low
from billing.funding.recharge.mails import JOB as WALLET_MAIL
from billing.funding.recharge.models import CardPage, RechargeNote, SavedCard
from billing.funding.recharge.pauses import notes_of
from billing.funding.recharge.payer import cards_of
from billing.funding.recharge.saving import start_card_page
from billing.funding.recharge.terms import Typed
from billing.funding.recharge.terms import Wish as RechargeWish
from billing.funding.reconciliation import reconcile
from billing.funding.top_ups import Payer, Ways, find_session, get_top_up, top_ups_of
from billing.history import HistoryItem, history_of
from billing.holds import HoldRequest, place_hold, resolve_holds
from billing.journal import KINDS, Line, Posted, journal_of, lines_of, posting_of
from billing.journal import Asked as JournalAsked
from billing.own_funds import put_in_funds
from billing.payouts.drafting import Draft as PayoutDraft
from billing.payouts.drafting import approve as approve_payout
from billing.payouts.drafting import draft as draft_payout
from billing.payouts.drafting import note_seen as note_run_seen
from billing.payouts.drafting import open_run as open_payout_run
from billing.payouts.drafting import try_again as try_payout_again
from billing.payouts.drafting import withdraw as withdraw_payout
from billing.payouts.files import content_of_file as content_of_payout_file
from billing.payouts.files import give_up as give_up_payout_file
from billing.payouts.files import hand_on as hand_on_payout_file
from billing.payouts.files import make_file as make_payout_file
from billing.payouts.files import name_of_file as name_of_payout_file
from billing.payouts.models import Payout, PayoutFile, PayoutRail, PayoutResult, PayoutRun
from billing.payouts.moving import withdraw_waiting as withdraw_waiting_payouts
from billing.payouts.outcomes import take_back as take_payout_back
from billing.payouts.pain import Debtor as PayoutDebtor
from billing.payouts.rails import RailWish, find_rail, say_rail
from billing.payouts.receivables import (
    Owed,
    WriteOff,
    ask_write_off,
    decide_write_off,
    owed_by,
    owed_by_earners,
    write_offs_of,
    write_offs_waiting,
)
from billing.payouts.results import take_results as take_payout_results
from billing.payouts.standing import (
    ShownPayout,
    ToPay,
    came_back_of,
    counted_payouts,
    earners_to_pay,
    get_payout,
    paid_currencies,
    paid_places,
    payable_since,
    payouts_in,
    payouts_of,
    payouts_of_file,
    place_of,
    places_of,
    to_pay,
)
from billing.payouts.standing import events_of as payout_events_of
from billing.payouts.standing import files_lately as payout_files_lately
from billing.payouts.standing import get_file as get_payout_file
from billing.payouts.standing import get_results as get_payout_results
from billing.payouts.standing import results_lately as payout_results_lately
from billing.promo import PromoGrant, ask_promo, decide_promo, grants_of, grants_waiting
from billing.refunds import lock_parties, net_owed, refund_capture
from billing.spendable import WalletMove, line_moves, spendable_before, wallet_moves
from billing.stand_in import stand_in_for
from billing.suspending import readmit_wallet, suspend_wallet
from billing.wallets import Posting, WalletBalance, credit_wallet, grant_promo, open_wallet, wallet_of

__all__ = [
    "CHECKS", "KINDS", "NET_DAYS", "OLD_AFTER", "SHEET_FIELDS", "WALLET_MAIL", "AuditReport", "BankAccount",
    "BankAccountWish", "BankImport", "BankSheet", "BillingDetails", "Booked", "CardPage", "Check", "CheckResult",
    "Choice", "Counted", "CreditLine", "Debt", "DebtMove", "Difference", "Document", "DocumentLine", "Draft", "Earned",
    "EarnerBalance", "Executes", "Exported", "Figure", "Grant", "HistoryItem", "HoldRequest", "JournalAsked", "Label",
    "Line", "MonthContent", "OpenLot", "Owed", "Owing", "Paid", "Party", "Payee", "Payer", "Payout", "PayoutDebtor",
    "PayoutDraft", "PayoutFile", "PayoutRail", "PayoutResult", "PayoutRun", "Position", "Posted", "Posting",
    "ProForma", "PromoGrant", "RailWish", "RechargeNote", "RechargeWish", "ReserveDay", "SavedCard", "Sent", "Sheet",
    "ShownPayout", "Side", "Suspended", "SuspenseMove", "ToPay", "TopUp", "TrialLine", "Typed", "VatTerms", "VatWish",
    "WalletBalance", "WalletMove", "Ways", "Wish", "WriteOff", "agree_to_import", "approve_payout", "ask_bank_account",
    "ask_check", "ask_print", "ask_pro_forma", "ask_promo", "ask_write_off", "asked_bank_accounts", "asked_imports",
    "audit", "bank_accounts", "bank_unexplained", "beancount_text", "book_lines", "came_back_of", "cancel_pro_forma",
    "cards_of", "charge_fee", "chargebacks_lately", "choose_recharge", "collect_due", "compensate", "confirm_move",
    "content_of", "content_of_payout_file", "counted_payouts", "credit_wallet", "currencies_earned", "debt_moves_of",
    "decide_bank_account", "decide_promo", "decide_write_off", "demand_currency", "details_of", "documents_about",
    "documents_of", "draft_of", "draft_payout", "earned_by", "earners_to_pay", "earnings_of", "earnings_together",
    "erase_card_news", "every_debt_move", "exported", "figures_of", "find_bank_account", "find_month", "find_rail",
    "find_session", "forget_prints", "get_card_page", "get_document", "get_import", "get_payout", "get_payout_file",
    "get_payout_results", "get_pro_forma", "get_suspended", "get_top_up", "give_backs_of", "give_up_payout_file",
    "grant_promo", "grants_of", "grants_waiting", "hand_on_payout_file", "history_of", "imports", "is_long",
    "is_looked_at", "is_low", "issue_month", "issue_receipt", "issued_months", "journal_of", "latest_card_page",
    "line_moves", "line_of", "lines_after", "lines_of", "lines_of_document", "lines_of_import", "lock_parties",
    "look_at_rail", "make_payout_file", "mature_reserves", "month_content_of", "month_documents_of", "month_pdf_of",
    "month_sheet_of", "move_suspense", "moves_of", "name_of_payout_file", "net_owed", "next_due_month", "note_paces",
    "note_run_seen", "notes_of", "onboarding_address", "open_debts_of", "open_earner", "open_lots_of", "open_moves",
    "open_payout_run", "open_wallet", "outcomes_of", "owed_by", "owed_by_earners", "owed_since", "owing_for_long",
    "owing_of", "paid_currencies", "paid_lines_of", "paid_places", "pay_early", "payable_pro_formas_of",
    "payable_since", "payout_events_of", "payout_files_lately", "payout_results_lately", "payouts_in", "payouts_of",
    "payouts_of_file", "pdf_of", "place_hold", "place_of", "places_of", "position_of", "posting_of", "printed_month",
    "pro_formas_of", "put_in_funds", "readmit_wallet", "recharge_of", "recharges_of", "reconcile", "refund_capture",
    "refuse_import", "remove_card", "reserve_weeks", "reserves_of", "resolve_holds", "resume_recharge", "return_fee",
    "run_due_cards", "run_due_payouts", "say_bank_account", "say_details", "say_rail", "say_vat_terms",
    "set_credit_line", "settle_against", "settle_by_hand", "sheet_of", "shown_reference", "spendable_before",
    "stand_in_for", "start_card_page", "start_give_back", "start_top_up", "statements_of", "stop_overdue",
    "suggestions_for", "suspend_wallet", "suspended", "take_in", "take_payout_back", "take_payout_results", "to_pay",
    "top_ups_of", "transfers_of", "trial_balance", "try_payout_again", "unexplained", "unpaid_lines", "vat_terms_of",
    "versions_of", "wake_bank", "wallet_moves", "wallet_of", "wallets_of", "wallets_to_count", "warn_low",
    "withdraw_move", "withdraw_payout", "withdraw_waiting_payouts", "write_offs_of", "write_offs_waiting",
]  # fmt: skip
