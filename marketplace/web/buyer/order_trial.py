"""Trying the delivery that the form of an order describes, saved or not: what is sent, what answers, what we read."""

from uuid import UUID

from core.actors import Person
from core.db import transaction
from core.errors import Invalid, Malformed
from core.rates import count_towards
from marketplace.leads.delivery.posting import Posting
from marketplace.leads.delivery.trial import TRIALS, Trial, trial_of_order, trial_of_settings, try_out
from marketplace.orders.standing import get_order
from marketplace.web.buyer.order_body import delivery_document
from marketplace.web.buyer.order_faults import place_faults
from marketplace.web.buyer.order_form import OrderForm

TRY = "try"  # the button that tries instead of saving


def try_delivery(person: Person, form: OrderForm, order_id: UUID | None) -> Trial | None:
    """Send a sample lead, marked as a test, as the form says; None when it cannot be sent, and the form says why.

    The call is made outside of the transaction that counts it.
    """
    try:
        with transaction():
            count_towards(TRIALS, person.account_id, "delivery_test")
            written = _written(person, form, order_id)
    except (Invalid, Malformed) as refused:
        place_faults(form, refused.faults)
        return None
    return try_out(written, send=True)


def _written(person: Person, form: OrderForm, order_id: UUID | None) -> Posting:
    document = delivery_document(form)
    if order_id is not None:
        return trial_of_order(get_order(person.account_id, order_id), document)
    return trial_of_settings(person.account_id, form.vertical.data or "", document)
