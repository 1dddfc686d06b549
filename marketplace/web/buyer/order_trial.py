"""Trying the delivery that the form of an order describes, saved or not: what is sent, what answers, what we read."""

from uuid import UUID

from flask import request

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

TRY = "try"  # the buttons that try instead of saving
ONLY_WRITE = "write"  # what the one says that sends nothing


def try_delivery(person: Person, form: OrderForm, order_id: UUID | None) -> Trial | None:
    """Send a sample lead, marked as a test, as the form says, or only write it; None when the form says why not.

    What an answer does wrong is said in the trial and at the fields that it is about.
    The call is made outside of the transaction that counts it.
    """
    try:
        with transaction():
            count_towards(TRIALS, person.account_id, "delivery_test")
            written = _written(person, form, order_id)
    except (Invalid, Malformed) as refused:
        place_faults(form, refused.faults)
        return None
    trial = try_out(written, send=request.form.get(TRY) != ONLY_WRITE)
    place_faults(form, trial.problems)
    return trial


def _written(person: Person, form: OrderForm, order_id: UUID | None) -> Posting:
    document = delivery_document(form)
    if order_id is not None:
        return trial_of_order(get_order(person.account_id, order_id), document)
    return trial_of_settings(person.account_id, form.vertical.data or "", document)
