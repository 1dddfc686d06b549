"""Credit lines over HTTP, for operators: what a buyer may draw, and when that falls due."""

from datetime import datetime

from msgspec import Struct

from billing import owing_of, versions_of, wallet_of
from core.http import Answer, body, business_clock, reads, writes
from core.identity import Actor, get_account
from core.ids import parse_id, show_id
from core.schemas import Amount
from marketplace.credit.granting import Line, grant_line, read_limit
from marketplace.web.api import answers, api, shown
from marketplace.web.api.balances import CURRENCY, asked_currency
from marketplace.web.api.described import describe


class CreditLineBody(Struct, frozen=True, forbid_unknown_fields=True):
    """A line as an operator wants it; a limit of 0 ends it, and `above_usual` says that a large one is meant.

    `version` is the line's as it was read, 0 for none.
    """

    limit: Amount
    days: int
    reason: str
    version: int = 0
    above_usual: bool = False


class CreditLineShown(Struct, frozen=True, kw_only=True):
    """A buyer's line and how it stands."""

    account: str
    version: int
    credit: answers.CreditShown
    reason: str | None
    changed_at: datetime | None
    stopped_at: datetime | None


@api.get("/buyers/<buyer_id>/credit-line")
@reads("operate")
@describe(CreditLineShown, query=(CURRENCY,))
def show_credit_line(_: Actor, buyer_id: str) -> Answer:
    """Show a buyer's credit line in one currency; version 0 where none was ever granted."""
    return Answer(_shown(buyer_id, asked_currency()))


@api.put("/buyers/<buyer_id>/credit-line")
@writes("operate")
@describe(CreditLineShown, takes=CreditLineBody)
def put_credit_line(actor: Actor, buyer_id: str) -> Answer:
    """Grant, change or end a buyer's credit line; what was drawn stays due as it was."""
    asked = body(CreditLineBody)
    limit = read_limit(asked.limit.amount, asked.limit.currency)
    line = Line(limit, asked.days, asked.reason.strip(), asked.version, asked.above_usual)
    grant_line(parse_id("acc", buyer_id), line, actor.name, business_clock().now())
    return Answer(_shown(buyer_id, limit.currency))


def _shown(buyer_id: str, currency: str) -> CreditLineShown:
    account = get_account(parse_id("acc", buyer_id), "buyer")
    wallet, at = wallet_of(account.id, currency), business_clock().now()
    newest = next(iter(versions_of(account.id, currency, 1)), None)
    return CreditLineShown(
        account=show_id("acc", account.id), version=newest.version if newest else 0,
        credit=shown.credit(wallet, owing_of([account.id], currency, at)[account.id]),
        reason=newest.reason if newest else None,
        changed_at=shown.instant(newest.changed_at) if newest else None,
        stopped_at=shown.instant_or_none(wallet.stopped_at),
    )  # fmt: skip
