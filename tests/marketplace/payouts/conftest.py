"""The exchange that pays, as billing's tests have it."""

from tests.billing.payouts.conftest import app, house, stripe, till

__all__ = ["app", "house", "stripe", "till"]
