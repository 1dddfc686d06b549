"""Charts: everything drawn lies within its box, labels do not touch, and amounts begin at zero."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from marketplace.web.charts import HEIGHT, LABEL_HEIGHT, Series, bar_chart, line_chart, sparkline

VALUES = st.lists(st.integers(0, 10**9), min_size=14, max_size=14)
TIMES = [f"{day} Nov" for day in range(1, 15)]


@given(VALUES, VALUES)
def test_lines_and_their_labels_stay_within_the_box(first: list[int], second: list[int]) -> None:
    chart = line_chart([Series("posted", first), Series("sold", second)], TIMES)
    for line in chart.lines:
        places = [tuple(map(float, point.split(","))) for point in line.points.split()]
        assert all(0 <= x <= 100 and 0 <= y <= HEIGHT for x, y in places) and len(places) == 14
    labels = sorted(line.label_y for line in chart.lines)
    assert all(below - above >= LABEL_HEIGHT - 0.1 for above, below in pairwise(labels))
    assert labels[0] >= LABEL_HEIGHT / 2 and labels[-1] <= HEIGHT
    assert chart.y_ticks[0].at == HEIGHT and chart.y_ticks[-1].at == 0
    assert [values for _, values in chart.rows] == [list(pair) for pair in zip(first, second, strict=True)]


@given(VALUES)
def test_bars_stand_on_zero_and_do_not_touch(values: list[int]) -> None:
    chart = bar_chart(Series("spent", values), TIMES)
    assert all(0 <= bar.y <= HEIGHT and abs(bar.y + bar.height - HEIGHT) < 0.11 for bar in chart.bars)
    assert all(left.x + left.width < right.x for left, right in pairwise(chart.bars))


@given(st.lists(st.integers(-(10**9), 10**9), max_size=30))
def test_a_sparkline_stays_within_its_box(values: list[int]) -> None:
    for point in sparkline(values).split():
        x, y = map(float, point.split(","))
        assert 0 <= x <= 96 and 0 <= y <= 24


def test_a_chart_of_nothing_is_a_line_on_zero() -> None:
    chart = line_chart([Series("posted", [0] * 14)], TIMES)
    assert {point.split(",")[1] for point in chart.lines[0].points.split()} == {str(float(HEIGHT))}
    assert len(chart.y_ticks) == 3
