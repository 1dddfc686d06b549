"""The words that the publisher's pages have for codes: why a lead was refused, and what happened to it."""

from typing import Any

from core.i18n import said
from core.ids import show_id
from core.words import gettext
from core.words import lazy_gettext as _l
from marketplace.leads.models import Event
from marketplace.leads.uploads.targets import Target
from marketplace.reports.publisher_leads import LeadStory
from marketplace.web.words import dispute_reason_of, state_of

REASON_WORDS = {
    "invalid_phone": _l("Phone number unusable"),
    "invalid_email": _l("E-mail address unusable"),
    "invalid_profile_link": _l("Profile link unusable"),
    "consent_missing": _l("No consent"),
    "consent_expired": _l("Consent too old"),
    "consent_from_future": _l("Consent from the future"),
    "test_contact_refused": _l("Made-up contact"),
    "duplicate": _l("Sold here before"),
    "publisher_paused": _l("Publisher paused"),
    "source_paused": _l("Source paused"),
    "test": _l("Test lead"),
}


# Why a lead is not offered again, or what it waits for.
OFFERING = {
    "consent_expired": _l("the consent is too old"),
    "too_old": _l("the lead is older than the vertical offers"),
    "retention_over": _l("its data may be kept no longer"),
    "sold": _l("it is sold, and its consent lets nobody else have it"),
    "made_for_one": _l("it was made for one buyer"),
    "pseudo_lead": _l("a buyer sent it back as no real lead"),
    "resold_out": _l("it was sold again as often as the vertical permits"),
    "recipients_reached": _l("as many companies have it as the person permits"),
    "duplicate": _l("the person was sold here meanwhile"),
    "source_off": _l("its source is not offered again"),
    "publisher_off": _l("you switched it off"),
    "inside_window": _l("a buyer may still send it back"),
    "not_delivered": _l("it is on its way to a buyer"),
    "disputed": _l("a buyer disputes it"),
    "pending": _l("a buyer is being asked"),
    "source_paused": _l("its source is paused"),
    "publisher_paused": _l("the publisher is paused"),
    "behind": _l("in a moment"),
    "stale": _l("in a moment"),
}
OFFER_KINDS = {
    "unsold": _l("As nobody had bought it"),
    "waiting": _l("To who waited for it"),
    "resale": _l("As one that a buyer has"),
    "returned": _l("As one that a buyer sent back"),
}


def offering_word(code: str) -> Any:
    """Return why a lead is not offered again, or what it waits for."""
    return OFFERING.get(code, code.replace("_", " "))


def reason_of(code: str) -> Any:
    """Return the few words of a reason; one without words of its own is shown as it is."""
    return REASON_WORDS.get(code, code.replace("_", " "))


def happened(story: LeadStory) -> list[dict[str, Any]]:
    """Tell what happened to a lead and its sales, in order, without naming buyers or staff.

    Why a buyer's side took a sale or not is the buyer's affair; what follows from a dispute is the publisher's too.
    """
    return [
        {"move": _move(event, story), "at": event.at, "actor": _who(event.actor), "why": _why(event, story)}
        for event in story.events
    ]


def _move(event: Event, story: LeadStory) -> str:
    after = str(state_of(event.move.rpartition(">")[2]).says)
    if event.move.startswith("offers "):
        offered: str = gettext("Offered again: %(state)s", state=after)
        return offered
    if event.subject_id == story.lead.id:
        return after
    told: str = gettext("Sale %(sale)s: %(state)s", sale="…" + show_id("sale", event.subject_id)[-6:], state=after)
    return told


def _who(actor: str) -> str:
    return str(gettext("by the system")) if actor.startswith("system:") else ""


def _why(event: Event, story: LeadStory) -> str:
    if event.move.startswith("offers "):
        return str(offering_word(event.why or ""))
    if event.subject_id == story.lead.id or event.move.startswith(("new>", "held>")):
        return ""
    if event.move == "delivered>disputed":
        return str(dispute_reason_of(event.why or ""))
    return said(event.why or "")


DIALECT_WORDS = {
    "leadspedia": "LeadsPedia", "leadprosper": "Lead Prosper", "leadexec": "LeadExec", "leadbyte": "LeadByte",
    "boberdoo": "boberdoo", "adf": "ADF", "google": "Google Ads", "meta": "Meta",
}  # fmt: skip

# What the form of a file's columns is divided into, and the words of a lead's fields there.
UPLOAD_GROUPS = {
    "person": _l("Who it is, and how to reach them"),
    "where": _l("Where"),
    "consent": _l("Consent"),
    "asked": _l("What this vertical asks"),
    "more": _l("More"),
}
UPLOAD_OUTCOMES = {"refused": _l("No lead at all")}  # beside leads that were refused
TARGET_WORDS = {
    "contact.email": _l("E-mail address"),
    "contact.phone": _l("Phone"),
    "contact.first_name": _l("First name"),
    "contact.last_name": _l("Last name"),
    "contact.profile_url": _l("Link to a profile"),
    "contact.postal_code": _l("Postal code"),
    "contact.city": _l("City"),
    "contact.address": _l("Address"),
    "contact.language": _l("Language"),
    "contact.best_time": _l("Best time to call"),
    "contact.company": _l("Company"),
    "contact.position": _l("Position"),
    "region": _l("Country or region"),
    "consent.text": _l("Words of the consent"),
    "consent.given_at": _l("When it was given"),
    "consent.page_url": _l("Page on which it was given"),
    "consent.ip": _l("IP address"),
    "external_id": _l("Your own id"),
    "comments": _l("Comments"),
    "channel": _l("Channel"),
    "interest": _l("Interest"),
    "source.click_id": _l("Click id"),
    "source.sub.1": _l("Sub id 1"),
    "source.sub.2": _l("Sub id 2"),
}


def target_word(target: Target) -> Any:
    """Return the words of a lead's field; an attribute is called as its vertical calls it."""
    return TARGET_WORDS.get(target.path) or said(target.label)
