"""What happens by itself: sessions expire, refunds fail, payouts arrive; each at its instant of the fake's clock."""

from billing.fake_stripe import checkout, payouts, refunds
from billing.fake_stripe.call import Call
from billing.fake_stripe.store import Store


def run(store: Store, base_url: str) -> bool:
    """Do within the transaction all that is due; tell whether there was anything."""
    has_run = False
    while task := store.row("SELECT * FROM tasks WHERE due_at <= ? ORDER BY due_at, seq LIMIT 1", store.now()):
        store.rows("DELETE FROM tasks WHERE seq = ?", task["seq"])
        object_id = task["object_id"]
        call = Call(store, base_url, store.now(), store.owner(object_id))
        DOERS[task["kind"]](call, object_id)
        has_run = True
    return has_run


def _expire_checkout(call: Call, session_id: str) -> None:
    session = call.get("checkout.session", session_id)
    if session["status"] == "open":
        checkout.expire_now(call, session)


DOERS = {
    "expire_checkout": _expire_checkout,
    "fail_refund": refunds.fail,
    "pay_payout": payouts.arrive,
    "fail_payout": payouts.fail,
}
