"""Market data as programs read it: the values of `marketplace/market` put into the shapes of answers."""

from collections.abc import Mapping, Sequence

from core.ids import show_id
from core.money import Money
from core.schemas import Amount
from marketplace.catalog.verticals import Vertical
from marketplace.market.figures import WITHHELD, Depth, Point
from marketplace.market.losses import LOSSES, Asked, Losses, Winning
from marketplace.market.reading import Market
from marketplace.market.rows import EVERYWHERE
from marketplace.market.scores import FEW, Quality
from marketplace.market.suggestion import SAYS, Suggestion
from marketplace.web.api import answers_market as shapes
from marketplace.web.api.shown import instant, instant_or_none


def market(found: Market) -> shapes.MarketShown:
    """Show the figures of a market."""
    currency, figures = found.vertical.currency, found.figures
    cycle = figures.days_to_money
    return shapes.MarketShown(
        vertical=found.vertical.slug, region=None if found.region == EVERYWHERE else found.region, currency=currency,
        since=found.since, until=found.until, delay_hours=found.delay_hours,
        counted_at=instant_or_none(found.counted_at), offered=figures.offered, sold=figures.sold, sales=figures.sales,
        sell_through=share(figures.sell_through_bp), last_price=amount_or_none(figures.last_price_minor, currency),
        last_sold_at=instant_or_none(figures.last_sold_at),
        average_price=amount_or_none(figures.average_minor, currency),
        days_to_money=None if cycle is None else shapes.DaysToMoney(median=cycle[0], p90=cycle[1]),
        win_rates=_win_rates(figures.alone, figures.shared, currency),
        depth=None if figures.depth is None else _depth(figures.depth, currency),
        days=[shapes.MarketDayShown(day=one.day, offered=one.offered, sold=one.sold) for one in figures.days],
        withheld=[
            shapes.WithheldShown(figure=name, reason=reason, says=WITHHELD[reason])
            for name, reason in figures.withheld.items()
        ],
    )  # fmt: skip


def quality(found: Quality) -> shapes.QualityShown:
    """Show the quality of a source; of one that is not told, only that."""
    if not found.is_told:
        return shapes.QualityShown(
            source=found.source_code, publisher=found.publisher_code, judged=None, score=None, good=None, low=None,
            high=None, returned=None, unreachable=None, reported=None, reached=None, won=None, withheld=found.withheld,
        )  # fmt: skip
    return shapes.QualityShown(
        source=found.source_code, publisher=found.publisher_code, judged=found.judged,
        score=(found.low_bp or 0) // 100, good=share(found.good_bp), low=share(found.low_bp),
        high=share(found.high_bp), returned=found.returned, unreachable=found.unreachable, reported=found.reported,
        reached=found.reached, won=found.won, withheld=None,
    )  # fmt: skip


def losses(found: Losses) -> shapes.OrderLossesShown:
    """Show why an order lost."""
    sample, currency = found.sample, found.currency
    return shapes.OrderLossesShown(
        order=show_id("ord", found.order_id), day=found.day,
        days=[_loss_day(one, currency) for one in found.days], winning_price=_winning(found.together, currency),
        sample=shapes.LossSampleShown(
            offered=sample.offered, looked_at=sample.looked_at, is_whole=sample.is_whole,
            outcomes=_outcomes(sample.outcomes), winning_price=_winning(sample.winning, currency),
            missed=[shapes.MissedShown(rule=one.rule, leads=one.leads, alone=one.alone) for one in sample.missed],
        ),
    )  # fmt: skip


def _loss_day(found: Asked, currency: str) -> shapes.LossDayShown:
    return shapes.LossDayShown(day=found.day, tried=found.leads, won=found.won, outcomes=_outcomes(found.outcomes),
                               winning_price=_winning(found.winning, currency))  # fmt: skip


def _outcomes(counts: Mapping[str, int]) -> list[shapes.LossShown]:
    ranked = sorted(counts.items(), key=lambda one: (-one[1], one[0]))
    return [shapes.LossShown(outcome=code, leads=leads, says=LOSSES[code]) for code, leads in ranked]


def _winning(found: Winning, currency: str) -> shapes.WinningShown:
    return shapes.WinningShown(
        leads=found.leads, median=amount_or_none(found.median_minor, currency),
        p90=amount_or_none(found.p90_minor, currency), withheld=found.withheld,
    )  # fmt: skip


def suggestion(vertical: Vertical, region: str, found: Suggestion | None) -> shapes.SuggestionShown:
    """Show a suggested price with its factors; of one that nobody knows, only that."""
    currency, place = vertical.currency, None if region in ("", EVERYWHERE) else region
    if found is None:
        return shapes.SuggestionShown(vertical=vertical.slug, region=place, price=None, basis="none", withheld=FEW,
                                      win_rate=None, leads_a_day=None, own_win_rate=None, factors=[])  # fmt: skip
    factors = [
        shapes.FactorShown(
            factor=one.name, effect=_amount(one.effect_minor, currency), says=SAYS[one.name],
            figures=[shapes.SuggestionFigure(name=name, value=value) for name, value in one.figures.items()],
        )
        for one in found.factors
    ]  # fmt: skip
    return shapes.SuggestionShown(
        vertical=vertical.slug, region=place, price=_amount(found.price_minor, currency), basis=found.basis,
        withheld=found.withheld, win_rate=share(found.win_bp), leads_a_day=found.leads_a_day,
        own_win_rate=share(found.own_bp), factors=factors,
    )  # fmt: skip


def share(basis_points: int | None) -> float | None:
    """Show a share from 0 to 1."""
    return None if basis_points is None else basis_points / 10_000


def amount_or_none(minor: int | None, currency: str) -> Amount | None:
    """Show an amount, null when there is none."""
    return None if minor is None else Amount(amount=str(Money(minor, currency)), currency=currency)


def _win_rates(
    alone: Sequence[Point] | None, shared: Sequence[Point] | None, currency: str
) -> shapes.WinRates | None:  # fmt: skip
    if alone is None or shared is None:
        return None
    return shapes.WinRates(exclusive=_rates(alone, currency), shared=_rates(shared, currency))


def _rates(points: Sequence[Point], currency: str) -> list[shapes.WinRate]:
    return [shapes.WinRate(price=_amount(one.price_minor, currency), share=one.share_bp / 10_000) for one in points]


def _depth(found: Depth, currency: str) -> shapes.DepthShown:
    steps = [shapes.DepthStep(price_from=_amount(one["from_minor"], currency), orders=one["orders"])
             for one in found.steps]  # fmt: skip
    return shapes.DepthShown(looked_at=instant(found.looked_at), orders=found.orders, buyers=found.buyers, steps=steps)


def _amount(minor: int, currency: str) -> Amount:
    return Amount(amount=str(Money(minor, currency)), currency=currency)
