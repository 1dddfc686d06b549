"""Terms over HTTP: a publisher reads on which he is paid and what he lacks for better; an operator says them anew."""

from datetime import date, datetime
from uuid import UUID

from msgspec import Struct, field

from affiliates import SCHEDULES, Figures, Progress, TermsVersion, Wish
from core.http import Answer, body, business_clock, reads, writes
from core.identity import Actor
from core.ids import parse_id, show_id
from core.schemas import Amount
from marketplace.reports.publisher_terms import terms_story
from marketplace.terms.granting import set_terms
from marketplace.web.api import api, shown
from marketplace.web.api.described import describe

CURRENCY = "EUR"  # in which limits of payouts are said; in another currency they are as many of its minor units


class FirstPayout(Struct, frozen=True, kw_only=True):
    """The rule for the first payout: whether an operator looks at it, and what it pays at most then."""

    reviewed: bool
    most: Amount | None


class TermsGranted(Struct, frozen=True, kw_only=True):
    """What terms say; `schedule` is monthly (the 1st), twice_a_month (the 1st and 16th) or weekly (Mondays), in UTC."""

    share_bp: int
    extra_hold_days: int
    reserve_bp: int
    reserve_days: int
    schedule: str
    on_request: bool
    threshold: Amount
    threshold_other: Amount
    first_payout: FirstPayout
    min_margin: Amount


class TermsVersionShown(Struct, frozen=True, kw_only=True):
    """One version of a publisher's terms; `own` names the fields that were said for the account alone."""

    version: int
    tier: str
    pinned: bool
    own: tuple[str, ...]
    terms: TermsGranted
    changed_at: datetime
    by: str
    reason: str


class ConditionShown(Struct, frozen=True, kw_only=True):
    """One thing that a tier asks for: there is `has`, needed is `needs`; an upheld share must be below it."""

    code: str
    has: int
    needs: int
    met: bool


class NextTier(Struct, frozen=True, kw_only=True):
    """What the next tier asks for; `waits_days` is above 0 after the tier was lowered."""

    tier: str
    conditions: tuple[ConditionShown, ...]
    waits_days: int


class FiguresShown(Struct, frozen=True, kw_only=True):
    """The publisher by the ledger, as reviews of the tier see him; counted every few minutes."""

    age_days: int
    settled_sales: int
    judged_sales: int
    upheld_sales: int
    upheld_bp: int
    counted_at: datetime


class ReviewShown(Struct, frozen=True, kw_only=True):
    """What the review of a week, named by its Monday, decided."""

    week: date
    before: str
    after: str
    verdict: str
    age_days: int
    settled_sales: int
    judged_sales: int
    upheld_sales: int


class TermsShown(Struct, frozen=True, kw_only=True):
    """A publisher's terms: those that hold, every version with why, and how the tier may change."""

    account: str
    present: TermsVersionShown
    next_payout_run: date
    figures: FiguresShown
    next_tier: NextTier | None
    reviews: tuple[ReviewShown, ...]
    history: tuple[TermsVersionShown, ...]


class TermsBody(Struct, frozen=True, forbid_unknown_fields=True):
    """Terms as an operator wants them; `own` holds what is said for the account, the rest is the tier's.

    `version` is that of the terms as they were read.
    """

    tier: str
    reason: str
    version: int
    pinned: bool = False
    own: dict[str, int | bool] = field(default_factory=dict)


@api.get("/terms")
@reads("balance:read")
@describe(TermsShown)
def show_terms(actor: Actor) -> Answer:
    """Show the publisher's terms, their history, and what the next tier asks for."""
    return Answer(_shown(actor.account_id))


@api.get("/publishers/<publisher_id>/terms")
@reads("operate")
@describe(TermsShown)
def show_publishers_terms(_: Actor, publisher_id: str) -> Answer:
    """Show the terms of a publisher."""
    return Answer(_shown(parse_id("acc", publisher_id)))


@api.put("/publishers/<publisher_id>/terms")
@writes("operate")
@describe(TermsShown, takes=TermsBody)
def put_publishers_terms(actor: Actor, publisher_id: str) -> Answer:
    """Say a publisher's terms anew, for what is sold after the answer; he is told."""
    account_id, asked = parse_id("acc", publisher_id), body(TermsBody)
    wish = Wish(asked.tier, asked.pinned, asked.own, asked.reason.strip(), asked.version)
    set_terms(account_id, wish, actor.name, business_clock().now())
    return Answer(_shown(account_id))


def _shown(account_id: UUID) -> TermsShown:
    story = terms_story(account_id, business_clock().now())
    versions = tuple(_version(one) for one in story.versions)
    return TermsShown(
        account=show_id("acc", account_id), present=versions[0], next_payout_run=story.next_run_on,
        figures=_figures(story.figures.value, story.figures.counted_at), next_tier=_ahead(story.ahead),
        reviews=tuple(
            ReviewShown(week=one.week, before=one.before, after=one.after, verdict=one.verdict, age_days=one.age_days,
                        settled_sales=one.settled, judged_sales=one.judged, upheld_sales=one.upheld)
            for one in story.reviews
        ),
        history=versions,
    )  # fmt: skip


def _version(row: TermsVersion) -> TermsVersionShown:
    terms = row.terms
    most = shown.amount(terms.first_payout_most_minor, CURRENCY) if terms.first_payout_reviewed else None
    granted = TermsGranted(
        share_bp=terms.share_bp, extra_hold_days=terms.extra_hold_days, reserve_bp=terms.reserve_bp,
        reserve_days=terms.reserve_days, schedule=SCHEDULES[terms.payouts_a_month], on_request=terms.on_request,
        threshold=shown.amount(terms.threshold_minor, CURRENCY),
        threshold_other=shown.amount(terms.threshold_other_minor, CURRENCY),
        first_payout=FirstPayout(reviewed=terms.first_payout_reviewed, most=most),
        min_margin=shown.amount(terms.min_margin_minor, CURRENCY),
    )  # fmt: skip
    by = row.actor if row.actor.startswith("system:") else "operator"
    return TermsVersionShown(version=row.version, tier=row.tier, pinned=row.is_pinned, own=tuple(sorted(row.own)),
                             terms=granted, changed_at=shown.instant(row.changed_at), by=by,
                             reason=row.reason)  # fmt: skip


def _figures(seen: Figures, counted_at: datetime) -> FiguresShown:
    return FiguresShown(age_days=seen.age_days, settled_sales=seen.settled, judged_sales=seen.judged,
                        upheld_sales=seen.upheld, upheld_bp=seen.upheld_bp,
                        counted_at=shown.instant(counted_at))  # fmt: skip


def _ahead(ahead: Progress | None) -> NextTier | None:
    if ahead is None:
        return None
    conditions = tuple(
        ConditionShown(code=one.code, has=one.has, needs=one.needs, met=one.is_met) for one in ahead.conditions
    )
    return NextTier(tier=ahead.tier, conditions=conditions, waits_days=ahead.waits_days)
