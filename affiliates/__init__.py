"""The network of publishers: who they are, on which terms they are paid. This is its face."""

from affiliates.models import Publisher
from affiliates.publishers import TIERS, Terms, change_publisher, get_publisher, open_publisher

__all__ = ["TIERS", "Publisher", "Terms", "change_publisher", "get_publisher", "open_publisher"]
