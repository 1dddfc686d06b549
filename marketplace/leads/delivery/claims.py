"""Taking deliveries in hand: each by one process, a few at once for one endpoint, none twice.

An attempt's row is written with the claim. A lease that ends gives back what a dead process had in hand.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import TextClause, text

from core.db import db

HANDS_PER_ENDPOINT = 8
LEASE_SECONDS = 90  # longer than any call may take
# Deliveries in one lane share hands: an endpoint's, or an order's that is not sent by HTTP. Who is taken away from a
# paused endpoint does not wait behind the calls that still hang there.
_CLAIM = """
    WITH soon AS MATERIALIZED (
        SELECT sale_id, lane FROM (
            SELECT *, row_number() OVER (PARTITION BY lane ORDER BY next_attempt_at) AS place FROM (
                SELECT d.sale_id, d.next_attempt_at, {lane} AS lane
                FROM marketplace.deliveries d
                JOIN marketplace.order_versions v ON v.order_id = d.order_id AND v.version = d.order_version
                LEFT JOIN marketplace.endpoints e
                    ON e.buyer_id = d.buyer_id AND e.address = v.endpoint AND e.state <> 'closed'
                WHERE d.state = 'waiting' AND {wanted} AND {lane} <> ALL(:full)
                ORDER BY d.next_attempt_at LIMIT 500) AS first) AS ranked
        LEFT JOIN unnest(CAST(:lanes AS text[]), CAST(:hands AS integer[])) AS busy (lane, hands) USING (lane)
        WHERE place <= :each - coalesce(hands, 0) ORDER BY next_attempt_at LIMIT :most),
    due AS (
        SELECT d.sale_id, soon.lane FROM marketplace.deliveries d JOIN soon ON soon.sale_id = d.sale_id
        WHERE d.state = 'waiting' FOR UPDATE OF d SKIP LOCKED),
    taken AS (
        UPDATE marketplace.deliveries d
        SET state = 'in_hand', attempts = attempts + 1, lease_until = :lease, asked_by = NULL
        FROM due WHERE d.sale_id = due.sale_id RETURNING d.sale_id, d.attempts, due.lane, old.asked_by)
    INSERT INTO marketplace.delivery_attempts (sale_id, number, started_at, asked_by)
    SELECT sale_id, attempts, :now, asked_by FROM taken RETURNING sale_id, number,
        (SELECT lane FROM taken t WHERE t.sale_id = delivery_attempts.sale_id)
"""
_LANE = "d.buyer_id || ' ' || coalesce(v.endpoint, d.order_id::text)"
_DUE = text(_CLAIM.format(
    lane=_LANE, wanted="d.next_attempt_at <= :now AND (e.state IS NULL OR e.probe_sale_id = d.sale_id)",
))  # fmt: skip
# A lead whose attempt died with its process may be its buyer's already: it waits for the endpoint as long as it may.
_STRANDED = text(_CLAIM.format(
    lane="'away from ' || " + _LANE,
    wanted="""e.state IN ('open', 'probing') AND e.probe_sale_id IS DISTINCT FROM d.sale_id
                    AND (d.give_up_at < :now OR NOT EXISTS (
                        SELECT FROM marketplace.delivery_attempts a
                        WHERE a.sale_id = d.sale_id AND a.outcome IS NULL))""",
))  # fmt: skip
_FREE_LOST = text(
    "UPDATE marketplace.deliveries SET state = 'waiting', lease_until = NULL"
    " WHERE state = 'in_hand' AND lease_until < :real"
)


class Claim(NamedTuple):
    """An attempt that this process has in hand; of a stranded lead nothing is sent.

    Its endpoint is paused, or it was asked for by hand and the lead is its buyer's no more.
    """

    sale_id: UUID
    number: int
    lane: str
    is_stranded: bool = False
    by_hand: bool = False


def claim_due(now: datetime, most: int, busy: Mapping[str, int]) -> list[Claim]:
    """Take in hand what may be sent by now; `busy` says how many hands each lane has here already."""
    return [Claim(*row) for row in _claimed(_DUE, now, most, busy)]


def claim_stranded(now: datetime, most: int, busy: Mapping[str, int]) -> list[Claim]:
    """Take in hand what waits for an endpoint that is paused, whenever it was to be tried again."""
    return [Claim(*row, is_stranded=True) for row in _claimed(_STRANDED, now, most, busy)]


def free_lost() -> None:
    """Give back what processes had in hand when they died."""
    db.session.execute(_FREE_LOST, {"real": datetime.now(UTC)})


def _claimed(query: TextClause, now: datetime, most: int, busy: Mapping[str, int]) -> list[tuple[UUID, int, str]]:
    rows = db.session.execute(query, {
        "now": now, "most": most, "each": HANDS_PER_ENDPOINT,
        "full": [lane for lane, hands in busy.items() if hands >= HANDS_PER_ENDPOINT],
        "lanes": list(busy), "hands": list(busy.values()),
        "lease": datetime.now(UTC) + timedelta(seconds=LEASE_SECONDS),
    })  # fmt: skip
    return [(row[0], row[1], row[2]) for row in rows]
