"""Payment intents: the wish to be paid, through every try until it is paid or given up."""

from typing import Any

from billing.fake_stripe import charges, lists, payment_methods
from billing.fake_stripe.call import Call, new_id, route
from billing.fake_stripe.cards import Card
from billing.fake_stripe.errors import Json, Refused, invalid
from billing.fake_stripe.params import (
    PAGE,
    Needed,
    amount,
    boolean,
    currency,
    instants,
    merged,
    metadata,
    one_of,
    text,
)

LEAST = 50
USAGE = one_of("off_session", "on_session")
ASKS = Card("", "", code="authentication_required", decline_code="authentication_required",
            message="Your card was declined. This transaction requires authentication.")  # fmt: skip
NOT_PROVEN = ("We are unable to authenticate your payment method. Please choose a different payment method and try "
              "again.")  # fmt: skip
OPEN = ("requires_payment_method", "requires_confirmation", "requires_action")
AUTOMATIC = {"enabled": Needed(boolean), "allow_redirects": one_of("always", "never")}
CONFIRM: Json = {
    "payment_method": text,
    "off_session": boolean,
    "return_url": text,
    "error_on_requires_action": boolean,
}
NOTED: Json = {"description": text, "metadata": metadata, "receipt_email": text, "transfer_group": text}
CREATE: Json = CONFIRM | NOTED | {
    "amount": Needed(amount),
    "automatic_payment_methods": AUTOMATIC,
    "confirm": boolean,
    "currency": Needed(currency),
    "customer": text,
    "setup_future_usage": USAGE,
    "statement_descriptor_suffix": text,
}  # fmt: skip


def make(call: Call, **given: Any) -> Json:
    """Make an intent that waits for a payment method."""
    intent_id = new_id("pi")
    intent = {
        "id": intent_id,
        "object": "payment_intent",
        "amount": given["amount"],
        "amount_capturable": 0,
        "amount_details": {"tip": {}},
        "amount_received": 0,
        "application": None,
        "application_fee_amount": None,
        "automatic_payment_methods": given.get("automatic"),
        "canceled_at": None,
        "cancellation_reason": None,
        "capture_method": "automatic_async",
        "client_secret": new_id(f"{intent_id}_secret"),
        "confirmation_method": "automatic",
        "created": call.now,
        "currency": given["currency"],
        "customer": given.get("customer"),
        "description": given.get("description"),
        "last_payment_error": None,
        "latest_charge": None,
        "livemode": False,
        "metadata": merged(None, given.get("metadata")),
        "next_action": None,
        "on_behalf_of": None,
        "payment_method": None,
        "payment_method_configuration_details": None,
        "payment_method_options": {"card": _OPTIONS},
        "payment_method_types": ["card"],
        "processing": None,
        "receipt_email": given.get("receipt_email"),
        "review": None,
        "setup_future_usage": given.get("setup_future_usage"),
        "shipping": None,
        "statement_descriptor": None,
        "statement_descriptor_suffix": given.get("statement_descriptor_suffix"),
        "status": "requires_payment_method",
        "transfer_data": None,
        "transfer_group": given.get("transfer_group"),
    }
    return call.add(intent, "payment_intent.created")


_OPTIONS = {"installments": None, "mandate_options": None, "network": None, "request_three_d_secure": "automatic"}


def pay(call: Call, intent: Json, method: Json) -> Json:
    """Take the money, and save the card where that was asked for."""
    if intent["setup_future_usage"] and intent["customer"]:
        payment_methods.attach_to(call, method, intent["customer"])
        call.store.keep_private(method["id"], is_set_up=True)
    charge = charges.pay(call, intent, method, payment_methods.card_of(call, method))
    return call.change(
        intent, "payment_intent.succeeded", status="succeeded", amount_received=intent["amount"], next_action=None,
        latest_charge=charge["id"], payment_method=method["id"], last_payment_error=None,
    )  # fmt: skip


def decline(call: Call, intent: Json, method: Json, card: Card) -> Refused:
    """Record that the bank refused and return the refusal to raise."""
    charge = charges.decline(call, intent, method, card)
    error = {
        "charge": charge["id"],
        "code": card.code,
        "decline_code": card.decline_code,
        "doc_url": f"https://stripe.com/docs/error-codes/{(card.code or '').replace('_', '-')}",
        "message": card.message,
        "payment_method": method,
        "type": "card_error",
    }
    call.change(
        intent, "payment_intent.payment_failed", status="requires_payment_method", latest_charge=charge["id"],
        last_payment_error=error, payment_method=None, next_action=None,
    )  # fmt: skip
    told = {name: value for name, value in error.items() if name not in ("message", "type")}
    return Refused(card.message, status=402, kind="card_error", keeps=True, payment_intent=intent, **told)


def not_proven(call: Call, intent: Json, method: Json) -> Json:
    """Record that the card's holder failed to authenticate."""
    error = {
        "code": "payment_intent_authentication_failure",
        "doc_url": "https://stripe.com/docs/error-codes/payment-intent-authentication-failure",
        "message": NOT_PROVEN,
        "payment_method": method,
        "type": "invalid_request_error",
    }
    return call.change(
        intent, "payment_intent.payment_failed", status="requires_payment_method", last_payment_error=error,
        payment_method=None, next_action=None,
    )  # fmt: skip


def ask(call: Call, intent: Json, method: Json, return_url: str | None) -> Json:
    """Have the card's holder authenticate on a page."""
    url = f"{call.base_url}/authenticate/{intent['id']}"
    action = {"type": "redirect_to_url", "redirect_to_url": {"return_url": return_url, "url": url}}
    return call.change(intent, "payment_intent.requires_action", status="requires_action", next_action=action,
                       payment_method=method["id"])  # fmt: skip


def needs_authentication(call: Call, method: Json, card: Card) -> bool:
    """Tell whether the card's bank wants its holder."""
    is_set_up = call.store.private(method["id"]).get("is_set_up", False)
    return card.authenticates == "always" or (card.authenticates == "until_set_up" and not is_set_up)


def confirm_with(call: Call, intent: Json, method_id: str | None) -> Json:
    """Try to be paid; raises what the bank says."""
    given = call.params
    method_id = method_id or intent["payment_method"]
    if not method_id:
        raise invalid("You cannot confirm this PaymentIntent because it's missing a payment method.", "payment_method",
                      "payment_intent_unexpected_state")  # fmt: skip
    method = payment_methods.find(call, method_id, "payment_method")
    _need_same_customer(call, intent, method)
    card = payment_methods.card_of(call, method)
    if card.code:
        raise decline(call, intent, method, card)
    if not needs_authentication(call, method, card):
        return pay(call, intent, method)
    if given.get("off_session") or given.get("error_on_requires_action"):
        raise decline(call, intent, method, ASKS)
    return ask(call, intent, method, given.get("return_url"))


def _need_same_customer(call: Call, intent: Json, method: Json) -> None:
    if method["customer"] and method["customer"] != intent["customer"]:
        raise invalid("The provided PaymentMethod belongs to another customer, or none was given.", "payment_method",
                      "payment_method_customer_mismatch")  # fmt: skip
    if call.store.private(method["id"]).get("detached"):
        raise invalid("The provided PaymentMethod was detached from its customer and cannot be used again.",
                      "payment_method", "payment_method_unexpected_state")  # fmt: skip


@route("POST", "/v1/payment_intents", CREATE)
def create(call: Call) -> Json:
    """Make an intent, and confirm it where asked to."""
    given = {**call.params}
    if given["amount"] < LEAST:
        raise invalid("Amount must be at least 0.50", "amount", "amount_too_small")
    if given.get("customer"):
        call.get("customer", given["customer"], "customer")
    if given.get("off_session") and not given.get("confirm"):
        raise invalid("You can only set `off_session` when also confirming.", "off_session")
    automatic = given.pop("automatic_payment_methods", None)
    if automatic:
        automatic = {"allow_redirects": "always", **automatic}
    intent = make(call, automatic=automatic, **given)
    if given.get("confirm"):
        return confirm_with(call, intent, given.get("payment_method"))
    if given.get("payment_method"):
        method = payment_methods.find(call, given["payment_method"], "payment_method")
        call.change(intent, payment_method=method["id"], status="requires_confirmation")
    return intent


@route("POST", "/v1/payment_intents/{}/confirm", CONFIRM)
def confirm(call: Call, intent_id: str) -> Json:
    """Try an intent's payment method, or another."""
    return confirm_with(call, _open(call, intent_id, "confirm"), call.params.get("payment_method"))


@route("POST", "/v1/payment_intents/{}/cancel", {"cancellation_reason": text})
def cancel(call: Call, intent_id: str) -> Json:
    """Give an unpaid intent up."""
    reason = call.params.get("cancellation_reason")
    return call.change(_open(call, intent_id, "cancel"), "payment_intent.canceled", status="canceled",
                       canceled_at=call.now, cancellation_reason=reason, next_action=None)  # fmt: skip


def _open(call: Call, intent_id: str, verb: str) -> Json:
    intent = call.get("payment_intent", intent_id)
    if intent["status"] not in OPEN:
        message = f"You cannot {verb} this PaymentIntent because it has a status of {intent['status']}."
        raise Refused(message, code="payment_intent_unexpected_state", payment_intent=intent)
    return intent


@route("POST", "/v1/payment_intents/{}", NOTED)
def update(call: Call, intent_id: str) -> Json:
    """Change what is noted on an intent."""
    intent, changes = call.get("payment_intent", intent_id), {**call.params}
    if "metadata" in changes:
        changes["metadata"] = merged(intent["metadata"], changes["metadata"])
    return call.change(intent, **changes)


@route("GET", "/v1/payment_intents/{}")
def retrieve(call: Call, intent_id: str) -> Json:
    """Return an intent."""
    return call.get("payment_intent", intent_id)


@route("GET", "/v1/payment_intents", PAGE | {"created": instants, "customer": text})
def index(call: Call) -> Json:
    """Return a page of intents."""
    created, customer = call.params.get("created"), call.params.get("customer")
    return lists.page(call, "payment_intent", "/v1/payment_intents", created=created, customer=customer)
