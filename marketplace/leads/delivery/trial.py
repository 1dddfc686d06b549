"""Trying a delivery with a sample lead: what would be sent, what came back, and what our rules read from it."""

from typing import Any, NamedTuple
from uuid import UUID

import msgspec

from core.crew import resting
from core.db import db
from core.errors import Fault, Invalid
from core.money import Money
from core.rates import Rate
from marketplace.catalog.models import VerticalRow
from marketplace.catalog.shelf import get_vertical
from marketplace.catalog.verticals import Vertical
from marketplace.leads.delivery.answers import AnswerRules, Verdict
from marketplace.leads.delivery.courier import send_posting
from marketplace.leads.delivery.credentials import opened, restored, secrets_in
from marketplace.leads.delivery.log import Exchanged, Sent, exchanged_of
from marketplace.leads.delivery.offered import judged_settings, secret_of
from marketplace.leads.delivery.parcel import Parcel, sample_parcel
from marketplace.leads.delivery.posting import Posting, posting_with
from marketplace.leads.delivery.requests import Posted
from marketplace.leads.delivery.settings import Delivery
from marketplace.leads.desk import desk
from marketplace.orders.models import Order
from marketplace.orders.terms import decode_terms

TRIALS = Rate(times=30, seconds=600)
# Stands for the verdict of what is only written.
_UNSENT = Verdict("not_sent")
_CAPTURED = ("price", "reference", "redirect_url")


class Trial(NamedTuple):
    """What a trial came to; without an attempt it was only written."""

    exchanged: Exchanged
    attempt: Sent | None
    currency: str
    problems: list[Fault]


def trial_of_order(order: Order, document: dict[str, Any] | None) -> Posting:
    """Write what an order would send of a sample lead, with its settings or others in their place; reads only.

    Invalid names every fault of the settings.
    """
    vault, terms = desk().vault, decode_terms(order.terms)
    if document is None:
        document = opened(terms.delivery, vault, order.buyer_id)
    plain, masks = restored(document, terms.delivery, vault, order.buyer_id)
    vertical = Vertical.stored(db.session.get_one(VerticalRow, order.vertical_id).definition)
    sample = msgspec.structs.replace(
        sample_parcel(vertical), order_name=terms.name, price=Money(terms.price_minor, terms.currency),
        share_count=terms.max_share, exclusive=terms.exclusive,
    )  # fmt: skip
    return _written(plain, masks, vertical, sample, secret_of(order.id, vault))


def trial_of_settings(buyer_id: UUID, slug: str, document: dict[str, Any]) -> Posting:
    """Write what a delivery that is not saved would send of a sample lead of this vertical; Invalid as above."""
    _, vertical = get_vertical(slug)
    plain, masks = restored(document, None, desk().vault, buyer_id)
    return _written(plain, masks, vertical, sample_parcel(vertical), None)


def try_out(posting: Posting, send: bool) -> Trial:
    """Send what was written, if it is to be sent, outside of any transaction."""
    if not send:
        return Trial(exchanged_of(Sent(posting.request, _UNSENT, secrets=posting.secrets)), None, posting.currency, [])
    with resting():
        sent = send_posting(posting)
    return Trial(exchanged_of(sent), sent, posting.currency, _problems(sent, posting.rules))


def _written(
    plain: dict[str, Any], masks: list[Fault], vertical: Vertical, sample: Parcel, secret: str | None
) -> Posting:
    settings, faults = judged_settings(plain, vertical)
    faults = [*masks, *faults, *_kind_faults(settings)]
    if faults:
        raise Invalid("invalid_delivery", "The delivery cannot be tried as it is.", faults)
    assert isinstance(settings, Posted)
    given = getattr(settings, "secret", None)
    return posting_with(settings, sample, vertical.currency, given or secret, secrets_in(plain))


def _kind_faults(settings: Delivery) -> list[Fault]:
    if isinstance(settings, Posted) and settings.url:
        return []
    return [Fault("delivery.kind", "not_testable", "Choose webhook, http or adf with a url: others are not tried.")]


def _problems(sent: Sent, rules: AnswerRules) -> list[Fault]:
    """Say what is wrong with an answer, by the field of the settings that it is about."""
    if sent.status is None:
        code, _, says = sent.verdict.reason.partition(": ")
        return [Fault("delivery.url", code, says)]
    if sent.verdict.outcome == "error":
        message = f"The answer counts as an error ({sent.verdict.reason}): it would be sent again, then go elsewhere."
        return [Fault("delivery.answer.decide", "answer_is_error", message)]
    if sent.verdict.outcome == "refused":
        return []
    read = {"price": sent.verdict.price_minor, "reference": sent.verdict.reference,
            "redirect_url": sent.verdict.redirect_url}  # fmt: skip
    return [
        Fault(f"delivery.answer.{name}", "nothing_found", "Look at the answer: nothing usable stands in this place.")
        for name in _CAPTURED if getattr(rules, name) and read[name] is None
    ]  # fmt: skip
