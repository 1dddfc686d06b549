"""What one process needs to take and show leads: the intake, the vault of contacts, the clock."""

from dataclasses import dataclass

from flask import Flask, current_app

from core.clock import Clock
from core.config import Settings
from core.crypto import Vault, secret_generations
from core.db import transaction
from marketplace.leads.books import Books
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
    made: Desk | None = current_app.extensions.get("leadbourse_desk")
    if made is None:
        made = current_app.extensions["leadbourse_desk"] = _set_up(current_app)
    return made


def _set_up(app: Flask) -> Desk:
    settings: Settings = app.extensions["leadbourse_settings"]
    clock: Clock = app.extensions["leadbourse_clock"]
    with transaction():
        vault = Vault(secret_generations(CONTACT_SECRET))
        pepper = secret_generations(PERSON_SECRET)[1]
    return Desk(Intake(Books(), clock, vault, pepper, settings.refuse_test_contacts), vault)
