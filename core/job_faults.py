"""Why jobs raised: the queue keeps that one failed, this keeps of what, so that an operator need not search logs."""

import logging
import re
from datetime import UTC, datetime

from sqlalchemy import BigInteger, DateTime, Identity, Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from core.db import LOST_DATABASE, Model, db, transaction
from core.errors import Unavailable

log = logging.getLogger(__name__)

LONGEST = 500
_PRIVATE = (
    (re.compile(r"(\w+://)(?:[^\s/'\"]*@)?([^\s/?#'\"]*)[^\s'\"]*"), r"\1\2/…"),  # a path or a query may be a secret
    (re.compile(r"[^\s@<>(){}\[\],;:'\"]+@[^\s@<>(){}\[\],;:'\"]+"), "…@…"),
    (re.compile(r"\b(?:sk|rk|pk|whsec)_\w+|(?<=Bearer )\S+|(?<=Basic )\S+"), "…"),
    (re.compile(r"\+?\b\d{9,}\b"), "…"),
)


class JobFault(Model):
    """One time that a job raised, with the first line of what it said."""

    __tablename__ = "job_faults"
    __table_args__ = (
        Index("job_faults_job_id_idx", "job_id", "id"),
        Index("job_faults_at_idx", "at"),
        {"schema": "core"},
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    job_id: Mapped[int] = mapped_column(BigInteger)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    fault: Mapped[str] = mapped_column(Text)


def note_fault(job_id: int | None, error: Exception) -> None:
    """Keep why a job raised, in a transaction of its own; a database that is away leaves the log alone to tell."""
    if job_id is None:
        return
    try:
        with transaction() as session:
            session.add(JobFault(job_id=job_id, at=datetime.now(UTC), fault=told(error)))
    except (*LOST_DATABASE, Unavailable):
        log.warning("the database is away; why job %s raised is only in the log", job_id)


def told(error: Exception) -> str:
    """Say what was raised in one line, without addresses, numbers of people and keys.

    The lines after the first may hold what a person typed, so they are left out.
    """
    said = (str(error).splitlines() or [""])[0].replace("\0", "")
    for pattern, instead in _PRIVATE:
        said = pattern.sub(instead, said)
    return f"{type(error).__name__}: {said}"[:LONGEST].removesuffix(": ")


def forget_faults(before: datetime) -> int:
    """Delete what was kept before this instant and return how many."""
    return len(db.session.execute(db.delete(JobFault).where(JobFault.at < before).returning(JobFault.id)).all())
