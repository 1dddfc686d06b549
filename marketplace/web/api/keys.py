"""API keys over HTTP: made, listed and revoked by the account that they belong to."""

from datetime import UTC, datetime
from typing import Annotated

import msgspec

from core.errors import NotAllowed
from core.http import Answer, body, created, reads, writes
from core.identity import Actor, get_account, keys_of, make_key, revoke_key
from core.ids import parse_id
from marketplace.web.api import answers, api, shown
from marketplace.web.api.described import describe


class KeyBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a new key is called and may do; without scopes, all that the account may."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=100)] = "key"
    scopes: list[str] | None = None


@api.post("/keys")
@writes("keys:manage")
@describe(answers.KeyMade, takes=KeyBody, status=201)
def post_key(actor: Actor) -> Answer:
    """Make a key; its secret is shown in this answer and never again."""
    said = body(KeyBody)
    if said.scopes is not None and not actor.scopes >= set(said.scopes):
        raise NotAllowed("scope_missing", "A key cannot make another that may do more than itself.")
    scopes = actor.scopes if said.scopes is None else said.scopes
    key, secret = make_key(get_account(actor.account_id), said.name, datetime.now(UTC), scopes)
    return created(shown.key_made(key, secret))


@api.get("/keys")
@reads("keys:manage")
@describe(answers.KeyShown, is_list=True)
def list_keys(actor: Actor) -> Answer:
    """Show the account's keys without their secrets."""
    return Answer({"items": [shown.key(key) for key in keys_of(actor.account_id)], "next_cursor": None})


@api.delete("/keys/<key_id>")
@writes("keys:manage")
@describe(answers.KeyShown)
def delete_key(actor: Actor, key_id: str) -> Answer:
    """Revoke a key for every request that begins after the answer."""
    return Answer(shown.key(revoke_key(actor.account_id, parse_id("key", key_id), datetime.now(UTC))))
