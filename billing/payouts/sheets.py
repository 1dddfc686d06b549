"""Sheets for payers of other kinds, and the sheets of results that come back: written so that no cell is a formula."""

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from core.money import Money

MOST_LINES, MOST_BYTES = 10_000, 4_000_000
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")  # the last four are wide
WISE = ("name", "recipientEmail", "paymentReference", "receiverType", "amountCurrency", "amount", "sourceCurrency",
        "targetCurrency", "type")  # fmt: skip
PAYPAL = ("Email/Phone", "Amount", "Currency code", "Reference ID", "Note to recipient", "Recipient wallet")
# What a sheet of results may call its columns, ours and those of the payers.
REFERENCE = ("reference", "end_to_end_id", "endtoendid", "payment reference", "paymentreference", "reference id",
             "sender_item_id", "sender item id")  # fmt: skip
STATUS = ("status", "state", "transaction status", "transaction_status", "payout status")
REASON = ("reason", "error", "failure reason", "errors", "error message", "reason code")
AMOUNT = ("amount", "gross amount", "target amount")
PAID = frozenset(("paid", "success", "completed", "complete", "outgoing_payment_sent", "sent", "accc", "acsc"))
FAILED = frozenset(("failed", "returned", "refunded", "rejected", "rjct", "blocked", "cancelled", "canceled", "denied",
                    "funds_refunded", "reversed"))  # fmt: skip
# Of what is unclaimed or bounced back the payer has yet to say whether it arrives after all or comes back to us.
UNDER_WAY = frozenset(("unclaimed", "bounced_back",
                       "pending", "processing", "onhold", "acsp", "actc", "accp", "pdng", "funds_converted",
                       "incoming_payment_waiting"))  # fmt: skip


@dataclass(frozen=True, slots=True)
class Payee:
    """One payment of a sheet."""

    reference: str
    name: str
    address: str
    minor: int


@dataclass(frozen=True, slots=True)
class Told:
    """One line of results: `verdict` is paid, failed, or waits; a code and a sentence when it cannot be read."""

    line: int
    reference: str
    verdict: str
    reason: str = ""
    amount: str = ""
    code: str = ""
    says: str = ""


def safe_cell(text: str) -> str:
    """Return a text as a cell that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(FORMULA) else text


def write_sheet(kind: str, currency: str, payees: Iterable[Payee]) -> bytes:
    """Write the payments in the columns that a payer takes."""
    out = io.StringIO()
    sheet = csv.writer(out, lineterminator="\r\n")
    sheet.writerow(WISE if kind == "wise" else PAYPAL)
    for one in payees:
        amount, name = str(Money(one.minor, currency)), safe_cell(one.name)
        if kind == "wise":
            sheet.writerow((name, one.address, one.reference, "PRIVATE", "target", amount, currency, currency, "email"))
        else:
            sheet.writerow((one.address, amount, currency, one.reference, f"Payout {one.reference}", "PayPal"))
    return out.getvalue().encode()


def read_results(raw: bytes) -> tuple[list[Told], str]:
    """Read a sheet of results; return its lines, and what is wrong with the sheet as a whole, empty when nothing is.

    The separator is found by the head; a byte order mark and the apostrophe before a formula are nothing.
    """
    if len(raw) > MOST_BYTES:
        return [], "Send less than 4 MB at once."
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return [], "Send the sheet as UTF-8 text."
    head = text.partition("\n")[0]
    separator = max(",;\t", key=head.count)
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True))
    except csv.Error as error:
        return [], f"Send a sheet that can be read: {error}."
    rows = [row for row in rows if any(cell.strip() for cell in row)]
    if not rows or len(rows) > MOST_LINES + 1:
        return [], f"Send a sheet with a head and at most {MOST_LINES} lines."
    return _read(rows)


def _read(rows: Sequence[Sequence[str]]) -> tuple[list[Told], str]:
    names = [name.strip().lower() for name in rows[0]]
    columns = {"reference": REFERENCE, "status": STATUS, "reason": REASON, "amount": AMOUNT}
    places = {what: next((names.index(one) for one in told if one in names), None) for what, told in columns.items()}
    if places["reference"] is None or places["status"] is None:
        return [], "Send a sheet with at least the columns reference and status."

    def cell(row: Sequence[str], what: str) -> str:
        place = places[what]
        return row[place].strip().removeprefix("'") if place is not None and place < len(row) else ""

    return [
        told_of(number, cell(row, "reference"), cell(row, "status"), cell(row, "reason"), cell(row, "amount"))
        for number, row in enumerate(rows[1:], 2)
    ], ""


def told_of(line: int, reference: str, status: str, reason: str, amount: str) -> Told:
    """Return what a payer says of one payment, by the words that payers have for it."""
    word = status.lower()
    verdict = "paid" if word in PAID else "failed" if word in FAILED else "waits" if word in UNDER_WAY else ""
    if not verdict:
        return Told(line, reference, "", code="unknown_status", says=f"Say paid or failed, not {status[:40]!r}.")
    return Told(line, reference, verdict, reason.replace("\0", " ")[:500], amount)
