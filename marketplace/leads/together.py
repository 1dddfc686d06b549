"""Plain leads that come while others are being sold are sold together: one statement and one commit for all of them.

Nobody waits for company. A lead that finds nothing under way is sold at once, by itself; those that come meanwhile are
the next batch, which the thread of one of them sells for all. So batches grow with the load, and what each sale costs
falls.
"""

from collections.abc import Sequence
from threading import Lock
from typing import Any

import psycopg

from core.db import Pool, is_lost, lend
from core.errors import Unavailable
from marketplace.leads.plain import LEAD_ID, PERSONS, PLAIN_SALE, SELL_PLAIN, SELL_TOGETHER

MOST = 16  # leads in one batch
PATIENCE_SECONDS = 0.1  # with what is under way; it may be waiting for a buyer whose wallet somebody holds
ALONE = b"alone"  # said of a lead that is to have a statement of its own


class _Waiting:
    """A lead on its way through a batch, and what came of it."""

    __slots__ = ("away", "batch", "said", "turn", "values", "written")

    def __init__(self, values: Sequence[Any]) -> None:
        self.values = values
        self.written = PLAIN_SALE.write(values)
        self.turn = Lock()  # held until it was sold, or its own thread is to sell the batch
        self.turn.acquire()
        self.batch: list[_Waiting] | None = None
        self.said: bytes | None = ALONE
        self.away: Unavailable | None = None


class Together:
    """Sells the plain leads of one process, a batch at a time."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._lock = Lock()
        self._queue: list[_Waiting] = []
        self._is_busy = False

    def sell(self, values: Sequence[Any]) -> bytes | None:
        """Sell a lead by its plain values and return what was said, as `sell_plain` says it.

        Unavailable when the database is away, psycopg.Error when it refuses this very lead.
        """
        lead = _Waiting(values)
        with self._lock:
            if self._is_busy:
                self._queue.append(lead)
            else:
                self._is_busy, lead.batch = True, [lead]
        if lead.batch is None:
            self._wait(lead)
        if lead.batch is not None:
            self._sell(lead, lead.batch)
        if lead.away is not None:
            raise lead.away
        return self._sell_alone(lead) if lead.said == ALONE else lead.said

    def _wait(self, lead: _Waiting) -> None:
        """Wait until a lead was sold or its own thread is to sell; it leaves the queue when nothing moves."""
        if not lead.turn.acquire(timeout=PATIENCE_SECONDS) and not self._has_left(lead):
            lead.turn.acquire()

    def _has_left(self, lead: _Waiting) -> bool:
        with self._lock:
            is_waiting = lead in self._queue
            if is_waiting:
                self._queue.remove(lead)
            return is_waiting

    def _sell(self, leader: _Waiting, batch: list[_Waiting]) -> None:
        """Sell a batch for everybody in it, and let the next one begin whatever comes of it; its leader learns what."""
        try:
            said = [self._sell_alone(leader)] if len(batch) == 1 else self._sell_all(batch)
            for lead, its in zip(batch, said, strict=True):
                lead.said = its
        except Unavailable as away:  # nobody knows what became of them, so none is tried again
            for lead in batch:
                lead.away = away
        finally:
            self._begin_next()
            for lead in batch:
                if lead is not leader:
                    lead.turn.release()

    def _begin_next(self) -> None:
        with self._lock:
            batch, self._queue = self._queue[:MOST], self._queue[MOST:]
            self._is_busy = bool(batch)
        if batch:
            batch[0].batch = batch
            batch[0].turn.release()

    def _sell_alone(self, lead: _Waiting) -> bytes | None:
        with lend(self._pool) as connection:
            return SELL_PLAIN.value(connection, lead.values)

    def _sell_all(self, batch: list[_Waiting]) -> list[bytes | None]:
        strangers = _strangers(batch)
        with lend(self._pool) as connection:
            leads = PLAIN_SALE.array(connection, [lead.written for lead in strangers])
            try:
                said = {row[0]: row[1] for row in SELL_TOGETHER.rows(connection, (leads,))}
            except psycopg.Error as error:
                if is_lost(error):
                    raise
                return [ALONE] * len(batch)  # one of them is refused, which is nothing to the others
        answers = {lead: said.get(str(lead.values[LEAD_ID]).encode()) for lead in strangers}
        return [answers.get(lead, ALONE) for lead in batch]


def _strangers(batch: list[_Waiting]) -> list[_Waiting]:
    """Return the leads of a batch but those whose person came before in it: one such would undo the sale of all."""
    known, strangers = set[bytes](), []
    for lead in batch:
        if known.isdisjoint(lead.values[PERSONS]):
            strangers.append(lead)
            known.update(lead.values[PERSONS])
    return strangers
