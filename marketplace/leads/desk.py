"""What one process needs to take and show leads: the intake, the vault of contacts, the clock."""

from dataclasses import dataclass
from datetime import timedelta

from core.crypto import Vault, secret_generations
from core.db import present_pool
from core.http import business_clock, kept_by_app, settings
from marketplace.leads.intake import Intake

CONTACT_SECRET = "contact"
PERSON_SECRET = "person"
LEASE_BEYOND_SECONDS = 20  # for what is still to be written when a publisher's call has waited as long as it may


@dataclass(frozen=True, slots=True)
class Desk:
    """The intake with the vault that its contacts are sealed in."""

    intake: Intake
    vault: Vault


def desk() -> Desk:
    """Return this application's desk, set up when it is first asked for: the database may be away at start."""
    return kept_by_app("leadbourse_desk", _set_up)


def _set_up() -> Desk:
    vault = Vault(secret_generations(CONTACT_SECRET))
    pepper = secret_generations(PERSON_SECRET)[1]
    lease = timedelta(seconds=settings().sync_seconds + LEASE_BEYOND_SECONDS)
    intake = Intake(present_pool(), business_clock(), vault, pepper, settings().refuse_test_contacts, lease)
    return Desk(intake, vault)
