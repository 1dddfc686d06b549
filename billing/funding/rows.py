"""One row after the other: one that errs for ever is looked at behind all others and stops nothing but itself."""

import logging
from collections.abc import Callable, Sequence

from sqlalchemy import update
from sqlalchemy.exc import SQLAlchemyError

from billing.funding.models import BalanceTransaction, CardNews
from billing.stripe_gateway import Refused, Undecided
from core.db import db, transaction
from core.errors import Conflict

log = logging.getLogger(__name__)

MOST_MISSES = 3  # in one run: then it is not the row, but the processor
Row = tuple[str, str, str]  # its id, and what else is needed to do it
FAULTS = (Undecided, Refused, Conflict, SQLAlchemyError)


def do_each(model: type[BalanceTransaction | CardNews], rows: Sequence[Row], do: Callable[[Row], object]) -> int:
    """Do each of these rows, whose first column is their id, and return how many came to an end.

    A fault counts as a miss of its row, by which rows are to be sorted, and the next row is done. At the end the first
    fault is raised that is one of ours, and Undecided when so many are that the processor must be away.
    """
    missed: list[Exception] = []
    for row in rows:
        try:
            do(row)
        except FAULTS as fault:
            missed.append(fault)
            _count_miss(model, row[0], fault)
        if len(missed) == MOST_MISSES:
            break
    ours = [fault for fault in missed if not isinstance(fault, Undecided)]
    if ours or len(missed) == MOST_MISSES:
        raise (ours or missed)[0]
    return len(rows) - len(missed)


def _count_miss(model: type[BalanceTransaction | CardNews], row_id: str, fault: Exception) -> None:
    log.warning("%s %s could not be done, and comes later: %s", model.__tablename__, row_id, fault)
    with transaction():
        db.session.execute(update(model).where(model.id == row_id).values(misses=model.misses + 1))
