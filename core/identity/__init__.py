"""Who may act: accounts (organisations), users, memberships, API keys with scopes."""

from core.identity.accounts import (
    Actor,
    Place,
    account_named,
    accounts_of_kind,
    add_member,
    drop_second_factor,
    emails_of,
    get_account,
    language_of,
    open_account,
    places_of,
    sign_up,
    speak,
)
from core.identity.keys import (
    SCOPES_OF,
    actor_for_key,
    forget_actor,
    keys_of,
    make_key,
    recall_actor,
    remembered_actor,
    revoke_key,
    write_uses,
)
from core.identity.models import Account, ApiKey
from core.identity.named import Who, who_are
from core.identity.sessions import PROGRAMS
from core.identity.sign_in import SignedIn, install_sign_in, refused_tries, signed_in_user
from core.identity.throttle import network_of

__all__ = [
    "PROGRAMS",
    "SCOPES_OF",
    "Account",
    "Actor",
    "ApiKey",
    "Place",
    "SignedIn",
    "Who",
    "account_named",
    "accounts_of_kind",
    "actor_for_key",
    "add_member",
    "drop_second_factor",
    "emails_of",
    "forget_actor",
    "get_account",
    "install_sign_in",
    "keys_of",
    "language_of",
    "make_key",
    "network_of",
    "open_account",
    "places_of",
    "recall_actor",
    "refused_tries",
    "remembered_actor",
    "revoke_key",
    "sign_up",
    "signed_in_user",
    "speak",
    "who_are",
    "write_uses",
]
