"""The platform's own money, which pays what nobody else does: fees of the card processor, compensations."""

from datetime import datetime

from billing.ledger import BANK, OWN_FUNDS, Line, post
from billing.wallets import Posting
from core.errors import Invalid
from core.money import Money


def put_in_funds(money: Money, key: str, reason: str, actor: str, at: datetime) -> Posting:
    """Book own money seen at the bank (D bank / C own_funds) under `funds:{key}`, once; Invalid unless above zero."""
    if money.minor <= 0:
        raise Invalid("invalid_amount", "Own funds are an amount above zero.")
    lines = [Line(BANK, money.minor), Line(OWN_FUNDS, -money.minor)]
    return post("own_funds", f"funds:{key}", money.currency, lines, source=key, actor=actor, at=at, reason=reason)
