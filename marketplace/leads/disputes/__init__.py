"""Disputes: a buyer claims that a lead was none; both sides are heard, a machine, a person or silence decides."""

from marketplace.leads.disputes.appeal import open_appeal, side_of
from marketplace.leads.disputes.groups import Cluster, Preview, decide_group, preview_group
from marketplace.leads.disputes.hearing import answer_dispute
from marketplace.leads.disputes.opening import Claim, open_claim, open_dispute
from marketplace.leads.disputes.reasons import REASONS
from marketplace.leads.disputes.resolution import resolve_dispute
from marketplace.leads.disputes.rulings import Decision

__all__ = [
    "REASONS",
    "Claim",
    "Cluster",
    "Decision",
    "Preview",
    "answer_dispute",
    "decide_group",
    "open_appeal",
    "open_claim",
    "open_dispute",
    "preview_group",
    "resolve_dispute",
    "side_of",
]
