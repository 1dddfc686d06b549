"""The warning that a wallet runs low: once per fall below a day's spending, again only after it has recovered."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import and_, or_, select, text
from sqlalchemy.dialects.postgresql import insert

from billing.funding.recharge.mails import mail_low
from billing.funding.recharge.models import WalletPace
from billing.models import Wallet
from core.db import db
from core.money import Money
from core.outbox import announce
from core.overrides import overrides

COUNT_EVERY = timedelta(minutes=10)
REARMED_AT = 125  # per cent of what the warning is about, so that a wallet that wavers is told of once
Key = tuple[UUID, str]

_FALLEN = text("""
    UPDATE billing.wallet_paces p SET low_since = :at FROM billing.wallets w
    WHERE w.account_id = p.account_id AND w.currency = p.currency AND p.low_since IS NULL AND w.suspended_at IS NULL
      AND p.daily_minor > 0 AND (w.available + w.promo) * 24 < p.daily_minor * :hours
    RETURNING p.account_id, p.currency, w.available + w.promo AS left_minor, p.daily_minor
""")
_RECOVERED = text("""
    UPDATE billing.wallet_paces p SET low_since = NULL FROM billing.wallets w
    WHERE w.account_id = p.account_id AND w.currency = p.currency AND p.low_since IS NOT NULL
      AND (w.available + w.promo) * 2400 >= p.daily_minor * :hours * :percent
""")


def wallets_to_count(at: datetime, most: int = 200) -> list[Key]:
    """Return the wallets whose spending was not counted lately, those waiting longest first."""
    pace = and_(WalletPace.account_id == Wallet.account_id, WalletPace.currency == Wallet.currency)
    query = select(Wallet.account_id, Wallet.currency).outerjoin(WalletPace, pace)
    query = query.where(or_(WalletPace.counted_at.is_(None), WalletPace.counted_at <= at - COUNT_EVERY))
    found = db.session.execute(query.order_by(WalletPace.counted_at.nulls_first()).limit(most))
    return [(row[0], row[1]) for row in found]


def note_paces(daily: Mapping[Key, int], at: datetime) -> None:
    """Keep what each wallet spends a day, in minor units."""
    rows = [{"account_id": account_id, "currency": currency, "daily_minor": minor, "counted_at": at}
            for (account_id, currency), minor in sorted(daily.items())]  # fmt: skip
    if rows:
        kept = insert(WalletPace).values(rows)
        said = {"daily_minor": kept.excluded.daily_minor, "counted_at": kept.excluded.counted_at}
        db.session.execute(kept.on_conflict_do_update(index_elements=["account_id", "currency"], set_=said))


def warn_low(at: datetime) -> int:
    """Tell the owners of wallets that fell below what a day costs, once a fall; return how many."""
    hours = overrides().setting("wallet.warn_hours")
    db.session.execute(_RECOVERED, {"hours": hours, "percent": REARMED_AT})
    fallen = db.session.execute(_FALLEN, {"at": at, "hours": hours}).all()
    for row in fallen:
        _tell(row.account_id, Money(int(row.left_minor), row.currency), Money(row.daily_minor, row.currency), hours, at)
    return len(fallen)


def is_low(account_id: UUID, currency: str) -> bool:
    """Tell whether a wallet has fallen below what a day costs and not recovered since."""
    row = db.session.get(WalletPace, (account_id, currency), populate_existing=True)
    return row is not None and row.low_since is not None


def _tell(account_id: UUID, left: Money, daily: Money, hours: int, at: datetime) -> None:
    data = {
        "account": str(account_id),
        "left": left.as_json(),
        "daily_spend": daily.as_json(),
        "warned_below_hours": hours,
    }
    announce("notice", {"event": "wallet.low", "at": at.isoformat(), "accounts": [str(account_id)], "data": data})
    mail_low(account_id, left, daily, hours)
