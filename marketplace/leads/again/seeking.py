"""Orders look through the kept leads that they could buy: when they are placed, changed, resumed, funded, or reopened.

They wake leads, some at a time from the youngest on, and stop as soon as they cannot buy; an index leads to those of
their vertical and ages, so that nothing else is read.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from sqlalchemy import DateTime, bindparam, select, text

from core.db import db
from marketplace.catalog.regions import country_of
from marketplace.leads.again.models import Seeker
from marketplace.leads.matching import Listed
from marketplace.leads.offers import offer_of_one
from marketplace.orders.contact_hours import next_call
from marketplace.orders.models import Order
from marketplace.orders.periods import next_opening, next_starts
from marketplace.orders.terms import PERIODS, OrderTerms, decode_terms

AT_ONCE = 50  # leads that an order wakes before it looks whether it still can buy
CAPPED = ("capped", "buyer_capped")
KEPT_FROM = (*CAPPED, "closed", "no_funds")  # the outcomes after which an order looks again
KeptFrom = tuple[Listed, str]  # an order, and which of them kept it from a lead
ANY_MONEY = 1  # what a lead costs depends on its age, so that an order without any money waits for the least
PACE_MINUTES = 5  # after which a paced order may buy again
# Hours keep an order from some leads only, so it goes on with others and looks once more after them; a limit or money
# keep it from all. A version that came meanwhile is not overruled, and nobody waits for who has the row, since a change
# of the order may wait for counters that we hold. Returns how many rows were free.
_COME_BACK = text("""
    WITH given AS (SELECT * FROM unnest(
        CAST(:orders AS uuid[]), CAST(:versions AS integer[]), CAST(:words AS text[]), CAST(:dues AS timestamptz[]),
        CAST(:needs AS bigint[])) AS g (order_id, version, word, due, needs)
    ), free AS (
        SELECT s.order_id, g.version, g.word, g.due, g.needs FROM marketplace.seekers s JOIN given g USING (order_id)
        ORDER BY s.order_id FOR UPDATE OF s SKIP LOCKED
    ), moved AS (
        UPDATE marketplace.seekers s
        SET due_at = CASE WHEN f.word <> 'closed' THEN f.due WHEN due_at <= :at THEN due_at
                          ELSE least(due_at, f.due) END,
            again_at = CASE WHEN f.word = 'closed' AND due_at <= :at THEN least(again_at, f.due) ELSE again_at END,
            below_at = CASE WHEN f.word = 'closed' THEN below_at END,
            below_id = CASE WHEN f.word = 'closed' THEN below_id END,
            needs_minor = CASE WHEN f.word = 'closed' THEN needs_minor ELSE f.needs END
        FROM free f WHERE s.order_id = f.order_id
            AND EXISTS (SELECT FROM marketplace.orders o WHERE o.id = f.order_id AND o.version = f.version)
    )
    SELECT count(*) FROM free
""").bindparams(bindparam("at", type_=DateTime(timezone=True)))
_WAKE = text("""
    WITH next AS (
        SELECT k.lead_id, k.received_at, greatest(:at, k.received_at + make_interval(mins => :from)) AS of_age_at
        FROM marketplace.kept_leads k
        WHERE k.vertical_id = :vertical AND k.state = 'open' AND k.received_at BETWEEN :oldest AND :at
          AND (CAST(:below_at AS timestamptz) IS NULL
               OR (k.received_at, k.lead_id) < (:below_at, CAST(:below_id AS uuid)))
          AND (cardinality(CAST(:countries AS text[])) = 0 OR k.country = ANY (:countries))
          AND (:is_aged OR EXISTS (SELECT FROM marketplace.kept_places p WHERE p.lead_id = k.lead_id
                                   AND p.order_id = :order AND p.until_at > :at))
        ORDER BY k.received_at DESC, k.lead_id DESC LIMIT :limit
    ), woken AS (
        UPDATE marketplace.kept_leads k SET due_at = free.of_age_at FROM (
            SELECT k.lead_id, next.of_age_at FROM marketplace.kept_leads k JOIN next USING (lead_id)
            WHERE k.due_at IS NULL OR k.due_at > next.of_age_at FOR UPDATE OF k SKIP LOCKED) AS free
        WHERE k.lead_id = free.lead_id
    )
    SELECT received_at, lead_id FROM next ORDER BY received_at, lead_id LIMIT 1
""")
_CAN_BUY = text(
    "SELECT marketplace.tried(:order, :version, CAST(:starts AS bigint[]), :buyer, :currency, :price, true,"
    " CAST(:extras AS jsonb))"
)
_FUNDED = text("""
    UPDATE marketplace.seekers s SET due_at = :at, needs_minor = NULL FROM (
        SELECT s.order_id FROM marketplace.seekers s JOIN marketplace.orders o ON o.id = s.order_id,
        LATERAL billing.spendable(o.buyer_id, o.terms ->> 'currency') AS f (minor)
        WHERE s.needs_minor IS NOT NULL AND f.minor >= s.needs_minor FOR UPDATE OF s SKIP LOCKED) AS free
    WHERE s.order_id = free.order_id
""")


def come_back(kept_from: Iterable[KeptFrom], at: datetime, region: str) -> bool:
    """Let each order that could not buy look again when that may be over: its period, its hours, or its money.

    False when somebody else has one of them in hand, so that it did not learn of it.
    """
    told = {one.order_id: (one, word) for one, word in kept_from}
    if not told:
        return True
    learnt = db.session.execute(_COME_BACK, {
        "orders": list(told), "versions": [one.version for one, _ in told.values()],
        "words": [word for _, word in told.values()], "at": at,
        "dues": [_due(word, one.terms, at, region) for one, word in told.values()],
        "needs": [one.price_minor if word == "no_funds" else None for one, word in told.values()],
    }).scalar_one()  # fmt: skip
    return learnt == len(told)  # type: ignore[no-any-return]


def fund(at: datetime) -> int:
    """Let orders look again whose buyers have the money now that they lacked, and return how many."""
    return db.session.execute(_FUNDED, {"at": at}).rowcount  # type: ignore[attr-defined,no-any-return]


def seek(at: datetime) -> int:
    """Let one order that is due wake its next leads, and return 1; 0 when none is due that nobody else has."""
    query = select(Seeker).where(Seeker.due_at <= at).order_by(Seeker.due_at, Seeker.order_id).limit(1)
    seeker = db.session.scalar(query.with_for_update(skip_locked=True))
    if seeker is None:
        return 0
    order = db.session.get_one(Order, seeker.order_id)
    terms = decode_terms(order.terms)
    word = _can_buy(order, terms, at) if order.status == "active" else "paused"
    if word != "sold":
        seeker.below_at = seeker.below_id = None
        seeker.due_at = _capped_until(word, terms, at) if word in CAPPED else None
        seeker.needs_minor = ANY_MONEY if word == "no_funds" else None
        if word == "behind":
            seeker.due_at = at + timedelta(minutes=1)
    else:
        _wake(seeker, order, terms, at)
    db.session.flush()
    return 1


def reopens(terms: OrderTerms, at: datetime) -> datetime | None:
    """Return when an order that has reached a limit may buy again, None when no clock lifts it."""
    if terms.pacing:
        return at + timedelta(minutes=PACE_MINUTES)
    limited = {*terms.caps, *terms.budget_minor, *(["day"] if terms.weekday_caps else [])}
    following = zip(PERIODS, next_starts(terms.timezone, at), strict=False)
    starts = [start for period, start in following if period in limited]
    return datetime.fromtimestamp(min(starts), UTC) if starts else None


def _due(word: str, terms: OrderTerms, at: datetime, region: str) -> datetime | None:
    if word in CAPPED:
        return _capped_until(word, terms, at)
    return _opens(terms, at, region) if word == "closed" else None


def _capped_until(word: str, terms: OrderTerms, at: datetime) -> datetime | None:
    if word == "capped":
        return reopens(terms, at)
    return datetime.fromtimestamp(next_starts(terms.buyer_zone, at)[0], UTC)  # its buyer's shortest period, the hour


def _opens(terms: OrderTerms, at: datetime, region: str) -> datetime | None:
    if terms.contact_hours:
        return next_call(terms.schedule, region, at)
    opening = next_opening(terms.schedule, at)
    return opening if opening > at else at + timedelta(hours=1)


def _can_buy(order: Order, terms: OrderTerms, at: datetime) -> str:
    starts, extras = offer_of_one(terms, at)
    said: str = db.session.execute(_CAN_BUY, {
        "order": order.id, "version": order.version, "starts": starts, "buyer": order.buyer_id,
        "currency": terms.currency, "price": ANY_MONEY, "extras": extras,
    }).scalar_one()  # fmt: skip
    return said.split('"', 1)[0]


def _wake(seeker: Seeker, order: Order, terms: OrderTerms, at: datetime) -> None:
    oldest = max(terms.age.to_minutes if terms.age else 0, terms.wait_minutes)
    last = db.session.execute(_WAKE, {
        "vertical": order.vertical_id, "order": order.id, "at": at, "limit": AT_ONCE,
        "oldest": at - timedelta(minutes=oldest + 1), "from": terms.age.from_minutes if terms.age else 0,
        "below_at": seeker.below_at, "below_id": seeker.below_id, "is_aged": terms.age is not None,
        "countries": sorted({country_of(region) for region in terms.regions}),
    }).one_or_none()  # fmt: skip
    seeker.below_at, seeker.below_id = (last.received_at, last.lead_id) if last else (None, None)
    seeker.needs_minor = None
    if last is None:
        seeker.due_at, seeker.again_at = seeker.again_at, None
