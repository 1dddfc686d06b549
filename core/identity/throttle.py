"""How often anybody may try to sign in or have mail sent: counted in the database, so that every process agrees.

Both who is asked about (a person) and who asks (a network address) are counted, whether or not such a person exists.
What is refused stays counted for thirty days; a person sees it on their own page.
"""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import IPv6Address, ip_address

from sqlalchemy import delete, func, select, update

from core.db import db, transaction
from core.identity.models import Attempt
from core.jobs import job

KEPT = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Limit:
    """How many tries a person and a network address have in each window."""

    window: timedelta
    person: int
    address: int


LIMITS = {
    "sign_in": Limit(timedelta(minutes=15), person=10, address=100),
    "mail": Limit(timedelta(hours=1), person=5, address=30),
}


def network_of(address: str) -> str:
    """Return what counts as one network address: an IPv4 address, or the /64 that an IPv6 address lies in."""
    try:
        known = ip_address(address)
    except ValueError:
        return address
    return str(IPv6Address(int(known) >> 64 << 64)) if known.version == 6 else str(known)


def subject_of(key: bytes, text: str) -> bytes:
    """Return what stands for a person or an address in the table."""
    return hmac.digest(key, text.strip().lower().encode("utf-8", "surrogatepass"), hashlib.sha256)


def start_of(action: str, at: datetime) -> datetime:
    """Return when the window began that an instant lies in."""
    seconds = int(LIMITS[action].window.total_seconds())
    return datetime.fromtimestamp(int(at.timestamp()) // seconds * seconds, UTC)


def wait_after_try(action: str, person: bytes | None, address: bytes, at: datetime) -> int:
    """Count one try and return 0 if it is within both limits, otherwise the seconds to wait."""
    limit, start = LIMITS[action], start_of(action, at)
    allowed = [_try(action, "address", address, start, limit.address)]
    if person is not None:
        allowed.append(_try(action, "person", person, start, limit.person))
    return 0 if all(allowed) else max(1, int((start + limit.window - at).total_seconds()))


def _try(action: str, by: str, subject: bytes, start: datetime, limit: int) -> bool:
    return bool(db.session.execute(select(func.core.try_once(action, by, subject, start, limit))).scalar_one())


def forgive(action: str, person: bytes, at: datetime) -> None:
    """Forget a person's tries of the present window, once they have shown who they are; refusals stay counted."""
    here = (Attempt.action == action, Attempt.by == "person", Attempt.subject == person)
    db.session.execute(update(Attempt).where(*here, Attempt.starts_at == start_of(action, at)).values(tried=0))


def refused_lately(person: bytes) -> int:
    """Return how many tries in a person's name were refused in the last thirty days."""
    query = select(func.coalesce(func.sum(Attempt.refused), 0)).where(Attempt.subject == person)
    return int(db.session.execute(query).scalar_one())


@job("core.forget_attempts", every=timedelta(days=1))
def forget_attempts() -> None:
    """Delete what was counted more than thirty days ago."""
    with transaction() as session:
        session.execute(delete(Attempt).where(Attempt.starts_at < datetime.now(UTC) - KEPT))
