"""The addresses to which an account's leads go by mail: listed, asked, confirmed with the code that was sent there."""

from typing import Annotated

from msgspec import Meta, Struct

from core.http import Answer, body, created, reads, writes
from core.identity import Actor
from marketplace.leads.delivery.mail.addresses import addresses_of_account, ask, confirm
from marketplace.web.api import api
from marketplace.web.api.described import describe

Address = Annotated[str, Meta(max_length=254)]


class AddressBody(Struct, frozen=True, forbid_unknown_fields=True):
    """The address that shall get a code."""

    address: Address


class CodeBody(Struct, frozen=True, forbid_unknown_fields=True):
    """The code that came to an address."""

    address: Address
    code: Annotated[str, Meta(max_length=40)]


class AddressShown(Struct, frozen=True):
    """An address: `own`, `confirmed`, `waiting` for its code, or `bounced` until it is confirmed anew."""

    address: str
    state: str


@api.get("/addresses")
@reads("orders:read")
@describe(AddressShown, is_list=True)
def list_addresses(actor: Actor) -> Answer:
    """Show where the account's leads may go by mail."""
    found = addresses_of_account(actor.account_id)
    return Answer({"items": [AddressShown(address, state) for address, state in found], "next_cursor": None})


@api.post("/addresses")
@writes("orders:write")
@describe(AddressShown, takes=AddressBody, status=201)
def post_address(actor: Actor) -> Answer:
    """Send a code to an address, a new one after a minute."""
    return created(AddressShown(ask(actor.account_id, body(AddressBody).address).address, "waiting"))


@api.post("/addresses/confirm")
@writes("orders:write")
@describe(AddressShown, takes=CodeBody)
def confirm_address(actor: Actor) -> Answer:
    """Take the code back: leads go to the address from now on."""
    said = body(CodeBody)
    return Answer(AddressShown(confirm(actor.account_id, said.address, said.code).address, "confirmed"))
