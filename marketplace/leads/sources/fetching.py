"""Fetching announced leads: claim one, ask the Graph API outside of any transaction, take it, and note how it ended."""

from datetime import datetime
from uuid import UUID

from core.db import transaction
from core.errors import Conflict, DomainError, Invalid, Malformed, NotAllowed, Unavailable
from core.outbound import NoAnswer, Outbound, Request
from marketplace.leads.dialects.meta import Later, Never, address_of, read_lead
from marketplace.leads.dialects.posted import Posted
from marketplace.leads.refusals import count_refusal
from marketplace.leads.sources.announced import claim_lead, end_lead, note_attempt
from marketplace.leads.sources.models import LeadSource
from marketplace.leads.sources.register import access_of, check_standing
from marketplace.leads.sources.taking import take_post

TIMEOUT_SECONDS = 10.0


def fetch_due(graph: Outbound, at: datetime) -> int:
    """Fetch every announced lead that is due, one after the other, and return how many were asked for."""
    asked = 0
    while True:
        with transaction():
            claimed = claim_lead(at)
        if claimed is None:
            return asked
        _fetch(graph, *claimed, at)
        asked += 1


def _fetch(graph: Outbound, source: LeadSource, leadgen_id: str, is_last: bool, at: datetime) -> None:
    answered = _ask(graph, source, leadgen_id)
    failed = _take(source, answered, leadgen_id, at) if isinstance(answered, Posted) else answered
    if isinstance(failed, Later) and not is_last:
        with transaction():
            note_attempt(source.id, leadgen_id, failed.reason)
    elif failed is not None:
        given_up = Invalid("meta_lead_given_up", f"Meta did not show the lead: {failed.reason}.")
        _end(source, leadgen_id, "given_up", failed.reason, given_up, at)


def _ask(graph: Outbound, source: LeadSource, leadgen_id: str) -> Posted | Later | Never:
    request = Request("GET", address_of(leadgen_id, access_of(source).access_token), {})
    try:
        answer = graph.send(request, timeout_seconds=TIMEOUT_SECONDS)
    except NoAnswer as silent:
        return Later(f"no_answer_{silent.code}")
    return read_lead(leadgen_id, answer.status, answer.body)


def _take(source: LeadSource, posted: Posted, leadgen_id: str, at: datetime) -> Later | None:
    """Take the lead and end its waiting; Later when the intake cannot take it now."""
    try:
        with transaction():
            check_standing(source)
        lead_id: UUID = take_post(source, posted).lead
    except (Malformed, Invalid) as refused:
        reason = refused.faults[0].code if refused.faults else refused.code
        _end(source, leadgen_id, "refused", reason, refused, at)
        return None
    except (Conflict, NotAllowed, Unavailable) as not_now:
        return Later(not_now.code)
    with transaction():
        end_lead(source.id, leadgen_id, "taken", lead_id, None)
    return None


def _end(source: LeadSource, leadgen_id: str, state: str, reason: str, refused: DomainError, at: datetime) -> None:
    with transaction():
        end_lead(source.id, leadgen_id, state, None, reason)
        count_refusal(source.publisher_id, refused, at)
