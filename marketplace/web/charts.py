"""Charts as plain geometry: lines and bars in a box, each labelled where it ends; templates draw them as SVG.

Horizontal places are percentages and vertical ones pixels, so that a chart may be as wide as its page while its words
keep their size. Amounts and counts begin at zero.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

HEIGHT = 160  # pixels of the plotted area
LABEL_HEIGHT = 16
STEPS = (2, 4, 6, 8, 10)  # each has a whole half


@dataclass(frozen=True, slots=True)
class Series:
    """What is to be drawn: a name, a value for each place on the time axis."""

    label: str
    values: Sequence[float]


@dataclass(frozen=True, slots=True)
class Line:
    """A line in a box of 100 by HEIGHT, with the place of its label."""

    label: str
    points: str
    label_y: float


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: its left edge and width in percent, its top and height in pixels."""

    x: float
    width: float
    y: float
    height: float


@dataclass(frozen=True, slots=True)
class Tick:
    """A word on an axis and where it stands."""

    at: float
    word: str


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart ready to be drawn, and the figures behind it."""

    lines: Sequence[Line]
    bars: Sequence[Bar]
    y_ticks: Sequence[Tick]
    x_ticks: Sequence[Tick]
    rows: Sequence[tuple[str, Sequence[float]]]
    labels: Sequence[str]
    show: Callable[[float], str]


def line_chart(series: Sequence[Series], times: Sequence[str], show: Callable[[float], str] = str) -> Chart:
    """Lay out at most two lines over one time axis."""
    top = _top(series)
    lines = [
        Line(each.label, _points(each.values, top), _y(each.values[-1] if each.values else 0, top)) for each in series
    ]
    return _chart(series, times, top, show, lines=_apart(lines), bars=[])


def bar_chart(series: Series, times: Sequence[str], show: Callable[[float], str] = str) -> Chart:
    """Lay out one row of bars over a time axis."""
    top, count = _top([series]), max(len(series.values), 1)
    width = 100 / count
    bars = [
        Bar(place * width + width * 0.15, width * 0.7, _y(value, top), HEIGHT - _y(value, top))
        for place, value in enumerate(series.values)
    ]
    return _chart([series], times, top, show, lines=[], bars=bars)


def sparkline(values: Sequence[float]) -> str:
    """Return the points of a line in a box of 96 by 24."""
    low, high = min(values, default=0), max(values, default=0)
    span = (high - low) or 1
    step = 94 / max(len(values) - 1, 1)
    return " ".join(
        f"{1 + place * step:.1f},{22 - (value - low) / span * 20:.1f}" for place, value in enumerate(values)
    )


def _chart(
    series: Sequence[Series], times: Sequence[str], top: float, show: Callable[[float], str], *,
    lines: Sequence[Line], bars: Sequence[Bar],
) -> Chart:  # fmt: skip
    y_ticks = [Tick(_y(top * share, top), show(top * share)) for share in (0, 0.5, 1)]
    rows = [(time, [each.values[place] for each in series]) for place, time in enumerate(times)]
    return Chart(lines, bars, y_ticks, _time_ticks(times), rows, [each.label for each in series], show)


def _time_ticks(times: Sequence[str]) -> list[Tick]:
    """Name the first, the middle and the last time only: words must not touch on a phone."""
    last = len(times) - 1
    shown = sorted({0, last // 2, last}) if times else []
    return [Tick(place * 100 / max(last, 1), times[place]) for place in shown]


def _top(series: Sequence[Series]) -> float:
    """Return a round number at or above every value, whose half is round too."""
    highest = max((value for each in series for value in each.values), default=0)
    scale = 1
    while scale * STEPS[-1] < highest:
        scale *= 10
    return next(scale * step for step in STEPS if scale * step >= highest)


def _y(value: float, top: float) -> float:
    return round(HEIGHT - value / top * HEIGHT, 1)


def _points(values: Sequence[float], top: float) -> str:
    step = 100 / max(len(values) - 1, 1)
    return " ".join(f"{place * step:.2f},{_y(value, top)}" for place, value in enumerate(values))


def _apart(lines: list[Line]) -> list[Line]:
    """Move the labels of lines that end close together apart, within the box."""
    by_place = sorted(lines, key=lambda line: line.label_y)
    moved: dict[str, float] = {}
    for line in by_place:
        moved[line.label] = min(max(line.label_y, LABEL_HEIGHT / 2), HEIGHT)
    for above, below in pairwise(by_place):
        gap = LABEL_HEIGHT - (moved[below.label] - moved[above.label])
        if gap > 0:
            moved[above.label] = max(moved[above.label] - gap, LABEL_HEIGHT / 2)
            moved[below.label] = max(moved[below.label], moved[above.label] + LABEL_HEIGHT)
    return [Line(line.label, line.points, moved[line.label]) for line in lines]
