"""Refunds: money back to the card it came from; some fail days later."""

from billing.fake_stripe import balance, faults, lists
from billing.fake_stripe.call import Call, new_id, route
from billing.fake_stripe.errors import Json, Refused, invalid, unreadable
from billing.fake_stripe.params import PAGE, amount, instants, merged, metadata, one_of, text

REASONS = one_of("duplicate", "fraudulent", "requested_by_customer")
CREATE: Json = {"amount": amount, "charge": text, "metadata": metadata, "payment_intent": text, "reason": REASONS}


@route("POST", "/v1/refunds", CREATE)
def create(call: Call) -> Json:
    """Give back all of what remains of a charge, or a part of it."""
    charge, given = _charge(call), call.params
    left = charge["amount_captured"] - charge["amount_refunded"]
    wanted = given.get("amount", left)
    _need_refundable(charge, wanted, left)
    refund = _blank(call, charge, wanted)
    entry = balance.book(call, "refund", -wanted, charge["currency"], refund["id"],
                         description=f"REFUND FOR CHARGE {charge['id']}")  # fmt: skip
    refund["balance_transaction"] = entry["id"]
    call.add(refund)
    total = charge["amount_refunded"] + wanted
    call.change(charge, "charge.refunded", amount_refunded=total, refunded=total == charge["amount_captured"])
    call.announce("refund.created", refund)
    fault = faults.take(call.store, "refund_fails")
    if fault or call.store.private(charge["id"]).get("refund_fails"):
        call.store.schedule(call.now + (fault or {}).get("seconds", 0), "fail_refund", refund["id"])
    return refund


def _charge(call: Call) -> Json:
    given = call.params
    if given.get("payment_intent"):
        intent = call.get("payment_intent", given["payment_intent"], "payment_intent")
        if not intent["latest_charge"]:
            message = f"This PaymentIntent ({intent['id']}) does not have a successful charge to refund."
            raise Refused(message, code="payment_intent_unexpected_state", param="payment_intent")
        return call.get("charge", intent["latest_charge"])
    if not given.get("charge"):
        message = "One of the following params should be provided for this request: payment_intent or charge."
        raise unreadable(message, "charge", "parameter_missing")
    return call.get("charge", given["charge"], "charge")


def _need_refundable(charge: Json, wanted: int, left: int) -> None:
    if not charge["paid"]:
        raise invalid(f"Charge {charge['id']} was not paid and cannot be refunded.", "charge", "charge_not_refundable")
    if charge["disputed"]:
        message = f"Charge {charge['id']} has been charged back; cannot issue a refund."
        raise invalid(message, "charge", "charge_disputed")
    if left == 0:
        message = f"Charge {charge['id']} has already been refunded."
        raise invalid(message, "charge", "charge_already_refunded")
    if wanted > left:
        raise invalid(f"Refund amount ({wanted}) is greater than unrefunded amount on charge ({left})", "amount")


def _blank(call: Call, charge: Json, wanted: int) -> Json:
    return {
        "id": new_id("re"),
        "object": "refund",
        "amount": wanted,
        "balance_transaction": None,
        "charge": charge["id"],
        "created": call.now,
        "currency": charge["currency"],
        "destination_details": {
            "card": {"reference_status": "pending", "reference_type": "acquirer_reference_number", "type": "refund"},
            "type": "card",
        },
        "metadata": merged(None, call.params.get("metadata")),
        "payment_intent": charge["payment_intent"],
        "reason": call.params.get("reason"),
        "receipt_number": None,
        "source_transfer_reversal": None,
        "status": "succeeded",
        "transfer_reversal": None,
    }


def fail(call: Call, refund_id: str) -> None:
    """Have the bank send a refund back: the money is on the balance again."""
    refund = call.get("refund", refund_id)
    charge = call.get("charge", refund["charge"])
    entry = balance.book(call, "refund_failure", refund["amount"], refund["currency"], refund["id"],
                         description=f"REFUND FAILURE FOR CHARGE {charge['id']}")  # fmt: skip
    total = charge["amount_refunded"] - refund["amount"]
    call.change(charge, "charge.updated", amount_refunded=total, refunded=False)
    call.change(refund, "refund.failed", status="failed", failure_reason="expired_or_canceled_card",
                failure_balance_transaction=entry["id"])  # fmt: skip
    call.announce("charge.refund.updated", refund)


@route("POST", "/v1/refunds/{}", {"metadata": metadata})
def update(call: Call, refund_id: str) -> Json:
    """Change what is noted on a refund."""
    refund = call.get("refund", refund_id)
    return call.change(refund, "refund.updated", metadata=merged(refund["metadata"], call.params.get("metadata")))


@route("GET", "/v1/refunds/{}")
def retrieve(call: Call, refund_id: str) -> Json:
    """Return a refund."""
    return call.get("refund", refund_id)


@route("GET", "/v1/refunds", PAGE | {"charge": text, "created": instants, "payment_intent": text})
def index(call: Call) -> Json:
    """Return a page of refunds."""
    wanted = {name: call.params.get(name) for name in ("charge", "created", "payment_intent")}
    return lists.page(call, "refund", "/v1/refunds", **wanted)
