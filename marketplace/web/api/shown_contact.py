"""How reports on sales and the speed of contact look from outside, in the shapes of `answers_contact`."""

from uuid import UUID

from core.ids import show_id
from marketplace.leads.contact_models import Disposition
from marketplace.leads.contact_reports import FEWEST, Rate, Speed
from marketplace.web.api.answers_contact import ContactRate, ContactSpeed, DispositionShown
from marketplace.web.api.shown import instant, instant_or_none


def disposition(row: Disposition) -> DispositionShown:
    """Show one report."""
    return DispositionShown(
        id=show_id("disp", row.id), sale=show_id("sale", row.sale_id), status=row.status, at=instant(row.at),
        lost_reason=row.lost_reason, follow_up_at=instant_or_none(row.follow_up_at), note=row.note,
        reported_at=instant(row.reported_at),
    )  # fmt: skip


def speed(of: Speed) -> ContactSpeed:
    """Show a line of the report on speed."""
    return ContactSpeed(
        order=show_id("ord", of.key) if isinstance(of.key, UUID) else None,
        hour=None if isinstance(of.key, UUID) else of.key, sales=of.sales, attempted=of.attempted, in_time=of.in_time,
        in_time_bp=_share_bp(of.in_time, of.judged), median_seconds=of.median_seconds, p90_seconds=of.p90_seconds,
    )  # fmt: skip


def rate(of: Rate) -> ContactRate:
    """Show a line of the report on rates; of few sales the rates are left out."""
    whole = of.sales if of.sales >= FEWEST else 0
    return ContactRate(source=of.source, sales=of.sales, attempted_bp=_share_bp(of.attempted, whole),
                       contacted_bp=_share_bp(of.contacted, whole))  # fmt: skip


def _share_bp(part: int, whole: int) -> int | None:
    """Return a share in ten-thousandths, rounded down; None of nothing."""
    return part * 10_000 // whole if whole else None
