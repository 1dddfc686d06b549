"""Balances: nothing but the sum of balance transactions, available once their day has come."""

from typing import Any

from billing.fake_stripe import faults, lists
from billing.fake_stripe.call import Call, new_id, route
from billing.fake_stripe.errors import Json, Refused
from billing.fake_stripe.params import PAGE, currency, instants, text

FEE_PER_10_000, FEE_FIXED = 150, 25
WEEK = 7 * 86_400
CATEGORIES = {
    "payment": "charge",
    "refund_failure": "refund_failure",
    "transfer_refund": "transfer_reversal",
    "payout_failure": "payout_reversal",
    "stripe_fee": "fee",
}


def charge_fee(paid: int) -> int:
    """Return what the fake takes for a card payment: 1.5 % and 0.25, half a cent up."""
    return (paid * FEE_PER_10_000 + 5_000) // 10_000 + FEE_FIXED


def book(
    call: Call,
    kind: str,
    amount: int,
    currency: str,
    source: str | None,
    *,
    fee: int = 0,
    fee_for: str = "Stripe processing fees",
    category: str | None = None,
    available_on: int | None = None,
    description: str | None = None,
) -> Json:
    """Move money on an account's balance and return the balance transaction."""
    ready = call.now if available_on is None else available_on
    details = [{"amount": fee, "application": None, "currency": currency, "description": fee_for, "type": "stripe_fee"}]
    return call.add(
        {
            "id": new_id("txn"),
            "object": "balance_transaction",
            "amount": amount,
            "available_on": ready,
            "balance_type": "payments",
            "created": call.now,
            "currency": currency,
            "description": description,
            "exchange_rate": None,
            "fee": fee,
            "fee_details": details if fee else [],
            "net": amount - fee,
            "reporting_category": category or CATEGORIES.get(kind, kind),
            "source": source,
            "status": "available" if ready <= call.now else "pending",
            "type": kind,
        }
    )


def pending_until(call: Call) -> int:
    """Return when a payment of now is at hand: at once, unless a fault holds it back."""
    fault = faults.take(call.store, "funds_pending")
    return call.now + int(fault.get("seconds", WEEK)) if fault else call.now


def sums(call: Call) -> dict[str, dict[str, int]]:
    """Return what is available and what is pending of each currency."""
    rows = call.store.rows(
        "SELECT json_extract(body, '$.currency') AS currency,"
        " sum(iif(json_extract(body, '$.available_on') <= ?, json_extract(body, '$.net'), 0)) AS ready,"
        " sum(json_extract(body, '$.net')) AS net"
        " FROM objects WHERE kind = 'balance_transaction' AND account = ? GROUP BY 1 ORDER BY 1",
        call.now, call.account,
    )  # fmt: skip
    return {row["currency"]: {"available": row["ready"], "pending": row["net"] - row["ready"]} for row in rows}


def need_available(call: Call, amount: int, currency: str, message: str) -> None:
    """Refuse to send money that is not at hand."""
    if sums(call).get(currency, {}).get("available", 0) < amount:
        raise Refused(message, code="balance_insufficient")


@route("GET", "/v1/balance")
def retrieve(call: Call) -> Json:
    """Return the account's balance per currency."""
    found = sums(call) or {"eur": {"available": 0, "pending": 0}}

    def amounts(which: str) -> list[Json]:
        return [
            {"amount": sums_of[which], "currency": name, "source_types": {"card": sums_of[which]}}
            for name, sums_of in found.items()
        ]

    return {"object": "balance", "available": amounts("available"), "livemode": False, "pending": amounts("pending")}


@route("GET", "/v1/balance_transactions/{}")
def retrieve_transaction(call: Call, transaction_id: str) -> Json:
    """Return a balance transaction."""
    return _shown(call, call.get("balance_transaction", transaction_id))


FILTERS: Json = PAGE | {"created": instants, "currency": currency, "payout": text, "source": text, "type": text}


@route("GET", "/v1/balance_transactions", FILTERS)
def index(call: Call) -> Json:
    """Return a page of balance transactions; those of a manual payout are only its own."""
    given = call.params
    wanted: dict[str, Any] = {name: given.get(name) for name in ("created", "currency", "type")}
    wanted["source"] = given.get("payout") or given.get("source")
    if given.get("payout"):
        call.get("payout", given["payout"], "payout")
    found = lists.page(call, "balance_transaction", "/v1/balance_transactions", **wanted)
    found["data"] = [_shown(call, transaction) for transaction in found["data"]]
    return found


def _shown(call: Call, transaction: Json) -> Json:
    return {**transaction, "status": "available" if transaction["available_on"] <= call.now else "pending"}
