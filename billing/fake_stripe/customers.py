"""Customers: who pays."""

from billing.fake_stripe import lists
from billing.fake_stripe.call import Call, new_id, route
from billing.fake_stripe.errors import Json
from billing.fake_stripe.params import ADDRESS, PAGE, instants, merged, metadata, text

FIELDS: Json = {
    "name": text,
    "email": text,
    "phone": text,
    "description": text,
    "metadata": metadata,
    "address": ADDRESS,
    "preferred_locales": [text],
    "invoice_settings": {"default_payment_method": text},
}
PLAIN = ("name", "email", "phone", "description", "preferred_locales")


@route("POST", "/v1/customers", FIELDS)
def create(call: Call) -> Json:
    """Make a customer."""
    given = call.params
    customer = {
        "id": new_id("cus", 14),
        "object": "customer",
        "address": full_address(given.get("address")),
        "balance": 0,
        "created": call.now,
        "currency": None,
        "default_source": None,
        "delinquent": False,
        "description": None,
        "discount": None,
        "email": None,
        "invoice_prefix": new_id("p", 8)[2:].upper(),
        "invoice_settings": {
            "custom_fields": None,
            "default_payment_method": (given.get("invoice_settings") or {}).get("default_payment_method"),
            "footer": None,
            "rendering_options": None,
        },
        "livemode": False,
        "metadata": merged(None, given.get("metadata")),
        "name": None,
        "next_invoice_sequence": 1,
        "phone": None,
        "preferred_locales": [],
        "shipping": None,
        "tax_exempt": "none",
        "test_clock": None,
    } | {name: given[name] for name in PLAIN if name in given}
    return call.add(customer, "customer.created")


@route("GET", "/v1/customers/{}")
def retrieve(call: Call, customer_id: str) -> Json:
    """Return a customer."""
    return call.get("customer", customer_id)


@route("POST", "/v1/customers/{}", FIELDS)
def update(call: Call, customer_id: str) -> Json:
    """Change a customer."""
    customer, given = call.get("customer", customer_id), call.params
    changes = {name: given[name] for name in PLAIN if name in given}
    if "metadata" in given:
        changes["metadata"] = merged(customer["metadata"], given["metadata"])
    if "address" in given:
        changes["address"] = full_address(given["address"])
    if given.get("invoice_settings"):
        default = given["invoice_settings"].get("default_payment_method")
        if default:
            call.get("payment_method", default, "invoice_settings[default_payment_method]")
        changes["invoice_settings"] = {**customer["invoice_settings"], "default_payment_method": default}
    return call.change(customer, "customer.updated", **changes)


@route("GET", "/v1/customers", PAGE | {"email": text, "created": instants})
def index(call: Call) -> Json:
    """Return a page of customers."""
    email, created = call.params.get("email"), call.params.get("created")
    return lists.page(call, "customer", "/v1/customers", email=email, created=created)


def full_address(given: Json | None) -> Json | None:
    """Return an address with every line, or None."""
    return {name: given.get(name) for name in ADDRESS} if given else None
