"""One post of a source: its columns become a lead, the intake takes it, and what it said becomes the outcome."""

import hashlib
from dataclasses import replace
from typing import Any
from uuid import UUID

import msgspec

from core.errors import DomainError
from core.ids import show_id
from core.money import Money
from marketplace.catalog.regions import country_of
from marketplace.leads.delivery.awaited import answered
from marketplace.leads.desk import desk
from marketplace.leads.dialects.posted import Kind, Outcome, Posted
from marketplace.leads.imports.mapped import Mapped
from marketplace.leads.imports.mapping import MappingFile
from marketplace.leads.intake import Sender
from marketplace.leads.reasons import REASONS
from marketplace.leads.sources.models import LeadSource
from marketplace.leads.sources.register import terms_of
from marketplace.leads.sources.terms import mapping_for

_KIND: dict[str, Kind] = {"sold": "sold", "pending": "sold", "unsold": "unsold", "rejected": "rejected"}


def take_post(source: LeadSource, posted: Posted, *, awaits: bool = False) -> Outcome:
    """Take what was posted through the intake that POST /leads uses, and return what became of it.

    Malformed and Invalid when it is no lead at all; otherwise as `Intake.take`. A post that repeats the vendor's own
    id of it gets the first outcome again, for a day. When somebody `awaits` the answer, buyers who answer at once are
    asked before it.
    """
    intake, terms = desk().intake, terms_of(source)
    live = intake.books.find(source.vertical)
    assert live is not None  # the source's vertical is a foreign key
    columns = {**posted.columns, "default_country": country_of(terms.region)}
    mapping = mapping_for(source.dialect, source.name, terms, live.vertical)
    lead = Mapped(mapping, live.vertical, intake.clock.now()).lead(columns)
    lead = msgspec.structs.replace(lead, test=lead.test or posted.test)
    sender = replace(sender_for(source, posted.once), awaits=awaits)
    received = answered(intake.take(lead, sender, _digest(posted.once)), sender)
    return _outcome(received.result["answer"] if received.replayed else received.result)


def refused_post(source: LeadSource, refused: DomainError) -> Outcome:
    """Return the outcome of a post that is no lead, its bad fields named as the vendor names them."""
    live = desk().intake.books.find(source.vertical)
    assert live is not None  # the source's vertical is a foreign key
    mapping = mapping_for(source.dialect, source.name, terms_of(source), live.vertical)
    faults = tuple(replace(fault, field=_their_name(fault.field, mapping)) for fault in refused.faults)
    return Outcome("refused", desk().intake.clock.now(), faults=faults, detail=refused.detail)


def _their_name(path: str, mapping: MappingFile) -> str:
    return next((rule.column for rule in mapping.fields.get(path, ()) if rule.column is not None), path)


def sender_for(source: LeadSource, once: str) -> Sender:
    """Return the sender of a source's leads: its publisher's account, without an API key."""
    name = show_id("src", source.id)
    key = hashlib.sha256(once.encode("utf-8", "surrogatepass")).hexdigest() if once else None
    return Sender(source.publisher_id, None, f"POST /in/{source.dialect}/{name}", key, by=f"source:{name}")


def _digest(once: str) -> bytes | None:
    """Return the fingerprint of a repeated post: its id alone, whatever else has changed in it."""
    return hashlib.sha256(once.encode("utf-8", "surrogatepass")).digest() if once else None


def _outcome(result: dict[str, Any]) -> Outcome:
    kind, reasons = _KIND[result["status"]], result["reasons"]
    if "test" in reasons:
        kind = "test"
    elif "duplicate" in reasons:
        kind = "duplicate"
    payout = sum(sale["payout"] for sale in result["sales"])
    return Outcome(
        kind, desk().intake.clock.now(), UUID(result["id"]), Money(payout, result["currency"]) if payout else None,
        tuple((code, REASONS.get(code, code)) for code in reasons if code != "test"),
        redirect_url=result.get("redirect_url") or "",
    )  # fmt: skip
