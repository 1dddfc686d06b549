"""The keys by which the person of a stored lead is recognised again."""

from msgspec import convert

from marketplace.leads.desk import desk
from marketplace.leads.models import Lead
from marketplace.leads.queries import unsealed
from marketplace.leads.submission import Contact
from marketplace.leads.validation import identities_of


def keys_of(lead: Lead) -> tuple[bytes, ...]:
    """Return the keys of a lead's person, the same as when it came."""
    contact = convert(unsealed(lead, desk().vault)["contact"], Contact)
    return desk().intake.keys_of(identities_of(contact, lead.region))
