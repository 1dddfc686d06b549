"""How a figure looks: what was measured, against what, and whether that is enough."""

from typing import Any

Figure = dict[str, Any]


def ratio(name: str, figure: float, unit: str, reference: float, target: float) -> Figure:
    """Make a figure that is judged by its ratio to a reference of the same run: at least `target`."""
    found = round(figure / reference, 3) if reference else 0.0
    return _figure(name, figure, unit, round(reference, 2), found, target, found >= target)


def at_most(name: str, figure: float, unit: str, target: float) -> Figure:
    """Make a figure that is judged by itself."""
    return _figure(name, figure, unit, None, None, target, figure <= target)


def at_least(name: str, figure: float, unit: str, target: float) -> Figure:
    """Make a figure that is judged by itself, and better the larger it is."""
    return _figure(name, figure, unit, None, None, target, figure >= target)


def must_be(name: str, figure: float, unit: str, target: float) -> Figure:
    """Make a figure that is right or wrong."""
    return _figure(name, figure, unit, None, None, target, figure == target)


def _figure(
    name: str, figure: float, unit: str, reference: float | None, found: float | None, target: float, met: bool
) -> Figure:
    return {
        "name": name, "figure": round(figure, 2), "unit": unit, "reference": reference, "ratio": found,
        "target": target, "met": met,
    }  # fmt: skip
