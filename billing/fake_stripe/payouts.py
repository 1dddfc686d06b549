"""Payouts: money from a balance to its owner's bank; one shown as paid may still fail."""

from billing.fake_stripe import accounts, balance, faults, lists
from billing.fake_stripe.call import Call, new_id, route
from billing.fake_stripe.errors import Json, Refused
from billing.fake_stripe.params import PAGE, Needed, amount, currency, instants, merged, metadata, one_of, text

CREATE: Json = {
    "amount": Needed(amount),
    "currency": Needed(currency),
    "description": text,
    "metadata": metadata,
    "method": one_of("standard", "instant"),
    "statement_descriptor": text,
    "source_type": one_of("card", "bank_account"),
}
TOO_MUCH = "You have insufficient funds in your Stripe account for this transfer."


@route("POST", "/v1/payouts", CREATE)
def create(call: Call) -> Json:
    """Send money to the bank; it arrives at once, or fails after that where a fault says so."""
    given = call.params
    if call.account and not (call.store.find(call.account) or {}).get("payouts_enabled"):
        raise Refused("Payouts are not enabled for this account.", code="payouts_not_allowed")
    balance.need_available(call, given["amount"], given["currency"], TOO_MUCH)
    payout = _blank(call, given)
    entry = balance.book(call, "payout", -given["amount"], given["currency"], payout["id"],
                         description="STRIPE PAYOUT")  # fmt: skip
    payout["balance_transaction"] = entry["id"]
    call.add(payout, "payout.created")
    call.store.schedule(call.now, "pay_payout", payout["id"])
    fault = faults.take(call.store, "payout_fails")
    if fault:
        call.store.schedule(call.now + fault.get("seconds", 0), "fail_payout", payout["id"])
    return payout


def _blank(call: Call, given: Json) -> Json:
    return {
        "id": new_id("po"),
        "object": "payout",
        "amount": given["amount"],
        "application_fee": None,
        "application_fee_amount": None,
        "arrival_date": call.now,
        "automatic": False,
        "balance_transaction": None,
        "created": call.now,
        "currency": given["currency"],
        "description": given.get("description"),
        "destination": new_id("ba"),
        "failure_balance_transaction": None,
        "failure_code": None,
        "failure_message": None,
        "livemode": False,
        "metadata": merged(None, given.get("metadata")),
        "method": given.get("method") or "standard",
        "original_payout": None,
        "payout_method": None,
        "reconciliation_status": "not_applicable",
        "reversed_by": None,
        "source_type": given.get("source_type") or "card",
        "statement_descriptor": given.get("statement_descriptor"),
        "status": "pending",
        "trace_id": None,
        "type": "bank_account",
    }


def arrive(call: Call, payout_id: str) -> None:
    """Have the bank take a payout."""
    call.change(call.get("payout", payout_id), "payout.paid", status="paid")


def fail(call: Call, payout_id: str) -> None:
    """Have the bank send a payout back: the money is on the balance again."""
    payout = call.get("payout", payout_id)
    entry = balance.book(call, "payout_failure", payout["amount"], payout["currency"], payout["id"],
                         description="REFUND FOR FAILED PAYOUT")  # fmt: skip
    call.change(payout, "payout.failed", status="failed", failure_code="account_closed",
                failure_message="The bank account has been closed.",
                failure_balance_transaction=entry["id"])  # fmt: skip
    if call.account:  # nothing more goes to that bank until its owner says another one
        accounts.restrict(call, call.account)


@route("GET", "/v1/payouts/{}")
def retrieve(call: Call, payout_id: str) -> Json:
    """Return a payout."""
    return call.get("payout", payout_id)


@route("GET", "/v1/payouts", PAGE | {"created": instants, "status": text})
def index(call: Call) -> Json:
    """Return a page of payouts."""
    created, status = call.params.get("created"), call.params.get("status")
    return lists.page(call, "payout", "/v1/payouts", created=created, status=status)
