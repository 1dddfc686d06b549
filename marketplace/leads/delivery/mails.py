"""The e-mail that takes a parcel to its buyer: plain lines for people, or an ADF document for a dealer's software.

Sender, date and message id are set by whoever sends it.
"""

from email.message import EmailMessage
from email.policy import SMTP
from typing import Any

from marketplace.leads.delivery.adf import prospect_of, write_adf
from marketplace.leads.delivery.formats import text_of
from marketplace.leads.delivery.parcel import Parcel, plain_of
from marketplace.leads.delivery.settings import AdfDelivery, EmailDelivery

_LABELS = {
    "full_name": "Name", "first_name": "First name", "last_name": "Last name", "email": "E-mail", "phone": "Phone",
    "profile_url": "Profile", "postal_code": "Postal code", "city": "City", "address": "Address",
    "language": "Language", "best_time": "Best time to call", "company": "Company", "position": "Position",
}  # fmt: skip


def mail_of(settings: EmailDelivery | AdfDelivery, parcel: Parcel) -> EmailMessage:
    """Write the e-mail for a parcel; the settings have no faults and name an address (`to`).

    What the person wrote stands in the body alone, so it cannot add headers or recipients.
    """
    message = EmailMessage(policy=SMTP)
    message["To"] = settings.to or ""
    message["Subject"] = f"{'Test lead' if parcel.test else 'New lead'}: {parcel.vertical}, {parcel.region}"
    message["Auto-Submitted"] = "auto-generated"
    if isinstance(settings, AdfDelivery):
        message.set_content(write_adf(prospect_of(settings, parcel)).decode(), charset="utf-8")
    else:
        message.set_content(_letter(plain_of(parcel)), charset="utf-8")
    return message


def _letter(plain: dict[str, Any]) -> str:
    parts = [
        _opening(plain),
        _lines({_LABELS.get(name, name): value for name, value in plain["contact"].items()}),
        _lines({_spoken(name): value for name, value in plain["attributes"].items()}),
        plain["comments"] and f"Comments: {plain['comments']}",
        _consent(plain["consent"]),
        _lines({"Lead": plain["lead_id"], "Sale": plain["sale_id"], "Received": plain["received_at"],
                "Price": f"{plain['price']['amount']} {plain['price']['currency']}", "Order": plain["order"]}),
    ]  # fmt: skip
    return "\n\n".join(part for part in parts if part) + "\n"


def _opening(plain: dict[str, Any]) -> str:
    test = "This is a test: nobody is waiting for a call.\n" if plain["test"] else ""
    shared = "yours alone" if plain["exclusive"] else f"shared by at most {plain['share_count']} buyers"
    return f"{test}A new lead of {plain['vertical']} in {plain['region']}, {plain['temperature']}, {shared}."


def _consent(consent: dict[str, Any]) -> str:
    if not any(consent.values()):
        return ""
    return _lines({"Consent": consent["text"], "Given at": consent["given_at"], "On": consent["page_url"],
                   "From": consent["ip"]})  # fmt: skip


def _lines(values: dict[str, Any]) -> str:
    return "\n".join(f"{name}: {text_of(value)}" for name, value in values.items() if value is not None)


def _spoken(name: str) -> str:
    return name.replace("_", " ").capitalize()
