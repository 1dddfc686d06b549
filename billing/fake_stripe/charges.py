"""Charges: each try at a card, paid or declined."""

from billing.fake_stripe import balance, disputes, lists
from billing.fake_stripe.call import Call, new_id, route
from billing.fake_stripe.cards import Card
from billing.fake_stripe.errors import Json
from billing.fake_stripe.params import PAGE, instants, merged, metadata, text


def pay(call: Call, intent: Json, method: Json, card: Card) -> Json:
    """Take an intent's money from a card; it is on the balance less the fee."""
    charge = _blank(call, intent, method) | {"amount_captured": intent["amount"], "paid": True, "status": "succeeded"}
    charge["outcome"] = _outcome(None)
    entry = balance.book(
        call, "charge", intent["amount"], intent["currency"], charge["id"],
        fee=balance.charge_fee(intent["amount"]), available_on=balance.pending_until(call),
        description=intent["description"],
    )  # fmt: skip
    charge["balance_transaction"] = entry["id"]
    call.add(charge, "charge.succeeded", refund_fails=card.refund_fails)
    if card.disputes:
        disputes.start(call, charge, charge["amount"], "fraudulent")
    return charge


def decline(call: Call, intent: Json, method: Json, card: Card) -> Json:
    """Record that a card's bank refused."""
    charge = _blank(call, intent, method) | {"paid": False, "status": "failed", "captured": False}
    charge |= {"failure_code": card.code, "failure_message": card.message, "outcome": _outcome(card)}
    return call.add(charge, "charge.failed")


def _blank(call: Call, intent: Json, method: Json) -> Json:
    return {
        "id": new_id("ch"),
        "object": "charge",
        "amount": intent["amount"],
        "amount_captured": 0,
        "amount_refunded": 0,
        "application": None,
        "application_fee": None,
        "application_fee_amount": None,
        "balance_transaction": None,
        "billing_details": method["billing_details"],
        "calculated_statement_descriptor": "TEST MODE",
        "captured": True,
        "created": call.now,
        "currency": intent["currency"],
        "customer": intent["customer"],
        "description": intent["description"],
        "disputed": False,
        "failure_balance_transaction": None,
        "failure_code": None,
        "failure_message": None,
        "fraud_details": {},
        "livemode": False,
        "metadata": intent["metadata"],
        "on_behalf_of": None,
        "outcome": None,
        "paid": False,
        "payment_intent": intent["id"],
        "payment_method": method["id"],
        "payment_method_details": {"card": _card_details(method["card"], intent["amount"]), "type": "card"},
        "radar_options": {},
        "receipt_email": intent["receipt_email"],
        "receipt_number": None,
        "receipt_url": None,
        "refunded": False,
        "review": None,
        "shipping": None,
        "source_transfer": None,
        "statement_descriptor": None,
        "statement_descriptor_suffix": None,
        "status": "pending",
        "transfer_data": None,
        "transfer_group": intent["transfer_group"],
    }


def _card_details(card: Json, amount: int) -> Json:
    names = ("brand", "checks", "country", "exp_month", "exp_year", "fingerprint", "funding", "last4", "wallet")
    return {name: card[name] for name in names} | {
        "amount_authorized": amount,
        "authorization_code": None,
        "installments": None,
        "mandate": None,
        "network": card["brand"],
        "network_transaction_id": None,
        "three_d_secure": None,
    }


def _outcome(refused: Card | None) -> Json:
    return {
        "advice_code": None,
        "network_advice_code": None,
        "network_decline_code": None,
        "network_status": "declined_by_network" if refused else "approved_by_network",
        "reason": refused.decline_code if refused else None,
        "risk_level": "normal",
        "risk_score": 20,
        "seller_message": "The bank declined the payment." if refused else "Payment complete.",
        "type": "issuer_declined" if refused else "authorized",
    }


@route("GET", "/v1/charges/{}")
def retrieve(call: Call, charge_id: str) -> Json:
    """Return a charge."""
    return call.get("charge", charge_id)


@route("POST", "/v1/charges/{}", {"metadata": metadata, "description": text, "transfer_group": text})
def update(call: Call, charge_id: str) -> Json:
    """Change what is noted on a charge."""
    charge = call.get("charge", charge_id)
    changes = {**call.params}
    if "metadata" in changes:
        changes["metadata"] = merged(charge["metadata"], changes["metadata"])
    return call.change(charge, "charge.updated", **changes)


FILTERS: Json = PAGE | {"created": instants, "customer": text, "payment_intent": text, "transfer_group": text}


@route("GET", "/v1/charges", FILTERS)
def index(call: Call) -> Json:
    """Return a page of charges."""
    wanted = {name: call.params.get(name) for name in ("created", "customer", "payment_intent", "transfer_group")}
    return lists.page(call, "charge", "/v1/charges", **wanted)
