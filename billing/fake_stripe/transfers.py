"""Transfers: money from the platform's balance to a connected account's, and back by reversals."""

from billing.fake_stripe import balance, lists
from billing.fake_stripe.call import Call, new_id, route
from billing.fake_stripe.errors import Json, Refused, invalid, missing
from billing.fake_stripe.params import PAGE, Needed, amount, boolean, currency, instants, merged, metadata, text
from billing.fake_stripe.payment_methods import billing_details

CREATE: Json = {
    "amount": Needed(amount),
    "currency": Needed(currency),
    "description": text,
    "destination": Needed(text),
    "metadata": metadata,
    "source_transaction": text,
    "transfer_group": text,
}
TOO_MUCH = (
    "You have insufficient available funds in your Stripe account. Try adding funds directly to your available balance "
    "by creating Charges using the 4000000000000077 test card."
)
NOT_ALLOWED = (
    "Your destination account needs to have at least one of the following capabilities enabled: transfers, "
    "crypto_transfers, legacy_payments"
)


@route("POST", "/v1/transfers", CREATE)
def create(call: Call) -> Json:
    """Send money to a connected account, if it may have any and the platform has that much at hand."""
    given = call.params
    account = call.store.find(given["destination"], "account")
    if account is None:
        raise missing("destination", given["destination"], "destination", 400)
    if account["capabilities"].get("transfers") != "active":
        raise Refused(NOT_ALLOWED, code="insufficient_capabilities_for_transfer")
    ready_on, group = _source(call)
    transfer = _blank(call, given, given.get("transfer_group") or group)
    arrived = _payment(call.on(account["id"]), transfer, ready_on)
    entry = balance.book(call, "transfer", -transfer["amount"], transfer["currency"], transfer["id"],
                         available_on=ready_on, description=transfer["description"])  # fmt: skip
    transfer |= {"balance_transaction": entry["id"], "destination_payment": arrived["id"]}
    return call.add(transfer, "transfer.created")


def _source(call: Call) -> tuple[int, str | None]:
    """Return when the money is at hand and what it is grouped with; a source's own day counts, not the balance."""
    given = call.params
    if not given.get("source_transaction"):
        balance.need_available(call, given["amount"], given["currency"], TOO_MUCH)
        return call.now, None
    charge = call.get("charge", given["source_transaction"], "source_transaction")
    rows = call.store.rows(
        "SELECT coalesce(sum(json_extract(body, '$.amount') - json_extract(body, '$.amount_reversed')), 0) AS sent"
        " FROM objects WHERE kind = 'transfer' AND json_extract(body, '$.source_transaction') = ?", charge["id"],
    )  # fmt: skip
    if not charge["paid"] or charge["currency"] != given["currency"]:
        raise invalid("The source transaction was not paid in this currency.", "source_transaction")
    if rows[0]["sent"] + given["amount"] > charge["amount"]:
        message = f"The transfers of {charge['id']} would be more than its {charge['amount']}."
        raise invalid(message, "amount", "balance_insufficient")
    entry = call.get("balance_transaction", charge["balance_transaction"])
    group = charge["transfer_group"] or f"group_{charge['payment_intent']}"
    return max(entry["available_on"], call.now), group


def _blank(call: Call, given: Json, group: str | None) -> Json:
    transfer_id = new_id("tr")
    return {
        "id": transfer_id,
        "object": "transfer",
        "amount": given["amount"],
        "amount_reversed": 0,
        "balance_transaction": None,
        "created": call.now,
        "currency": given["currency"],
        "description": given.get("description"),
        "destination": given["destination"],
        "destination_payment": None,
        "livemode": False,
        "metadata": merged(None, given.get("metadata")),
        "reversals": lists.listed([], f"/v1/transfers/{transfer_id}/reversals"),
        "reversed": False,
        "source_transaction": given.get("source_transaction"),
        "source_type": "card",
        "transfer_group": group,
    }


def _payment(call: Call, transfer: Json, ready_on: int) -> Json:
    """Make the payment by which a transfer arrives on the connected account."""
    payment_id = new_id("py")
    entry = balance.book(call, "payment", transfer["amount"], transfer["currency"], payment_id, available_on=ready_on)
    empty: Json = dict.fromkeys((
        "application", "application_fee", "application_fee_amount", "calculated_statement_descriptor", "customer",
        "description", "failure_balance_transaction", "failure_code", "failure_message", "on_behalf_of", "outcome",
        "payment_intent", "payment_method", "receipt_email", "receipt_number", "receipt_url", "review", "shipping",
        "statement_descriptor", "statement_descriptor_suffix", "transfer_data", "transfer_group",
        "payment_method_details",
    ))  # fmt: skip
    return call.add({"id": payment_id, "object": "charge"} | empty | {
        "amount": transfer["amount"],
        "amount_captured": transfer["amount"],
        "amount_refunded": 0,
        "balance_transaction": entry["id"],
        "billing_details": billing_details(None),
        "captured": True,
        "created": call.now,
        "currency": transfer["currency"],
        "disputed": False,
        "fraud_details": {},
        "livemode": False,
        "metadata": {},
        "paid": True,
        "refunded": False,
        "source_transfer": transfer["id"],
        "status": "succeeded",
    }, "payment.created")  # fmt: skip


REVERSAL: Json = {"amount": amount, "description": text, "metadata": metadata, "refund_application_fee": boolean}


@route("POST", "/v1/transfers/{}/reversals", REVERSAL)
def reverse(call: Call, transfer_id: str) -> Json:
    """Take a transfer back, in whole or in part, if the connected account still has that much at hand."""
    transfer = call.get("transfer", transfer_id)
    left = transfer["amount"] - transfer["amount_reversed"]
    wanted = call.params.get("amount", left)
    if not 0 < wanted <= left:
        message = f"Reversal amount ({wanted}) is greater than unreversed amount on transfer ({left})"
        raise invalid(message, "amount")
    there = call.on(transfer["destination"])
    balance.need_available(there, wanted, transfer["currency"], "The connected account has insufficient funds.")
    reversal = _reversal(call, transfer, wanted)
    reversal["destination_payment_refund"] = _payment_back(there, transfer, reversal)["id"]
    entry = balance.book(call, "transfer_refund", wanted, transfer["currency"], reversal["id"])
    reversal["balance_transaction"] = entry["id"]
    call.add(reversal)
    found = {**transfer["reversals"], "data": [reversal, *transfer["reversals"]["data"]][: lists.USUAL]}
    found["has_more"] = transfer["reversals"]["has_more"] or len(transfer["reversals"]["data"]) == lists.USUAL
    total = transfer["amount_reversed"] + wanted
    call.change(transfer, "transfer.reversed", amount_reversed=total, reversals=found,
                reversed=total == transfer["amount"])  # fmt: skip
    return reversal


def _reversal(call: Call, transfer: Json, wanted: int) -> Json:
    return {
        "id": new_id("trr"),
        "object": "transfer_reversal",
        "amount": wanted,
        "balance_transaction": None,
        "created": call.now,
        "currency": transfer["currency"],
        "destination_payment_refund": None,
        "metadata": merged(None, call.params.get("metadata")),
        "source_refund": None,
        "transfer": transfer["id"],
    }


def _payment_back(call: Call, transfer: Json, reversal: Json) -> Json:
    """Make the refund by which a reversal leaves the connected account."""
    payment = call.get("charge", transfer["destination_payment"])
    refund_id = new_id("pyr")
    entry = balance.book(call, "payment_refund", -reversal["amount"], transfer["currency"], refund_id,
                         category="refund")  # fmt: skip
    total = payment["amount_refunded"] + reversal["amount"]
    call.change(payment, "charge.refunded", amount_refunded=total, refunded=total == payment["amount"])
    return call.add({
        "id": refund_id,
        "object": "refund",
        "amount": reversal["amount"],
        "balance_transaction": entry["id"],
        "charge": payment["id"],
        "created": call.now,
        "currency": transfer["currency"],
        "metadata": {},
        "payment_intent": None,
        "reason": None,
        "receipt_number": None,
        "source_transfer_reversal": reversal["id"],
        "status": "succeeded",
        "transfer_reversal": None,
    }, "refund.created")  # fmt: skip


@route("GET", "/v1/transfers/{}/reversals/{}")
def retrieve_reversal(call: Call, transfer_id: str, reversal_id: str) -> Json:
    """Return a reversal."""
    reversal = call.get("transfer_reversal", reversal_id)
    if reversal["transfer"] != transfer_id:
        raise missing("transfer_reversal", reversal_id)
    return reversal


@route("GET", "/v1/transfers/{}/reversals", PAGE)
def reversals(call: Call, transfer_id: str) -> Json:
    """Return a page of a transfer's reversals."""
    call.get("transfer", transfer_id)
    return lists.page(call, "transfer_reversal", f"/v1/transfers/{transfer_id}/reversals", transfer=transfer_id)


@route("POST", "/v1/transfers/{}", {"description": text, "metadata": metadata})
def update(call: Call, transfer_id: str) -> Json:
    """Change what is noted on a transfer."""
    transfer, changes = call.get("transfer", transfer_id), {**call.params}
    if "metadata" in changes:
        changes["metadata"] = merged(transfer["metadata"], changes["metadata"])
    return call.change(transfer, "transfer.updated", **changes)


@route("GET", "/v1/transfers/{}")
def retrieve(call: Call, transfer_id: str) -> Json:
    """Return a transfer."""
    return call.get("transfer", transfer_id)


@route("GET", "/v1/transfers", PAGE | {"created": instants, "destination": text, "transfer_group": text})
def index(call: Call) -> Json:
    """Return a page of transfers."""
    wanted = {name: call.params.get(name) for name in ("created", "destination", "transfer_group")}
    return lists.page(call, "transfer", "/v1/transfers", **wanted)
