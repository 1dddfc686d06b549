"""API keys over HTTP: made, listed and revoked by the account that they belong to."""

from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec

from core.errors import NotAllowed
from core.http import Answer, body, created, reads, writes
from core.identity import Actor, ApiKey, get_account, keys_of, make_key, revoke_key
from core.ids import parse_id, show_id
from marketplace.web.api import api, shown


class KeyBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a new key is called and may do; without scopes, all that the account may."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=100)] = "key"
    scopes: list[str] | None = None


@api.post("/keys")
@writes("keys:manage")
def post_key(actor: Actor) -> Answer:
    """Make a key; its secret is shown in this answer and never again."""
    said = body(KeyBody)
    if said.scopes is not None and not actor.scopes >= set(said.scopes):
        raise NotAllowed("scope_missing", "A key cannot make another that may do more than itself.")
    scopes = actor.scopes if said.scopes is None else said.scopes
    key, secret = make_key(get_account(actor.account_id), said.name, datetime.now(UTC), scopes)
    return created(_show(key) | {"api_key": secret})


@api.get("/keys")
@reads("keys:manage")
def list_keys(actor: Actor) -> Answer:
    """Show the account's keys without their secrets."""
    return Answer({"items": [_show(key) for key in keys_of(actor.account_id)], "next_cursor": None})


@api.delete("/keys/<key_id>")
@writes("keys:manage")
def delete_key(actor: Actor, key_id: str) -> Answer:
    """Revoke a key for every request that begins after the answer."""
    return Answer(_show(revoke_key(actor.account_id, parse_id("key", key_id), datetime.now(UTC))))


def _show(key: ApiKey) -> dict[str, Any]:
    return {
        "id": show_id("key", key.id), "name": key.name, "hint": key.hint, "scopes": key.scopes,
        "created_at": shown.instant(key.created_at), "revoked_at": shown.instant(key.revoked_at),
    }  # fmt: skip
