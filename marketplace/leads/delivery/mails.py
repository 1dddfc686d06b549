"""The e-mail that takes a parcel to its buyer: plain lines for people, or an ADF document for a dealer's software.

Sender, date and message id are set by whoever sends it.
"""

import re
from email.message import EmailMessage
from email.policy import SMTP
from typing import Any

from marketplace.leads.delivery.adf import prospect_of, write_adf
from marketplace.leads.delivery.formats import text_of
from marketplace.leads.delivery.mapping import pairs_of
from marketplace.leads.delivery.parcel import Parcel, age_said, is_aged, plain_of
from marketplace.leads.delivery.settings import AdfDelivery, EmailDelivery, addresses_of
from marketplace.leads.delivery.wording import rendered

MOST_SUBJECT = 200
ADF_NAME = "lead.adf.xml"
# What moves the letters around it, so that a line reads as it does not stand there, and what nobody sees.
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]"
)
_BREAKS = re.compile("\r\n?|[\n\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")

_LABELS = {
    "full_name": "Name", "first_name": "First name", "last_name": "Last name", "email": "E-mail", "phone": "Phone",
    "profile_url": "Profile", "postal_code": "Postal code", "city": "City", "address": "Address",
    "language": "Language", "best_time": "Best time to call", "company": "Company", "position": "Position",
}  # fmt: skip


def mail_of(settings: EmailDelivery | AdfDelivery, parcel: Parcel, to: tuple[str, ...] = ()) -> EmailMessage:
    """Write the e-mail for a parcel; the settings have no faults, `to` is who gets it, those of the settings without.

    What a person wrote cannot add headers, recipients or lines that seem to be ours. Raises Invalid `bad_template`
    when a template grows too long.
    """
    message, plain = EmailMessage(policy=SMTP), plain_of(parcel)
    message["To"] = ", ".join(to or addresses_of(settings.to))
    message["Subject"] = _subject(settings, plain)
    message["Auto-Submitted"] = "auto-generated"
    if isinstance(settings, EmailDelivery) and settings.format == "text":
        message.set_content(_text(settings, plain), charset="utf-8")
        return message
    document = write_adf(prospect_of(_adf_of(settings, parcel), parcel))
    if not settings.attach:
        message.set_content(document.decode(), charset="utf-8")
        return message
    message.set_content(_text(settings, plain), charset="utf-8")
    message.add_attachment(document, maintype="application", subtype="x-adf+xml", filename=ADF_NAME)
    return message


def readable(text: str) -> str:
    """Return text without what is unseen or turns the direction of writing, its line breaks plain ones."""
    return _UNSEEN.sub("", _BREAKS.sub("\n", text))


def _adf_of(settings: EmailDelivery | AdfDelivery, parcel: Parcel) -> AdfDelivery:
    if isinstance(settings, AdfDelivery):
        return settings
    return AdfDelivery(vendor=settings.vendor or parcel.order_name, fields=settings.fields)


def _subject(settings: EmailDelivery | AdfDelivery, plain: dict[str, Any]) -> str:
    """Write one line, whatever a template brings."""
    template = settings.subject if isinstance(settings, EmailDelivery) else None
    kind = "Test lead" if plain["test"] else "Aged lead" if is_aged(plain) else "New lead"
    usual = f"{kind}: {plain['vertical']}, {plain['region']}"
    written = usual if template is None else rendered(template, plain)
    return " ".join(readable(written).split())[:MOST_SUBJECT] or usual


def _text(settings: EmailDelivery | AdfDelivery, plain: dict[str, Any]) -> str:
    if isinstance(settings, EmailDelivery) and settings.text is not None:
        return readable(rendered(settings.text, plain)) + "\n"
    if isinstance(settings, EmailDelivery) and settings.fields and settings.format == "text":
        return _lines(dict(pairs_of(settings.fields, plain))) + "\n"
    return _letter(plain)


def _letter(plain: dict[str, Any]) -> str:
    parts = [
        _opening(plain),
        _lines({_LABELS.get(name, name): value for name, value in plain["contact"].items()}),
        _lines({_spoken(name): value for name, value in plain["attributes"].items()}),
        _lines({"Comments": plain["comments"] or None}),
        _consent(plain["consent"]),
        _lines({"Lead": plain["lead_id"], "Sale": plain["sale_id"], "Received": plain["received_at"],
                "Price": f"{plain['price']['amount']} {plain['price']['currency']}", "Order": plain["order"]}),
    ]  # fmt: skip
    return "\n\n".join(part for part in parts if part) + "\n"


def _opening(plain: dict[str, Any]) -> str:
    test = "This is a test: nobody is waiting for a call.\n" if plain["test"] else ""
    shared = ", yours alone" if plain["exclusive"] else f", shared by at most {plain['share_count']} buyers"
    shared = "" if plain["aged"]["resold"] else shared  # nobody counts who has it already
    age, kind = age_said(plain), "An aged" if is_aged(plain) else "A new"
    told = f"{test}{kind} lead of {plain['vertical']} in {plain['region']}, {plain['temperature']}{shared}."
    return f"{told}\nIt is {age}." if age else told


def _consent(consent: dict[str, Any]) -> str:
    if not any(consent.values()):
        return ""
    return _lines({"Consent": consent["text"], "Given at": consent["given_at"], "On": consent["page_url"],
                   "From": consent["ip"]})  # fmt: skip


def _lines(values: dict[str, Any]) -> str:
    """Write a line each; what a value has beyond its first line is set in, so that it cannot pass for lines of ours."""
    return "\n".join(
        f"{name}: {readable(text_of(value)).strip().replace(chr(10), chr(10) + '    ')}"
        for name, value in values.items() if value is not None
    )  # fmt: skip


def _spoken(name: str) -> str:
    return name.replace("_", " ").capitalize()
