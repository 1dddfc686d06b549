"""Which settings are resolved when needed, so that operators may say otherwise; the others are fixed at the start."""

from affiliates import RULE_KEYS, TERMS_KEYS
from marketplace.leads.contact_speed import LEAST_SALES, LEFT_ALONE, LEFT_ALONE_SHARE, SLA_KEYS
from marketplace.leads.uploads.register import KEPT, RUNNING

EVERYWHERE = ("exchange", "country")
RESOLVED: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(SLA_KEYS.values(), EVERYWHERE),
    LEFT_ALONE: EVERYWHERE,
    LEFT_ALONE_SHARE: ("exchange",),
    LEAST_SALES: ("exchange",),
    KEPT: ("exchange",),
    RUNNING: ("exchange",),
    **dict.fromkeys((*TERMS_KEYS, *RULE_KEYS), ("exchange",)),
    "new_order.day_leads": ("exchange",),
    "new_order.day_budget_minor": ("exchange",),
}
