"""The relay: takes news that facts left in the outbox and hands it to the queue, a batch in one insert.

A row leaves the outbox in the transaction that puts it on the queue, so news is neither lost nor doubled by a crash;
a handler may still see a batch twice (jobs are retried) and writes under the outbox row's own id.
"""

import json
import threading
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, DateTime, Identity, Text, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Application, Model, db, transaction
from core.jobs import enqueue
from core.rounds import run_rounds

BATCH = 500
IDLE_SECONDS = 0.05


class OutboxRow(Model):
    """A piece of news that waits for the relay."""

    __tablename__ = "outbox"
    __table_args__ = {"schema": "core"}

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    topic: Mapped[str] = mapped_column(Text)
    payload: Mapped[Any] = mapped_column(JSONB)
    added_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


_ANNOUNCE = text("SELECT core.announce(:topic, CAST(:payload AS jsonb))")


def announce(topic: str, *news: Mapping[str, Any]) -> None:
    """Leave news in the outbox, within the session's transaction and in one round trip however many they are."""
    if news:
        db.session.execute(_ANNOUNCE, [{"topic": topic, "payload": json.dumps(one)} for one in news])


def relay_once() -> int:
    """Hand one batch to the queue, one job a topic, and return how many rows left the outbox."""
    rows = db.session.execute(
        text(
            "DELETE FROM core.outbox WHERE id IN"
            " (SELECT id FROM core.outbox ORDER BY id LIMIT :batch FOR UPDATE SKIP LOCKED)"
            " RETURNING id, topic, payload"
        ),
        {"batch": BATCH},
    ).all()
    by_topic: dict[str, list[dict[str, Any]]] = {}
    for row in sorted(rows):
        by_topic.setdefault(row.topic, []).append({"id": row.id, **row.payload})
    for topic, news in by_topic.items():
        enqueue(topic, news=news)
    return len(rows)


def run_relay(app: Application, ended: threading.Event) -> None:
    """Relay until told to end; survives a database that goes away and comes back."""
    run_rounds(app, ended, "the relay", _relay_round, IDLE_SECONDS)


def _relay_round() -> bool:
    with transaction():
        return relay_once() == BATCH
