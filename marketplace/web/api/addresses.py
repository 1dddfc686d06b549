"""Where an account's leads go: addresses for mail, asked and confirmed, and endpoints; both deleted when not used."""

from typing import Annotated

from msgspec import Meta, Struct

from core.http import Answer, body, business_clock, created, reads, writes
from core.identity import Actor
from core.ids import parse_id, show_id
from marketplace.leads.delivery.endpoint_rows import Endpoint
from marketplace.leads.delivery.forgetting import forget_address, forget_endpoint, get_endpoint, idle_endpoints
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


class EndpointRow(Struct, frozen=True):
    """An endpoint: `closed` while it answers, `open` while paused, `half_open` and `probing` while it is tried."""

    id: str
    address: str
    state: str


@api.delete("/addresses/<address>")
@writes("orders:write")
@describe(AddressShown)
def delete_address(actor: Actor, address: str) -> Answer:
    """Delete an address to which no active order sends; what was sent there stays in the log."""
    gone = forget_address(actor.account_id, address, actor.name, business_clock().now())
    return Answer(AddressShown(gone, "deleted"))


@api.get("/endpoints")
@reads("orders:read")
@describe(EndpointRow, is_list=True)
def list_endpoints(actor: Actor) -> Answer:
    """Show the endpoints to which no active order sends any more; those in use stand with their orders."""
    return Answer({"items": [_shown(row) for row in idle_endpoints(actor.account_id)], "next_cursor": None})


@api.delete("/endpoints/<endpoint_id>")
@writes("orders:write")
@describe(EndpointRow)
def delete_endpoint(actor: Actor, endpoint_id: str) -> Answer:
    """Delete an endpoint to which no active order sends, with how it has done; what was sent there stays in the log."""
    row_id = parse_id("enp", endpoint_id)
    gone = _shown(get_endpoint(actor.account_id, row_id))
    forget_endpoint(actor.account_id, row_id, actor.name, business_clock().now())
    return Answer(gone)


def _shown(row: Endpoint) -> EndpointRow:
    return EndpointRow(show_id("enp", row.id), row.address, row.state)
