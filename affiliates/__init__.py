"""The network of publishers: who they are, on which terms they are paid. This is its face."""

from affiliates.earnings import Earnings, earnings_in
from affiliates.models import Publisher
from affiliates.publishers import TIERS, Terms, change_publisher, get_publisher, open_publisher

__all__ = [
    "TIERS",
    "Earnings",
    "Publisher",
    "Terms",
    "change_publisher",
    "earnings_in",
    "get_publisher",
    "open_publisher",
]
