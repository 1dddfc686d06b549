"""The one way out over HTTP: checked and pinned addresses, limits, deadlines, no redirects, no proxies, no cookies."""

from core.http import kept_by_app, settings
from core.outbound.calls import Outbound
from core.outbound.values import Answer, NoAnswer, Request

__all__ = ["Answer", "NoAnswer", "Outbound", "Request", "outbound"]


def outbound() -> Outbound:
    """Return this application's way out, which several threads may use at once."""
    return kept_by_app("leadbourse_outbound", lambda: Outbound(settings().allow_private_targets))
