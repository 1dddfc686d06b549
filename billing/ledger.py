"""Postings of several lines, off the hot path: what verbs are made of that are not SQL functions themselves."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import text

from billing.wallets import POSTINGS, Posting
from core.db import db
from core.errors import Conflict

CLEARING, AT_STRIPE, IN_TRANSIT, BANK, CHARGED_BACK, AT_BANK_IN_TRANSIT = 1000, 1010, 1020, 1030, 1040, 1050
OWED_BY_WALLET = 1110
AVAILABLE, FROZEN = 2000, 2020
PAYABLE, IN_FLIGHT = 2100, 2120
GOING_BACK, VAT_OUTPUT, SUSPENSE, OWN_FUNDS = 2200, 2210, 2900, 3000
FEES, FX = 4100, 5900
STRIPE_FEES, CHARGEBACK_FEES = 5100, 5110


class Line(NamedTuple):
    """An amount on an account of the chart, debit positive; `owner_id` where the account has owners."""

    account: int
    minor: int
    owner_id: UUID | None = None


_POST = text("""
    SELECT billing.post(:kind, :key, :currency,
        (SELECT array_agg(ROW(u.account, u.owner_id, u.minor)::billing.line ORDER BY u.n)
         FROM unnest(CAST(:accounts AS smallint[]), CAST(:owners AS uuid[]), CAST(:minors AS bigint[]))
             WITH ORDINALITY AS u (account, owner_id, minor, n)),
        :source, :actor, :reason, :at)
""")


def post(
    kind: str,
    key: str,
    currency: str,
    lines: Sequence[Line],
    *,
    source: str,
    actor: str,
    at: datetime,
    reason: str = "",
) -> Posting:
    """Post lines that sum to zero under a key, once; refused with `funds` when whom they move lacks it.

    A Conflict when the key stands for something else: that is never an answer to give on, but a fault of ours.
    """
    values = {
        "kind": kind, "key": key, "currency": currency, "source": source, "actor": actor, "at": at,
        "reason": reason or None, "accounts": [line.account for line in lines],
        "owners": [line.owner_id for line in lines], "minors": [line.minor for line in lines],
    }  # fmt: skip
    answer: str = db.session.execute(_POST, values).scalar_one()
    if answer == "conflict":
        raise Conflict("key_reused", f"The key {key} stands for another posting.")
    return POSTINGS.get(answer) or Posting("refused", answer.removeprefix("refused:"))
