"""Payment methods: cards, saved with a customer or used once."""

from billing.fake_stripe import lists
from billing.fake_stripe.call import Call, new_id, route
from billing.fake_stripe.cards import CARDS, READY_MADE, Card
from billing.fake_stripe.errors import Json, Refused, invalid, missing
from billing.fake_stripe.params import PAGE, Needed, one_of, text

LAST_YEAR = 2034


def make(call: Call, card: Card, email: str | None = None) -> Json:
    """Make a payment method of a test card."""
    method = {
        "id": new_id("pm"),
        "object": "payment_method",
        "allow_redisplay": "unspecified",
        "billing_details": billing_details(email),
        "card": _card(card),
        "created": call.now,
        "customer": None,
        "livemode": False,
        "metadata": {},
        "type": "card",
    }
    return call.add(method, number=card.number)


def _card(card: Card) -> Json:
    return {
        "brand": card.brand,
        "checks": {"address_line1_check": None, "address_postal_code_check": None, "cvc_check": "pass"},
        "country": "US",
        "display_brand": card.brand,
        "exp_month": 12,
        "exp_year": LAST_YEAR,
        "fingerprint": card.fingerprint,
        "funding": "credit",
        "generated_from": None,
        "last4": card.number[-4:],
        "networks": {"available": [card.brand], "preferred": None},
        "three_d_secure_usage": {"supported": True},
        "wallet": None,
    }


def billing_details(email: str | None) -> Json:
    """Return whom a card belongs to."""
    blank = dict.fromkeys(("city", "country", "line1", "line2", "postal_code", "state"))
    return {"address": blank, "email": email, "name": None, "phone": None, "tax_id": None}


def find(call: Call, method_id: str, param: str) -> Json:
    """Return a payment method; a ready-made one becomes a fresh one, as Stripe's do."""
    if method_id in READY_MADE:
        return make(call, CARDS[READY_MADE[method_id]])
    return call.get("payment_method", method_id, param)


def card_of(call: Call, method: Json) -> Card:
    """Return the test card behind a payment method."""
    return CARDS[call.store.private(method["id"])["number"]]


def attach_to(call: Call, method: Json, customer_id: str) -> Json:
    """Save a payment method with a customer."""
    if method["customer"] == customer_id:
        return method
    if method["customer"]:
        raise invalid("The payment method you provided has already been attached to a customer.", "payment_method",
                      "payment_method_unexpected_state")  # fmt: skip
    return call.change(method, "payment_method.attached", customer=customer_id)


@route("GET", "/v1/payment_methods/{}")
def retrieve(call: Call, method_id: str) -> Json:
    """Return a payment method."""
    return call.get("payment_method", method_id)


@route("POST", "/v1/payment_methods/{}/attach", {"customer": Needed(text)})
def attach(call: Call, method_id: str) -> Json:
    """Save a card with a customer; the bank refuses some at once."""
    customer = call.get("customer", call.params["customer"], "customer")
    method = find(call, method_id, "payment_method")
    card = card_of(call, method)
    if not card.can_be_saved:
        raise Refused(card.message, status=402, kind="card_error", code=card.code, decline_code=card.decline_code,
                      param="")  # fmt: skip
    return attach_to(call, method, customer["id"])


@route("POST", "/v1/payment_methods/{}/detach")
def detach(call: Call, method_id: str) -> Json:
    """Forget a customer's card."""
    method = call.get("payment_method", method_id)
    if not method["customer"]:
        raise invalid("The payment method you provided is not attached to a customer so detachment is impossible.",
                      "payment_method", "payment_method_unexpected_state")  # fmt: skip
    call.store.keep_private(method["id"], detached=True)
    return call.change(method, "payment_method.detached", customer=None)


KINDS = one_of("card", "sepa_debit")


@route("GET", "/v1/payment_methods", PAGE | {"customer": text, "type": KINDS})
def index(call: Call) -> Json:
    """Return a page of a customer's cards."""
    customer, kind = call.params.get("customer"), call.params.get("type")
    if customer:
        call.get("customer", customer, "customer")
    where, values = " AND json_extract(body, '$.customer') IS ?", [customer]
    if kind:
        where, values = where + " AND json_extract(body, '$.type') = ?", [*values, kind]
    return lists.select(call, "payment_method", "/v1/payment_methods", where, values)


@route("GET", "/v1/customers/{}/payment_methods", PAGE | {"type": KINDS})
def of_customer(call: Call, customer_id: str) -> Json:
    """Return a page of the cards of the customer in the path."""
    call.get("customer", customer_id)
    url, kind = f"/v1/customers/{customer_id}/payment_methods", call.params.get("type")
    return lists.page(call, "payment_method", url, customer=customer_id, type=kind)


@route("GET", "/v1/customers/{}/payment_methods/{}")
def one_of_customer(call: Call, customer_id: str, method_id: str) -> Json:
    """Return one of a customer's cards."""
    method = call.get("payment_method", method_id)
    if method["customer"] != customer_id:
        raise missing("payment_method", method_id)
    return method
