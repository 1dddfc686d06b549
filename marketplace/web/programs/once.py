"""What is shown once: a secret that travels sealed in the session to the page after the form, and is gone with it.

So reloading the page or coming back to it neither shows the secret again nor sends the form again.
"""

import base64

from flask import session

from core.actors import Person
from core.crypto import Vault, secret_generations
from core.http import kept_by_app

PLACE = "shown_once"


def keep_for_next_page(person: Person, what: str, secret: str) -> None:
    """Keep the secret of `what` for the next page that asks for it; it is readable to this application alone."""
    vault = _vault()
    sealed = base64.b64encode(vault.seal(secret.encode(), person.account_id)).decode()
    session[PLACE] = [sealed, vault.generation, what]


def take_once(person: Person, what: str) -> str | None:
    """Return the secret of `what` that the page before made for this account and forget it; None without one."""
    if session.get(PLACE, [""])[-1] != what:
        return None
    kept = session.pop(PLACE)
    try:
        return _vault().open(base64.b64decode(kept[0]), kept[1], person.account_id).decode()
    except (ValueError, KeyError):  # of another account of this person, or of a key that is gone
        return None


def _vault() -> Vault:
    return kept_by_app("leadbourse_shown_once_vault", lambda: Vault(secret_generations("shown_once")))
