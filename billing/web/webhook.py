"""Stripe's webhooks: verified, kept raw under their id, answered at once; a job reads what they tell of."""

from flask import Blueprint, Response, request

from billing.funding.reading import keep_news
from billing.funding.waking import wake_cards
from billing.stripe_gateway import gateway
from core.db import transaction
from core.errors import Malformed, NotFound
from core.failpoints import failpoint
from core.http import public, raw_body, settings

hooks = Blueprint("hooks", __name__)


@hooks.post("/webhooks/stripe")
@public
def take_event() -> Response:
    """Keep an event; Malformed, and nothing stored, when its signature is wrong or old."""
    if not settings().takes_cards or settings().stripe_webhook_secret is None:
        raise NotFound(detail="No card processor is set up here.")
    news = gateway().told(raw_body(), request.headers.get("Stripe-Signature"))
    if news is None:
        raise Malformed("bad_stripe_signature", "The signature does not fit the body, or is too old. Nothing was kept.")
    with transaction():
        if keep_news(news, "webhook"):
            wake_cards()
    failpoint("news.kept")
    return Response(status=200)
