"""What one process needs to take and show leads: the intake, the vault of contacts, the clock."""

from dataclasses import dataclass

from core.crypto import Vault, secret_generations
from core.db import present_pool
from core.http import business_clock, kept_by_app, settings
from marketplace.leads.intake import Intake

CONTACT_SECRET = "contact"
PERSON_SECRET = "person"


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
    return Desk(Intake(present_pool(), business_clock(), vault, pepper, settings().refuse_test_contacts), vault)
