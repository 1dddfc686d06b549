"""Setup intents: the wish to save a card without charging it."""

from billing.fake_stripe import lists, payment_methods
from billing.fake_stripe.call import Call, new_id, route
from billing.fake_stripe.errors import Json
from billing.fake_stripe.params import PAGE, instants, merged, text


def make(call: Call, customer: str | None, data: Json) -> Json:
    """Make a setup intent that waits for a card."""
    intent_id = new_id("seti")
    intent = {
        "id": intent_id,
        "object": "setup_intent",
        "application": None,
        "automatic_payment_methods": None,
        "cancellation_reason": None,
        "client_secret": new_id(f"{intent_id}_secret"),
        "created": call.now,
        "customer": customer,
        "description": data.get("description"),
        "flow_directions": None,
        "last_setup_error": None,
        "latest_attempt": None,
        "livemode": False,
        "mandate": None,
        "metadata": merged(None, data.get("metadata")),
        "next_action": None,
        "on_behalf_of": None,
        "payment_method": None,
        "payment_method_configuration_details": None,
        "payment_method_options": {
            "card": {"mandate_options": None, "network": None, "request_three_d_secure": "automatic"}
        },
        "payment_method_types": ["card"],
        "single_use_mandate": None,
        "status": "requires_payment_method",
        "usage": "off_session",
    }
    return call.add(intent, "setup_intent.created")


def finish(call: Call, intent: Json, method: Json) -> Json:
    """Save the card."""
    if intent["customer"]:
        payment_methods.attach_to(call, method, intent["customer"])
    call.store.keep_private(method["id"], is_set_up=True)
    return call.change(intent, "setup_intent.succeeded", status="succeeded", payment_method=method["id"],
                       last_setup_error=None)  # fmt: skip


def decline(call: Call, intent: Json, code: str | None, message: str) -> Json:
    """Record that the card's bank, or its holder, refused."""
    error = {"code": code, "message": message, "type": "card_error"}
    return call.change(intent, "setup_intent.setup_failed", last_setup_error=error)


@route("GET", "/v1/setup_intents/{}")
def retrieve(call: Call, intent_id: str) -> Json:
    """Return a setup intent."""
    return call.get("setup_intent", intent_id)


@route("GET", "/v1/setup_intents", PAGE | {"created": instants, "customer": text, "payment_method": text})
def index(call: Call) -> Json:
    """Return a page of setup intents."""
    wanted = {name: call.params.get(name) for name in ("created", "customer", "payment_method")}
    return lists.page(call, "setup_intent", "/v1/setup_intents", **wanted)
