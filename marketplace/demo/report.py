"""The report of the demonstration: counts what the market shows and puts it beside its table."""

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from typing import Any

from sqlalchemy import text

from core.db import db
from core.ids import parse_id
from marketplace.demo.figures import NOT_JUDGED, Seen, figures_of
from marketplace.demo.market import sample_market
from marketplace.demo.scale import scaled
from marketplace.demo.state import DemoState

BOT_SUB_HOURS, TURNED_HOURS = 48, 24  # until the breaker should have paused a source, from when it is bad
WINDOW = timedelta(days=10)  # of younger sales nobody knows yet how many go back
_SEEN = text("""
    WITH leads AS (
        SELECT l.*, (l.received_at AT TIME ZONE 'Europe/Paris')::date AS day FROM marketplace.leads l
        WHERE l.publisher_id = ANY (:publishers) AND NOT l.test),
    sales AS (
        SELECT s.*, (s.sold_at AT TIME ZONE 'Europe/Paris')::date AS day FROM marketplace.sales s
        WHERE s.state NOT IN ('refused', 'failed')),
    days AS (
        SELECT day FROM leads GROUP BY day
        HAVING extract(isodow FROM day) < 6 AND day > :first AND day < (SELECT max(day) FROM leads)),
    disputes AS (
        SELECT d.*, s.sold_at, (d.opened_at AT TIME ZONE 'Europe/Paris')::date AS day
        FROM marketplace.disputes d JOIN marketplace.sales s ON s.id = d.sale_id)
    SELECT (SELECT count(*) FROM leads) AS leads,
        (SELECT count(*) FROM leads WHERE reasons && ARRAY['invalid_phone', 'invalid_email']) AS mistyped,
        (SELECT count(*) FROM leads WHERE 'duplicate' = ANY (reasons)) AS duplicates,
        (SELECT count(*) FROM leads WHERE reasons && ARRAY['consent_missing', 'consent_expired']) AS no_consent,
        (SELECT count(*) FROM leads WHERE region = ANY (:off_regions) AND status = 'unsold') AS off_criteria,
        (SELECT count(*) FROM leads WHERE status = 'sold') AS sold,
        (SELECT count(*) FROM sales) AS sales,
        (SELECT count(*) FROM days) AS weekdays,
        (SELECT count(*) FROM leads JOIN days USING (day)) AS weekday_leads,
        (SELECT count(*) FROM sales JOIN days USING (day)) AS weekday_sales,
        (SELECT coalesce(sum(price_minor), 0)::bigint FROM sales JOIN days USING (day)) AS weekday_minor,
        (SELECT count(*) FROM disputes JOIN days USING (day) WHERE disputes.day > :settled_in) AS weekday_disputes,
        (SELECT count(*) FROM days WHERE day > :settled_in) AS dispute_days,
        (SELECT count(*) FROM disputes d WHERE d.state IN ('upheld', 'partial', 'repriced')
            AND d.sold_at < (SELECT max(received_at) FROM leads) - CAST(:window AS interval)) AS upheld,
        (SELECT count(*) FROM sales
            WHERE sold_at < (SELECT max(received_at) FROM leads) - CAST(:window AS interval)) AS decided
""")
_PAUSED = text("""
    SELECT min(e.at) FROM marketplace.events e
    WHERE e.subject_id = :publisher AND e.actor = 'system:breaker' AND e.move LIKE '%>paused' AND e.at >= :since
      AND starts_with(e.why, CONCAT('source ', CAST(:source AS text), ':'))
""")
RAMP = timedelta(days=6)  # until as many disputes come in as will


def report(state: DemoState) -> dict[str, Any]:
    """Return every figure of the table with what was seen, and what is not judged yet."""
    market = sample_market()
    first = _date(state)
    publishers = [parse_id("acc", state.members[each.name].account_id) for each in market.publishers]
    asked = {"publishers": publishers, "off_regions": list(market.off_regions),
             "first": first, "settled_in": first + RAMP, "window": f"{WINDOW.days} days"}  # fmt: skip
    row = dict(db.session.execute(_SEEN, asked).one()._mapping)  # noqa: SLF001  # the documented name
    days = row.pop("dispute_days")
    row["weekday_disputes"] = round(row["weekday_disputes"] * row["weekdays"] / days) if days else 0
    figures = figures_of(scaled(market, state.scale), Seen(**row), state.scale)
    return {
        "first_day": state.first_day, "days": state.days, "scale": state.scale, "seed": state.seed,
        "tolerance_percent": market.totals.tolerance_bp / 100,
        "figures": [figure._asdict() for figure in figures],
        "paused": [_paused(state, *each) for each in _to_pause(state)],
        "not_judged_yet": NOT_JUDGED,
    }  # fmt: skip


def _to_pause(state: DemoState) -> Iterator[tuple[str, str, datetime, int]]:
    """Yield whose source the breaker should pause, since when it is bad, and within how many hours."""
    began = datetime.combine(_date(state), time(), UTC)
    for publisher in sample_market().publishers:
        if publisher.bot_sub:
            yield publisher.name, f"{publisher.slug}-{publisher.bot_sub.name}", began, BOT_SUB_HOURS
        if publisher.turns:
            yield publisher.name, publisher.slug, began + timedelta(days=publisher.turns.after_days), TURNED_HOURS


def _paused(state: DemoState, name: str, source: str, since: datetime, hours: int) -> dict[str, Any]:
    publisher = parse_id("acc", state.members[name].account_id)
    at = db.session.execute(_PAUSED, {"publisher": publisher, "source": source, "since": since}).scalar_one()
    return {"source": source, "bad_since": since.isoformat(), "expected_hours": hours,
            "seen_hours": None if at is None else round((at - since) / timedelta(hours=1), 1)}  # fmt: skip


def lines_of(report: dict[str, Any]) -> Iterator[str]:
    """Write the report for people, a line a figure."""
    yield f"{'figure':30} {'expected':>10} {'seen':>10}   within {report['tolerance_percent']:.0f} %"
    for each in report["figures"]:
        yield f"{each['name']:30} {each['expected']:10.2f} {each['seen']:10.2f}   {'yes' if each['within'] else 'NO'}"
    for each in report["paused"]:
        seen = "not paused" if each["seen_hours"] is None else f"after {each['seen_hours']:.0f} h"
        yield f"{each['source'] + ' paused by the breaker':30} {each['expected_hours']:8} h {seen:>12}"
    yield "\nNot judged yet:"
    for name, says in report["not_judged_yet"].items():
        yield f"  {name:18} {says}"


def _date(state: DemoState) -> Any:
    return state.opened_at.date() - timedelta(days=state.days)
