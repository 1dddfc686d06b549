"""Dispositions: what a buyer reports of a sale, added to and never overwritten, and the sum that follows from it."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from msgspec import Struct
from sqlalchemy import func, insert, inspect, select, text
from sqlalchemy.dialects.postgresql import insert as insert_unless_there

from core.db import db
from core.errors import Conflict, Fault, Invalid, NotFound
from core.ids import new_id
from marketplace.leads.contact_clock import contacts_of, local_day, new_contacts, store_contacts
from marketplace.leads.contact_models import Disposition, SaleContact
from marketplace.leads.models import Lead, Sale

TRIES = ("attempted", "contacted", "unreachable")
REACHED = ("contacted", "qualified", "won")
OUTCOMES = ("won", "lost")
STATUSES = ("attempted", "contacted", "qualified", "unreachable", *OUTCOMES)
LOST_REASONS = ("never_reached", "not_interested", "no_need_yet", "too_expensive", "no_budget", "chose_competitor",
                "not_eligible", "out_of_area", "not_the_decider", "other")  # fmt: skip
TOLERANCE = timedelta(seconds=60)  # clocks of buyers run a little ahead
LATEST_FOLLOW_UP = timedelta(days=730)
OPEN_STATES = ("delivered", "disputed", "settled")

# The sum is worked out anew from every report, so that it cannot drift from them.
_SUM_UP = text("""
    UPDATE marketplace.sale_contacts c
    SET first_attempt_at = d.first_at, attempts = d.tries, attempt_days = d.days, first_contact_at = d.reached_at,
        last_status = l.status, last_at = l.at, follow_up_at = l.follow_up_at,
        follow_up_told_at = CASE WHEN c.follow_up_at = l.follow_up_at THEN c.follow_up_told_at END
    FROM (SELECT sale_id, min(at) AS first_at, count(*) FILTER (WHERE status = ANY (:tries)) AS tries,
                 count(DISTINCT local_day) FILTER (WHERE status = ANY (:tries)) AS days,
                 min(at) FILTER (WHERE status = ANY (:reached)) AS reached_at
          FROM marketplace.dispositions WHERE sale_id = ANY (:sales) GROUP BY sale_id) d,
         (SELECT DISTINCT ON (sale_id) sale_id, status, at, follow_up_at
          FROM marketplace.dispositions WHERE sale_id = ANY (:sales)
          ORDER BY sale_id, at DESC, status = ANY (:outcomes) DESC, id DESC) l
    WHERE c.sale_id = d.sale_id AND c.sale_id = l.sale_id
""")


class Report(Struct, frozen=True):
    """What a buyer says happened with a sale at an instant."""

    status: str
    at: datetime
    lost_reason: str | None = None
    follow_up_at: datetime | None = None
    note: str | None = None


def report_disposition(
    buyer_id: UUID, sale_id: UUID, report: Report, actor: str, now: datetime
) -> tuple[Disposition, bool]:
    """Add a report to the buyer's sale and return it, with whether it is new; the same report again adds nothing.

    Invalid names every bad field, NotFound for another's sale. Conflict: `not_now` for a sale that is not in the
    buyer's hands, `already_reported` for other words on the same status and instant, `outcome_final` for work after
    an outcome; a later outcome corrects an earlier one.
    """
    # The sale stays as it is meanwhile; its lock comes first everywhere.
    query = select(Sale).where(Sale.id == sale_id, Sale.buyer_id == buyer_id)
    sale = db.session.scalar(query.with_for_update(read=True))
    if sale is None:
        raise NotFound(detail="There is no sale with this id.")
    if faults := list(faults_of(report, sale.sold_at, now)):
        raise Invalid("invalid_disposition", "The report cannot be kept; each error says what to change.", faults)
    if sale.state not in OPEN_STATES:
        raise Conflict("not_now", f"The sale is {sale.state}; there is nothing to report on it.")
    contact = _locked_contact(sale)
    if (repeated := _repeated(sale.id, report)) is not None:
        return repeated, False
    _keep_outcome(sale.id, report)
    return _add(contact, report, actor, now), True


def report_at_once(reports: Sequence[tuple[UUID, Report]], actor: str, now: datetime) -> int:
    """Add what was kept of many sales elsewhere, each sale's outcome last, and return how many reports are new.

    What is there already, and what concerns sales that are in no buyer's hands, is passed over; Invalid for a report
    that could not be kept by itself. The caller answers for it that no work follows an outcome.
    """
    query = select(Sale).where(Sale.id.in_({sale_id for sale_id, _ in reports}), Sale.state.in_(OPEN_STATES))
    sales = {sale.id: sale for sale in db.session.scalars(query.order_by(Sale.id).with_for_update(read=True))}
    contacts = _contacts_at_once(list(sales.values()))
    kept = [(sale_id, report) for sale_id, report in reports if sale_id in sales]
    if faults := [fault for sale_id, report in kept for fault in faults_of(report, sales[sale_id].sold_at, now)]:
        raise Invalid("invalid_disposition", "The reports cannot be kept; each error says what to change.", faults)
    if not kept:
        return 0
    rows = [_row(contacts[sale_id], report, actor, now) for sale_id, report in kept]
    statement = insert_unless_there(Disposition).on_conflict_do_nothing().returning(Disposition.id)
    new = db.session.execute(statement, rows, execution_options={"render_nulls": True}).all()
    _sum_up(list(sales))
    db.session.expire_all()
    return len(new)


def _contacts_at_once(sales: list[Sale]) -> dict[UUID, SaleContact]:
    leads = db.session.scalars(select(Lead).where(Lead.id.in_({sale.lead_id for sale in sales})))
    contacts = contacts_of(sales, {lead.id: lead for lead in leads})
    store_contacts([contact for contact in contacts.values() if inspect(contact).transient])
    return contacts


def dispositions_of(sale_id: UUID, after: UUID | None, limit: int) -> list[Disposition]:
    """Return what was reported on a sale, the latest report first, from below `after` on."""
    query = select(Disposition).where(Disposition.sale_id == sale_id).order_by(Disposition.id.desc()).limit(limit)
    return list(db.session.scalars(query.where(Disposition.id < after) if after else query))


def follow_ups_of(buyer_id: UUID, due: datetime | None, after: UUID | None, limit: int) -> list[Sale]:
    """Return the buyer's sales with an agreed follow-up, due by `due` unless None, the newest sale first."""
    query = select(Sale).join(SaleContact, SaleContact.sale_id == Sale.id).order_by(Sale.id.desc()).limit(limit)
    query = query.where(Sale.buyer_id == buyer_id, Sale.state.in_(OPEN_STATES), SaleContact.follow_up_at.is_not(None))
    query = query.where(SaleContact.follow_up_at <= due) if due else query
    return list(db.session.scalars(query.where(Sale.id < after) if after else query))


def faults_of(report: Report, sold_at: datetime, now: datetime) -> Iterator[Fault]:
    """Yield what is wrong with a report on a sale of `sold_at` that arrives at `now`."""
    if report.status not in STATUSES:
        yield Fault("status", "not_allowed_value", f"Choose one of {', '.join(STATUSES)}.")
    if report.at > now + TOLERANCE:
        yield Fault("at", "in_future", "Send the instant at which it happened; to plan, send follow_up_at.")
    if report.at < sold_at.replace(microsecond=0):
        yield Fault("at", "before_sale", "Send an instant at or after sold_at.")
    if report.status == "lost" and report.lost_reason not in LOST_REASONS:
        yield Fault("lost_reason", "not_allowed_value", f"Choose one of {', '.join(LOST_REASONS)}.")
    if report.status != "lost" and report.lost_reason is not None:
        yield Fault("lost_reason", "not_for_status", "Leave it out unless the status is lost.")
    if report.follow_up_at is not None:
        yield from _follow_up_faults(report.status, report.follow_up_at, report.at, now)


def _follow_up_faults(status: str, follow_up_at: datetime, at: datetime, now: datetime) -> Iterator[Fault]:
    if status in OUTCOMES:
        yield Fault("follow_up_at", "not_for_status", "Leave it out of won and lost, which end the work.")
    elif follow_up_at <= at:
        yield Fault("follow_up_at", "before_report", "Send an instant after `at`.")
    elif follow_up_at > now + LATEST_FOLLOW_UP:
        yield Fault("follow_up_at", "too_far", f"Send an instant within {LATEST_FOLLOW_UP.days} days.")


def _locked_contact(sale: Sale) -> SaleContact:
    """Return the sale's row with its lock, made now if the watch has not come by."""
    query = select(SaleContact).where(SaleContact.sale_id == sale.id).with_for_update()
    contact = db.session.scalar(query)
    if contact is None:
        store_contacts(new_contacts([(sale, db.session.get_one(Lead, sale.lead_id))]))
        contact = db.session.scalars(query).one()
    return contact


def _repeated(sale_id: UUID, report: Report) -> Disposition | None:
    query = select(Disposition).where(Disposition.sale_id == sale_id, Disposition.at == report.at,
                                      Disposition.status == report.status)  # fmt: skip
    found = db.session.scalar(query)
    if found is None:
        return None
    if Report(found.status, found.at, found.lost_reason, found.follow_up_at, found.note) != report:
        detail = "This status was reported for this instant in other words; send another `at` to add to it."
        raise Conflict("already_reported", detail)
    return found


def _keep_outcome(sale_id: UUID, report: Report) -> None:
    """Refuse work at or after an outcome, and an outcome before the work; a later outcome corrects an earlier one."""
    ends = Disposition.status.in_(OUTCOMES).label("ends")
    query = select(ends, func.max(Disposition.at)).where(Disposition.sale_id == sale_id).group_by("ends")
    latest_of = {row[0]: row[1] for row in db.session.execute(query)}
    ended_at, latest = latest_of.get(True), max(latest_of.values(), default=None)
    if ended_at is not None and report.at >= ended_at and report.status not in OUTCOMES:
        raise Conflict("outcome_final", "The sale was reported won or lost; send a later won or lost to correct that.")
    if report.status in OUTCOMES and latest is not None and (report.at < latest or report.at == ended_at):
        raise Conflict("outcome_final", "Something later was reported; send the outcome with a later `at`.")


def _add(contact: SaleContact, report: Report, actor: str, now: datetime) -> Disposition:
    row = _row(contact, report, actor, now)
    db.session.execute(insert(Disposition), row)
    _sum_up([contact.sale_id])
    db.session.expire(contact)
    return db.session.get_one(Disposition, row["id"])


def _row(contact: SaleContact, report: Report, actor: str, now: datetime) -> dict[str, Any]:
    return {"id": new_id(), "sale_id": contact.sale_id, "status": report.status, "at": report.at.astimezone(UTC),
            "local_day": local_day(report.at, contact.timezone), "lost_reason": report.lost_reason,
            "follow_up_at": report.follow_up_at, "note": report.note, "actor": actor, "reported_at": now}  # fmt: skip


def _sum_up(sale_ids: Sequence[UUID]) -> None:
    words = {"tries": list(TRIES), "reached": list(REACHED), "outcomes": list(OUTCOMES)}
    db.session.execute(_SUM_UP, {"sales": list(sale_ids)} | words)
