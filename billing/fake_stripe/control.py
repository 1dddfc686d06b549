"""What only a fake can be told: faults, its clock, disputes, deliveries; JSON, guarded by the secret key.

GET    /_control/health                        needs no key
GET    /_control/faults                        what has yet to strike
POST   /_control/faults                        {"kind": …}: see faults.py
DELETE /_control/faults                        forget them, and send off what was held back
POST   /_control/clock                         {"advance_seconds": n}
GET    /_control/balances                      {account or "platform": {currency: {"available": n, "pending": n}}}
POST   /_control/disputes                      {"charge": "ch_…" or "payment_intent": "pi_…", "amount"?, "reason"?}
POST   /_control/disputes/{id}/won             the amount comes back
POST   /_control/disputes/{id}/lost
POST   /_control/accounts/{id}/{what}          a paid account is restricted, rejected, closed
POST   /_control/events/{id}/resend            deliver once more
POST   /_control/webhooks/deliver              try at once what waits for its next attempt
GET    /_control/webhooks                      {"waiting": n, "held": n, "done": n}
"""

import time

from billing.fake_stripe import accounts, balance, disputes, events, faults
from billing.fake_stripe.call import Call, Routes, route
from billing.fake_stripe.errors import Json, invalid

CONTROLS: Routes = []
MOST_SECONDS = 10 * 366 * 86_400


@route("GET", "/_control/faults", routes=CONTROLS)
def show_faults(call: Call) -> Json:
    """Return the faults that have yet to strike."""
    return {"faults": faults.waiting(call.store)}


@route("POST", "/_control/faults", routes=CONTROLS)
def order_fault(call: Call) -> Json:
    """Order a fault."""
    return faults.order(call.store, call.params)


@route("DELETE", "/_control/faults", routes=CONTROLS)
def clear_faults(call: Call) -> Json:
    """Forget all faults."""
    faults.clear(call.store)
    events.release_held(call.store)
    return {"faults": []}


@route("POST", "/_control/clock", routes=CONTROLS)
def advance_clock(call: Call) -> Json:
    """Move the clock forwards; what falls due happens with the next request."""
    seconds = call.params.get("advance_seconds")
    if not isinstance(seconds, int) or not 0 <= seconds <= MOST_SECONDS:
        raise invalid("advance_seconds is a whole number of seconds forwards", "advance_seconds")
    call.store.advance(seconds)
    return {"now": call.store.now()}


@route("GET", "/_control/balances", routes=CONTROLS)
def balances(call: Call) -> Json:
    """Return the balances of the platform and of every connected account."""
    rows = call.store.rows("SELECT id FROM objects WHERE kind = 'account' ORDER BY seq")
    accounts = ["", *(row["id"] for row in rows)]
    return {account or "platform": balance.sums(call.on(account)) for account in accounts}


@route("POST", "/_control/disputes", routes=CONTROLS)
def open_dispute(call: Call) -> Json:
    """Open a dispute on what is left of a charge, or on a part of it."""
    given = call.params
    charge_id = given.get("charge")
    if given.get("payment_intent"):
        charge_id = call.get("payment_intent", given["payment_intent"], "payment_intent")["latest_charge"]
    charge = call.get("charge", charge_id, "charge")
    amount = given.get("amount", charge["amount"] - charge["amount_refunded"])
    return disputes.start(call, charge, amount, given.get("reason", "fraudulent"))


@route("POST", "/_control/disputes/{}/won", routes=CONTROLS)
def win_dispute(call: Call, dispute_id: str) -> Json:
    """Close a dispute for the merchant."""
    return disputes.win(call, call.get("dispute", dispute_id))


@route("POST", "/_control/disputes/{}/lost", routes=CONTROLS)
def lose_dispute(call: Call, dispute_id: str) -> Json:
    """Close a dispute for the card's holder."""
    return disputes.lose(call, call.get("dispute", dispute_id))


@route("POST", "/_control/accounts/{}/{}", routes=CONTROLS)
def change_account(call: Call, account_id: str, what: str) -> Json:
    """Restrict, reject or close an account."""
    if what == "closed":
        return accounts.close(call, account_id)
    reasons = {"restricted": "requirements.past_due", "rejected": "rejected.other"}
    if what not in reasons:
        raise invalid("An account is restricted, rejected or closed", "what")
    return accounts.restrict(call, account_id, reasons[what])


@route("POST", "/_control/events/{}/resend", routes=CONTROLS)
def resend(call: Call, event_id: str) -> Json:
    """Deliver an event once more."""
    call = call.on(call.store.owner(event_id))
    call.get("event", event_id)
    events.resend(call.store, event_id)
    return events.read(call.store, event_id)


@route("POST", "/_control/webhooks/deliver", routes=CONTROLS)
def deliver(call: Call) -> Json:
    """Try at once what waits for its next attempt."""
    call.store.rows("UPDATE deliveries SET due_at = ? WHERE state = 'waiting'", time.time())
    return deliveries(call)


@route("GET", "/_control/webhooks", routes=CONTROLS)
def deliveries(call: Call) -> Json:
    """Return how many deliveries wait, are held back by a fault, and are done."""
    rows = call.store.rows("SELECT state, count(*) AS n FROM deliveries GROUP BY state")
    return {"waiting": 0, "held": 0, "done": 0} | {row["state"]: row["n"] for row in rows}
