"""Files that wait to be booked, a piece of each in turn, so that one that errs holds up no other."""

import logging
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from billing.bank.booking import book_lines
from billing.bank.models import BankImport
from core.db import db, transaction
from core.errors import Conflict
from core.jobs import enqueue

log = logging.getLogger(__name__)

BOOK = "billing.bank"
MOST_FILES = 20


def wake_bank() -> None:
    """Let the worker book what waits, once this transaction is committed."""
    enqueue(BOOK, once=True)


def book_waiting(at: datetime) -> None:
    """Book the next piece of each file that waits, and come again while one does; raises the first fault at the end."""
    with transaction():
        query = select(BankImport.id).where(BankImport.state == "read").order_by(BankImport.id).limit(MOST_FILES)
        waiting = list(db.session.scalars(query))
    faults: list[Exception] = []
    goes_on = False
    for import_id in waiting:
        try:
            with transaction():
                goes_on |= book_lines(import_id, at)
        except (SQLAlchemyError, Conflict) as fault:
            log.warning("the bank's file %s could not be booked, and comes later: %s", import_id, fault)
            faults.append(fault)
    if goes_on:
        with transaction():
            wake_bank()
    if faults:
        raise faults[0]
