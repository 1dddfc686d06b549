"""Checkout sessions: a hosted page on which somebody pays, or saves a card, until it expires."""

from typing import Any

from billing.fake_stripe import lists, setup_intents
from billing.fake_stripe.call import Call, new_id, route
from billing.fake_stripe.errors import Json, Refused, invalid, unreadable
from billing.fake_stripe.params import (
    PAGE,
    Needed,
    currency,
    instants,
    integer,
    merged,
    metadata,
    one_of,
    text,
)
from billing.fake_stripe.payment_intents import USAGE

SOONEST, LATEST = 30 * 60, 24 * 3600
PRODUCT: Json = {"name": Needed(text), "description": text, "metadata": metadata}
PRICE: Json = {
    "currency": Needed(currency),
    "product_data": Needed(PRODUCT),
    "unit_amount": Needed(integer),
    "tax_behavior": one_of("exclusive", "inclusive", "unspecified"),
}
INTENT: Json = {
    "description": text,
    "metadata": metadata,
    "receipt_email": text,
    "setup_future_usage": USAGE,
    "statement_descriptor_suffix": text,
    "transfer_group": text,
}
CREATE: Json = {
    "cancel_url": text,
    "client_reference_id": text,
    "currency": currency,
    "customer": text,
    "customer_creation": one_of("always", "if_required"),
    "customer_email": text,
    "expires_at": integer,
    "line_items": [{"price_data": Needed(PRICE), "quantity": integer}],
    "locale": text,
    "metadata": metadata,
    "mode": Needed(one_of("payment", "setup")),
    "payment_intent_data": INTENT,
    "setup_intent_data": {"description": text, "metadata": metadata},
    "submit_type": one_of("auto", "book", "donate", "pay"),
    "success_url": text,
    "ui_mode": one_of("hosted_page"),
}


@route("POST", "/v1/checkout/sessions", CREATE)
def create(call: Call) -> Json:
    """Make a session and the address of its page."""
    given = call.params
    _need_addresses(given)
    if given.get("customer"):
        call.get("customer", given["customer"], "customer")
    expires_at = given.get("expires_at", call.now + LATEST)
    # A minute more than Stripe says, for whoever's clock runs a little behind.
    if not call.now + SOONEST - 60 <= expires_at <= call.now + LATEST + 60:
        message = "The `expires_at` timestamp must be between 30 minutes and 24 hours from Checkout Session creation."
        raise invalid(message, "expires_at")
    items = [_line_item(call, item) for item in given.get("line_items", [])]
    session = _blank(call, given, expires_at)
    session |= _totals(items, given) if given["mode"] == "payment" else _setup(call, given)
    call.add(session, line_items=items, payment_intent_data=given.get("payment_intent_data") or {})
    call.store.schedule(expires_at, "expire_checkout", session["id"])
    return session


def _need_addresses(given: Json) -> None:
    if not given.get("success_url"):
        raise unreadable("Missing required param: success_url.", "success_url", "parameter_missing")
    for name in ("success_url", "cancel_url"):
        if given.get(name) and not given[name].startswith(("http://", "https://")):
            raise invalid("Not a valid URL", name, "url_invalid")


def _line_item(call: Call, given: Json) -> Json:
    price, quantity = given["price_data"], given.get("quantity", 1)
    total = price["unit_amount"] * quantity
    if price["unit_amount"] < 0 or quantity < 1:
        raise invalid("This value must be greater than or equal to 0.", "line_items", "parameter_invalid_integer")
    return {
        "id": new_id("li"),
        "object": "item",
        "amount_discount": 0,
        "amount_subtotal": total,
        "amount_tax": 0,
        "amount_total": total,
        "currency": price["currency"],
        "description": price["product_data"]["name"],
        "price": _price(call, price),
        "quantity": quantity,
    }


def _price(call: Call, given: Json) -> Json:
    return {
        "id": new_id("price"),
        "object": "price",
        "active": False,
        "billing_scheme": "per_unit",
        "created": call.now,
        "currency": given["currency"],
        "custom_unit_amount": None,
        "livemode": False,
        "lookup_key": None,
        "metadata": {},
        "nickname": None,
        "product": new_id("prod", 14),
        "recurring": None,
        "tax_behavior": given.get("tax_behavior") or "unspecified",
        "tiers_mode": None,
        "transform_quantity": None,
        "type": "one_time",
        "unit_amount": given["unit_amount"],
        "unit_amount_decimal": str(given["unit_amount"]),
    }


def _totals(items: list[Json], given: Json) -> Json:
    if not items:
        message = "You must provide `line_items` when using `mode: payment`."
        raise unreadable(message, "line_items", "parameter_missing")
    if len({item["currency"] for item in items}) > 1:
        raise invalid("All line items must have the same currency.", "line_items")
    total = sum(item["amount_total"] for item in items)
    if not 50 <= total <= 99_999_999:
        code = "amount_too_small" if total < 50 else "amount_too_large"
        message = "The Checkout Session's total amount must be between 0.50 and 999,999.99"
        raise invalid(message, "line_items", code)
    zero = {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0}
    return {
        "amount_subtotal": total,
        "amount_total": total,
        "currency": items[0]["currency"],
        "total_details": zero,
        "customer_creation": None if given.get("customer") else given.get("customer_creation") or "if_required",
    }


def _setup(call: Call, given: Json) -> Json:
    if given.get("line_items") or given.get("payment_intent_data"):
        raise invalid("`line_items` and `payment_intent_data` are for `mode: payment`.", "mode")
    if not given.get("currency"):
        message = "Missing required param: currency."
        raise unreadable(message, "currency", "parameter_missing")
    data = given.get("setup_intent_data") or {}
    intent = setup_intents.make(call, given.get("customer"), data)
    creation = None if given.get("customer") else given.get("customer_creation") or "if_required"
    return {"setup_intent": intent["id"], "payment_status": "no_payment_required", "currency": given.get("currency"),
            "customer_creation": creation}  # fmt: skip


def _blank(call: Call, given: Json, expires_at: int) -> Json:
    session_id = new_id("cs_test", 58)
    named: Json = {name: given.get(name) for name in (
        "cancel_url", "client_reference_id", "customer", "customer_email", "locale", "submit_type", "success_url",
    )}  # fmt: skip
    empty: Json = dict.fromkeys((
        "after_expiration", "allow_promotion_codes", "amount_subtotal", "amount_total", "billing_address_collection",
        "client_secret", "collected_information", "consent", "consent_collection", "currency", "currency_conversion",
        "customer_creation", "customer_details", "invoice", "invoice_creation", "origin_context", "payment_intent",
        "payment_link", "permissions", "recovered_from", "setup_intent", "shipping_address_collection",
        "shipping_cost", "subscription", "total_details", "payment_method_configuration_details",
    ))  # fmt: skip
    return {"id": session_id, "object": "checkout.session"} | empty | named | {
        "adaptive_pricing": {"enabled": False},
        "automatic_tax": {"enabled": False, "liability": None, "provider": None, "status": None},
        "created": call.now,
        "custom_fields": [],
        "custom_text": dict.fromkeys(
            ("after_submit", "shipping_address", "submit", "terms_of_service_acceptance")),
        "customer_details": _details(given.get("customer_email")),
        "discounts": [],
        "expires_at": expires_at,
        "livemode": False,
        "metadata": merged(None, given.get("metadata")),
        "mode": given["mode"],
        "payment_method_collection": "if_required" if given["mode"] == "payment" else "always",
        "payment_method_options": {"card": {"request_three_d_secure": "automatic"}},
        "payment_method_types": ["card"],
        "payment_status": "unpaid",
        "phone_number_collection": {"enabled": False},
        "saved_payment_method_options": None,
        "shipping_options": [],
        "status": "open",
        "ui_mode": "hosted_page",
        "url": f"{call.base_url}/pay/{session_id}",
        "wallet_options": None,
    }  # fmt: skip


def _details(email: str | None) -> Json | None:
    if email is None:
        return None
    nobody = dict.fromkeys(("address", "business_name", "individual_name", "name", "phone"))
    return nobody | {"email": email, "tax_exempt": "none", "tax_ids": []}


def complete(call: Call, session: Json, **changes: Any) -> Json:
    """Close a session that was paid, or on which a card was saved."""
    details = session["customer_details"] or _details("payer@example.com")
    return call.change(session, "checkout.session.completed", status="complete", url=None,
                       customer_details=details, **changes)  # fmt: skip


def expire_now(call: Call, session: Json) -> Json:
    """Close a session that nobody paid."""
    return call.change(session, "checkout.session.expired", status="expired", url=None)


@route("POST", "/v1/checkout/sessions/{}/expire")
def expire(call: Call, session_id: str) -> Json:
    """Close a session, so that nobody can pay any more."""
    session = call.get("checkout.session", session_id)
    if session["status"] != "open":
        message = f'Only Checkout Sessions with a status in ["open"] can be expired. It is {session["status"]}.'
        raise Refused(message, param="session")
    return expire_now(call, session)


@route("GET", "/v1/checkout/sessions/{}")
def retrieve(call: Call, session_id: str) -> Json:
    """Return a session."""
    return call.get("checkout.session", session_id)


@route("GET", "/v1/checkout/sessions/{}/line_items", PAGE)
def line_items(call: Call, session_id: str) -> Json:
    """Return what a session is for."""
    session = call.get("checkout.session", session_id)
    items = call.store.private(session["id"])["line_items"]
    return lists.listed(items, f"/v1/checkout/sessions/{session_id}/line_items")


FILTERS: Json = PAGE | {
    "created": instants,
    "customer": text,
    "payment_intent": text,
    "status": one_of("complete", "expired", "open"),
}


@route("GET", "/v1/checkout/sessions", FILTERS)
def index(call: Call) -> Json:
    """Return a page of sessions."""
    wanted = {name: call.params.get(name) for name in ("created", "customer", "payment_intent", "status")}
    return lists.page(call, "checkout.session", "/v1/checkout/sessions", **wanted)


@route("POST", "/v1/checkout/sessions/{}", {"metadata": metadata})
def update(call: Call, session_id: str) -> Json:
    """Change what is noted on a session."""
    session = call.get("checkout.session", session_id)
    return call.change(session, metadata=merged(session["metadata"], call.params.get("metadata")))
