"""Disputes: a card's holder takes the money back through the bank; evidence may win it again."""

from billing.fake_stripe import balance, lists
from billing.fake_stripe.call import Call, new_id, route
from billing.fake_stripe.errors import Json, Refused, invalid
from billing.fake_stripe.params import PAGE, boolean, instants, merged, metadata, text

FEE = 1500
TIME_FOR_EVIDENCE = 7 * 86_400
OPEN = ("needs_response", "under_review")
EVIDENCE = (
    "access_activity_log", "billing_address", "cancellation_policy", "cancellation_policy_disclosure",
    "cancellation_rebuttal", "customer_communication", "customer_email_address", "customer_name",
    "customer_purchase_ip", "customer_signature", "duplicate_charge_documentation", "duplicate_charge_explanation",
    "duplicate_charge_id", "product_description", "receipt", "refund_policy", "refund_policy_disclosure",
    "refund_refusal_explanation", "service_date", "service_documentation", "shipping_address", "shipping_carrier",
    "shipping_date", "shipping_documentation", "shipping_tracking_number", "uncategorized_file", "uncategorized_text",
)  # fmt: skip


def start(call: Call, charge: Json, amount: int, reason: str) -> Json:
    """Open a dispute and withdraw its amount and the fee."""
    if charge["disputed"]:
        raise invalid(f"{charge['id']} is already disputed", "charge", "charge_disputed")
    if not charge["paid"] or not 0 < amount <= charge["amount"]:
        raise invalid(f"{charge['id']} has no {amount} to dispute", "amount", "amount_too_large")
    dispute = call.add(_blank(call, charge, amount, reason), "charge.dispute.created")
    call.change(charge, "charge.updated", disputed=True)
    entry = balance.book(
        call, "adjustment", -amount, charge["currency"], dispute["id"], fee=FEE, fee_for="Dispute fee",
        category="dispute", description=f"Chargeback withdrawal for {charge['id']}",
    )  # fmt: skip
    return call.change(dispute, "charge.dispute.funds_withdrawn", balance_transactions=[entry])


def _blank(call: Call, charge: Json, amount: int, reason: str) -> Json:
    details = charge["payment_method_details"]["card"]
    return {
        "id": new_id("du"),
        "object": "dispute",
        "amount": amount,
        "balance_transactions": [],
        "charge": charge["id"],
        "created": call.now,
        "currency": charge["currency"],
        "enhanced_eligibility_types": [],
        "evidence": {**dict.fromkeys(EVIDENCE), "enhanced_evidence": {}},
        "evidence_details": {
            "due_by": call.now + TIME_FOR_EVIDENCE,
            "enhanced_eligibility": {},
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
        },
        "is_charge_refundable": False,
        "livemode": False,
        "metadata": {},
        "payment_intent": charge["payment_intent"],
        "payment_method_details": {
            "card": {"brand": details["brand"], "case_type": "chargeback", "network_reason_code": "10"},
            "type": "card",
        },
        "reason": reason,
        "status": "needs_response",
    }


def win(call: Call, dispute: Json) -> Json:
    """Close a dispute for the merchant: the amount comes back, the fee does not."""
    _need_open(dispute)
    call.change(dispute, "charge.dispute.closed", status="won")
    entry = balance.book(
        call, "adjustment", dispute["amount"], dispute["currency"], dispute["id"], category="dispute_reversal",
        description=f"Chargeback reversal for {dispute['charge']}",
    )  # fmt: skip
    entries = [*dispute["balance_transactions"], entry]
    return call.change(dispute, "charge.dispute.funds_reinstated", balance_transactions=entries)


def lose(call: Call, dispute: Json) -> Json:
    """Close a dispute for the card's holder."""
    _need_open(dispute)
    return call.change(dispute, "charge.dispute.closed", status="lost")


def _need_open(dispute: Json) -> None:
    if dispute["status"] not in OPEN:
        raise Refused("This dispute is already closed", code="dispute_already_closed", param="id")


@route("GET", "/v1/disputes/{}")
def retrieve(call: Call, dispute_id: str) -> Json:
    """Return a dispute."""
    return call.get("dispute", dispute_id)


FILTERS: Json = PAGE | {"charge": text, "created": instants, "payment_intent": text}


@route("GET", "/v1/disputes", FILTERS)
def index(call: Call) -> Json:
    """Return a page of disputes."""
    wanted = {name: call.params.get(name) for name in ("charge", "created", "payment_intent")}
    return lists.page(call, "dispute", "/v1/disputes", **wanted)


CHANGES: Json = {"evidence": dict.fromkeys(EVIDENCE, text), "metadata": metadata, "submit": boolean}


@route("POST", "/v1/disputes/{}", CHANGES)
def update(call: Call, dispute_id: str) -> Json:
    """Give evidence; `winning_evidence` and `losing_evidence` as uncategorized_text decide at once, as Stripe's do."""
    dispute, given = call.get("dispute", dispute_id), call.params
    _need_open(dispute)
    evidence = {**dispute["evidence"], **(given.get("evidence") or {})}
    changes: Json = {"evidence": evidence, "metadata": merged(dispute["metadata"], given.get("metadata"))}
    is_submitted = bool(given.get("evidence")) and given.get("submit", True)
    details = dispute["evidence_details"]
    count = details["submission_count"] + is_submitted
    changes["evidence_details"] = {**details, "has_evidence": bool(given.get("evidence")), "submission_count": count}
    if is_submitted:
        changes["status"] = "under_review"
    call.change(dispute, "charge.dispute.updated", **changes)
    decide = {"winning_evidence": win, "losing_evidence": lose}.get(evidence["uncategorized_text"] or "")
    return decide(call, dispute) if decide and is_submitted else dispute


@route("POST", "/v1/disputes/{}/close")
def close(call: Call, dispute_id: str) -> Json:
    """Accept a dispute: it is lost."""
    return lose(call, call.get("dispute", dispute_id))
