"""Who may act: accounts (organisations), users, memberships, API keys with scopes."""

from core.identity.accounts import Actor, account_named, accounts_of_kind, emails_of, get_account, open_account, sign_up
from core.identity.keys import (
    SCOPES_OF,
    actor_for_key,
    forget_actor,
    keys_of,
    make_key,
    recall_actor,
    remembered_actor,
    revoke_key,
)
from core.identity.models import Account, ApiKey

__all__ = [
    "SCOPES_OF",
    "Account",
    "Actor",
    "ApiKey",
    "account_named",
    "accounts_of_kind",
    "actor_for_key",
    "emails_of",
    "forget_actor",
    "get_account",
    "keys_of",
    "make_key",
    "open_account",
    "recall_actor",
    "remembered_actor",
    "revoke_key",
    "sign_up",
]
