"""The words that pages have for codes: a state's tone and word, what moved a wallet, the kinds of account."""

from dataclasses import dataclass
from typing import Any

from markupsafe import Markup, escape

from core.words import lazy_gettext as _l


@dataclass(frozen=True, slots=True)
class Word:
    """A state as it is shown: a dot in a tone, and a word."""

    tone: str
    says: Any


STATES = {
    "sold": Word("won", _l("Sold")),
    "unsold": Word("neutral", _l("Not sold")),
    "pending": Word("held", _l("Pending")),
    "rejected": Word("refused", _l("Refused")),
    "held": Word("held", _l("Held")),
    "delivered": Word("held", _l("Delivered")),
    "disputed": Word("held", _l("Disputed")),
    "settled": Word("won", _l("Settled")),
    "returned": Word("refused", _l("Returned")),
    "refused": Word("refused", _l("Refused")),
    "failed": Word("refused", _l("Failed")),
    "active": Word("won", _l("Active")),
    "paused": Word("neutral", _l("Paused")),
    "open": Word("held", _l("Open")),
    "upheld": Word("refused", _l("Upheld")),
    "partial": Word("held", _l("Upheld in part")),
    "repriced": Word("held", _l("Priced anew")),
    "appealed": Word("held", _l("Appealed")),
    "warned": Word("held", _l("Warned")),
    "hot": Word("refused", _l("Hot")),
    "warm": Word("held", _l("Warm")),
    "cold": Word("neutral", _l("Cold")),
    "waiting": Word("held", _l("Waits")),
    "late": Word("refused", _l("Late")),
    "in_hand": Word("held", _l("Being sent")),
    "filed": Word("held", _l("In the next file")),
    "accepted": Word("won", _l("Accepted")),
    "in_time": Word("won", _l("In time")),
    "too_late": Word("refused", _l("Too late")),
    "ready": Word("held", _l("Not begun")),
    "running": Word("held", _l("Running")),
    "done": Word("won", _l("Done")),
    "cancelled": Word("neutral", _l("Ended early")),
    "full": Word("won", _l("Full")),
    "ended": Word("neutral", _l("Over")),
    "off": Word("neutral", _l("Switched off")),
    "closed": Word("neutral", _l("Closed")),
    "stopped": Word("refused", _l("Stopped")),
    "expired": Word("neutral", _l("Expired")),
    "charge": Word("held", _l("Card is charged")),
    "paid": Word("won", _l("Paid")),
    "authentication_required": Word("refused", _l("Bank asks")),
    "declined": Word("refused", _l("Declined")),
    "not_sent": Word("neutral", _l("Not sent")),
    "withdrawn": Word("neutral", _l("Withdrawn")),
    "too_many_tries": Word("refused", _l("Too many tries")),
    "owes": Word("held", _l("Due first")),
    "resumed": Word("won", _l("Resumed")),
    "changed": Word("neutral", _l("Changed")),
    "switched_off": Word("neutral", _l("Switched off")),
    "suspended": Word("refused", _l("Suspended")),
    "charged_back": Word("refused", _l("Charged back")),
    "no_card": Word("refused", _l("No card")),
    "card_expired": Word("refused", _l("Card expired")),
    "daily_limit": Word("held", _l("Daily limit")),
    "new_card_limit": Word("held", _l("Limit of new cards")),
    "dropped": Word("neutral", _l("Dropped")),
    "enabled": Word("won", _l("Enabled")),
    "disabled": Word("neutral", _l("Disabled")),
    "revoked": Word("neutral", _l("Revoked")),
    "address_own": Word("won", _l("Of your own people")),
    "address_confirmed": Word("won", _l("Confirmed")),
    "address_waiting": Word("held", _l("Waits for its code")),
    "address_bounced": Word("refused", _l("Mail comes back")),
    "endpoint_ok": Word("won", _l("Answers")),
    "endpoint_trying": Word("held", _l("Being tried")),
    "endpoint_paused": Word("refused", _l("Paused")),
}
# Words of an order's choices.
OPERATORS = {
    "eq": _l("is"),
    "ne": _l("is not"),
    "in": _l("is one of"),
    "not_in": _l("is none of"),
    "gt": _l("is above"),
    "gte": _l("is at least"),
    "lt": _l("is below"),
    "lte": _l("is at most"),
    "between": _l("is between"),
    "exists": _l("is given"),
    "matches": _l("matches"),
}
DAYS = {
    "mon": _l("Mon"),
    "tue": _l("Tue"),
    "wed": _l("Wed"),
    "thu": _l("Thu"),
    "fri": _l("Fri"),
    "sat": _l("Sat"),
    "sun": _l("Sun"),
}
EXCLUSIVITIES = {"shared": _l("Shared with other buyers"), "exclusive": _l("To you alone")}
TEMPERATURES = {"hot": _l("Hot"), "warm": _l("Warm"), "cold": _l("Cold")}
CONTACT_CLASSES = {
    "quick": _l("Quick"),
    "registration": _l("Registration"),
    "promotional": _l("Promotional"),
    "interested": _l("Interested"),
}
DELIVERIES = {
    "none": _l("None: read them here or by the API"),
    "webhook": _l("Signed JSON to an address of yours"),
    "email": _l("E-mail"),
    "json": _l("Another form, written as JSON"),
}
PRICED_BY = {
    "contact_class": _l("Kind of contact"),
    "temperature": _l("Temperature"),
    "region": _l("Region"),
    "verified": _l("Verified (true or false)"),
    "publisher.code": _l("Publisher, by its code"),
    "source.code": _l("Source, by its code"),
}
PERIODS = {
    "hour": _l("An hour"),
    "day": _l("A day"),
    "week": _l("A week"),
    "month": _l("A month"),
    "total": _l("In all"),
}
TERMS = {
    "name": _l("Name"),
    "regions": _l("Regions"),
    "postal_prefixes": _l("Postal codes"),
    "radius": _l("Around a place"),
    "modifiers": _l("Changes of the price"),
    "price_floor": _l("Least price"),
    "price_ceiling": _l("Highest price"),
    "returns": _l("Leads may be sent back"),
    "price": _l("Price"),
    "exclusivity": _l("Sold"),
    "max_share": _l("Most buyers"),
    "filters": _l("Conditions"),
    "min_score": _l("Least score"),
    "temperatures": _l("Temperatures"),
    "contact_classes": _l("Kinds of contact"),
    "verified_only": _l("Verified only"),
    "contact_sla": _l("Pause when leads are left alone"),
    "settings": _l("Own times and rules"),
    "caps": _l("Most leads"),
    "budget": _l("Most money"),
    "schedule": _l("Hours"),
    "contact_hours": _l("While the lead may be called"),
    "age": _l("Ages of leads"),
    "at_cap": _l("At a cap"),
    "wait_hours": _l("Hours that a lead waits"),
    "delivery": _l("Delivery"),
    "status": _l("State"),
}
OUTCOMES = {
    "accepted": Word("won", _l("Accepted")),
    "refused": Word("refused", _l("Refused")),
    "error": Word("refused", _l("Failed")),
    "not_sent": Word("neutral", _l("Not sent")),
    "withdrawn": Word("neutral", _l("Withdrawn")),
    "too_many_tries": Word("refused", _l("Too many tries")),
    "owes": Word("held", _l("Due first")),
    "under_way": Word("held", _l("Under way")),
}
# Words of what a buyer does with a lead.
REPORTS = {
    "attempted": _l("Tried"),
    "contacted": _l("Contacted"),
    "qualified": _l("Qualified"),
    "unreachable": _l("Unreachable"),
    "won": _l("Won"),
    "lost": _l("Lost"),
}
LOST = {
    "never_reached": _l("Never reached"),
    "not_interested": _l("Not interested"),
    "no_need_yet": _l("No need yet"),
    "too_expensive": _l("Too expensive"),
    "no_budget": _l("No budget"),
    "chose_competitor": _l("Chose a competitor"),
    "not_eligible": _l("Not eligible"),
    "out_of_area": _l("Out of the area"),
    "not_the_decider": _l("Not the one who decides"),
    "other": _l("Something else"),
}
WORKS = {"untouched": _l("Untouched"), "follow_up": _l("Follow-up due")}
CONTACT = {
    "first_name": _l("First name"),
    "last_name": _l("Last name"),
    "phone": _l("Phone"),
    "email": _l("E-mail address"),
    "profile_url": _l("Profile"),
    "postal_code": _l("Postal code"),
    "city": _l("City"),
    "address": _l("Address"),
    "language": _l("Language"),
    "best_time": _l("Best time"),
    "company": _l("Company"),
    "position": _l("Position"),
}
LEAD_STATUSES = ("sold", "unsold", "pending", "rejected")
KINDS = {"publisher": _l("Publisher"), "buyer": _l("Buyer"), "operator": _l("Operator")}
DOCUMENTS = {"receipt": _l("Receipt"), "credit_note": _l("Credit note")}
MONTHS = {"invoice": _l("Invoice"), "statement": _l("Statement")}
TREATMENTS = {"none": _l("No VAT"), "rate": _l("At a rate"), "reverse_charge": _l("Reverse charge")}
# What the lines of invoices and statements are; a line of another kind is called as its movement is.
LINE_KINDS = {
    "sale": _l("Sale"),
    "unpaid": _l("Not paid"),
    "refund": _l("Taken back"),
    "fee": _l("Fee"),
    "fee_back": _l("Fee returned"),
    "mature": _l("Reserve released"),
    "clawback": _l("Debt netted"),
    "compensate": _l("Compensation"),
}
METHODS = {
    "card": _l("card"),
    "bank": _l("bank transfer"),
    "assigned": _l("payment found to be yours"),
    "returned": _l("refund that could not be sent"),
    "taken_back": _l("transfer taken back by the bank"),
}
MOVEMENTS = {
    "credit": _l("Credit by hand"),
    "promo": _l("Promotional credit"),
    "hold": _l("Set aside for a lead"),
    "capture": _l("Paid for a lead"),
    "release": _l("Set free again"),
    "top_up": _l("Top-up"),
    "own_funds": _l("Own funds"),
    "card_payment": _l("Card payment at Stripe"),
    "card_refund": _l("Refund at Stripe"),
    "card_payout": _l("Payout from Stripe"),
    "card_fee": _l("Fee of Stripe"),
    "give_back": _l("Sent back to the card"),
    "give_back_failed": _l("Came back from the card"),
    "chargeback_withdrawn": _l("Chargeback"),
    "chargeback_won": _l("Chargeback won"),
    "chargeback_lost": _l("Chargeback lost"),
    "suspense": _l("Unexplained, set aside"),
    "resolve": _l("Sale settled"),
    "mature": _l("Reserve released"),
    "compensation": _l("Paid by the exchange"),
    "compensate": _l("Paid by the exchange"),
    "clawback": _l("Debt netted"),
    "refund": _l("Lead sent back"),
    "fee": _l("Fee"),
    "fee_back": _l("Fee returned"),
    "bank_credit": _l("Bank transfer"),
    "bank_suspense": _l("At the bank, set aside"),
    "bank_return": _l("Sent back by transfer"),
    "bank_payout": _l("Payout shown by a statement"),
    "write_off": _l("Debt written off"),
    "suspense_assign": _l("Found to be this wallet's"),
    "suspense_return": _l("Sent back, as an operator says"),
    "suspense_fees": _l("Suspense written to fees"),
    "suspense_fx": _l("Suspense written to exchange"),
    "suspense_payouts": _l("Suspense that was payouts"),
    "payout": _l("Payout"),
    "payout_back": _l("Payout that did not leave"),
    "transfer": _l("Payout sent"),
    "transfer_back": _l("Payout that came back"),
    "suspense_charge": _l("Transfer taken back by the bank"),
    "draw": _l("Drawn from the credit line"),
    "debt_paid": _l("Debt paid"),
    "vat_invoice": _l("VAT of an invoice"),
    "vat_statement": _l("VAT of a statement"),
}
PAID_FROM = {
    "escrow": _l("Escrow"),
    "credit": _l("Credit"),
    "both": _l("Escrow and credit"),
}
PARTS = {
    "wallet:available": _l("Available"),
    "wallet:held": _l("Held"),
    "wallet:frozen": _l("Frozen"),
    "wallet:promo": _l("Promotional credit"),
    "recv:wallet": _l("Owed"),
    "recv:earner": _l("Owed to the exchange"),
    "earner:payable": _l("Payable"),
    "earner:reserve": _l("Reserve"),
    "earner:in_flight": _l("On its way to you"),
}
DISPUTE_REASONS = {
    "mistyped": _l("Reaches nobody"),
    "out_of_criteria": _l("Outside the order's conditions"),
    "duplicate": _l("Had already"),
    "prank": _l("Prank"),
    "competitor": _l("Competitor or test"),
    "bot": _l("Robot"),
    "hired": _l("Paid to ask"),
    "unreachable": _l("Unreachable"),
    "no_consent": _l("No consent"),
}


def line_kind(code: str) -> Any:
    """Return the words of a document's line."""
    return LINE_KINDS.get(code) or movement_of_kind(code)


def state_of(code: str) -> Word:
    """Return how a state is shown; one without a word of its own is shown as it is."""
    return STATES.get(code) or Word("neutral", code)


def state_shown(code: str) -> Markup:
    """Show a state as the mark that stands in lists."""
    word = state_of(code)
    return Markup(f'<span class="state tone-{escape(word.tone)}">{escape(word.says)}</span>')  # noqa: S704  # escaped


def kind_of(code: str) -> Any:
    """Return what an account's kind is called."""
    return KINDS.get(code, code)


def movement_of_kind(code: str) -> Any:
    """Return what moved a wallet."""
    return MOVEMENTS.get(code, code.replace("_", " "))


def paid_from_word(code: str) -> Any:
    """Return what a sale's price was taken from."""
    return PAID_FROM[code]


def part_of_wallet(code: str) -> Any:
    """Return what a part of a wallet is called."""
    return PARTS.get(code, code)


def period_word(code: str) -> Any:
    """Return what a period of limits is called."""
    return PERIODS[code]


def term_word(code: str) -> Any:
    """Return what a term of an order is called."""
    return TERMS.get(code, code)


def outcome_word(code: str) -> Word:
    """Return how what an attempt to deliver came to is shown."""
    return OUTCOMES.get(code) or Word("neutral", code)


def report_word(code: str) -> Any:
    """Return what a report on a lead is called."""
    return REPORTS.get(code, code)


def contact_word(code: str) -> Any:
    """Return what a field of a person's contact is called."""
    return CONTACT.get(code, code)


def dispute_reason_of(code: str) -> Any:
    """Return the few words of a dispute's reason; one without words of its own is shown as it is."""
    return DISPUTE_REASONS.get(code, code.replace("_", " ").capitalize())
