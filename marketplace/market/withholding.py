"""Which regions' figures may be told together, so that no difference of them shows what is too thin to be told: pure.

Regions lie in each other, so whoever subtracts from a region all told ones within it learns of the rest: of those that
are withheld, and of leads that name no part. Where that rest is thin, the smallest told one is withheld as well, until
the rest hides whoever is in it. Every sum and difference of what remains is made of such rests.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cell:
    """What was counted of a region with all that it holds; `own_buyers` bought leads that name no part of it."""

    offered: int
    sales: int
    own_buyers: frozenset[object]


@dataclass(frozen=True, slots=True)
class Told:
    """The regions of which what was offered may be told, and those among them of which what was sold may."""

    offered: frozenset[str]
    sold: frozenset[str]


Cells = Mapping[str, Cell]
Holders = Callable[[str], Sequence[str]]
"""Names the regions that hold one, the nearest first; each of them is counted too."""
Above = Mapping[str, Sequence[str]]


def told_in(cells: Cells, holders: Holders, least_sales: int, least_buyers: int) -> Told:
    """Return of which regions figures are told; everywhere is a region that holds all others."""

    def has_few_leads(rest: Cell) -> bool:
        return 0 < rest.offered < least_sales

    def has_few_sales(rest: Cell) -> bool:
        return rest.sales > 0 and (rest.sales < least_sales or len(rest.own_buyers) < least_buyers)

    above = {place: holders(place) for place in cells}
    within: dict[str, list[str]] = {place: [place] for place in cells}
    for place, wider in above.items():
        for one in wider:
            within[one].append(place)
    many = {place for place, cell in cells.items() if cell.offered >= least_sales}
    offered = _kept(cells, above, within, many, has_few_leads)
    sold = {
        place for place in offered
        if cells[place].sales >= least_sales and not has_few_sales(_without(cells, above, within[place], place, ()))
    }  # fmt: skip
    return Told(frozenset(offered), frozenset(_kept(cells, above, within, sold, has_few_sales)))


def _kept(
    cells: Cells, above: Above, within: Mapping[str, Sequence[str]], enough: Iterable[str],
    is_thin: Callable[[Cell], bool],
) -> set[str]:  # fmt: skip
    """Withhold what it takes, from the narrowest regions to the widest."""
    told = set(enough)
    for place in sorted(told, key=lambda one: (-len(above[one]), one)):
        front = _front(within[place], above, told, place)
        while front and is_thin(_without(cells, above, within[place], place, front)):
            told.remove(min(front, key=lambda one: (cells[one].sales, cells[one].offered, one)))
            front = _front(within[place], above, told, place)
    return told


def _front(within: Sequence[str], above: Above, told: set[str], place: str) -> set[str]:
    """Return the told regions within a place that no other told one there holds."""
    inner = {one for one in within if one in told and one != place}
    return {one for one in inner if not inner.intersection(above[one])}


def _without(cells: Cells, above: Above, within: Sequence[str], place: str, front: Iterable[str]) -> Cell:
    """Return what of a place lies in none of these regions."""
    taken = set(front)
    rest = [one for one in within if one not in taken and not taken.intersection(above[one])]
    return Cell(
        cells[place].offered - sum(cells[one].offered for one in taken),
        cells[place].sales - sum(cells[one].sales for one in taken),
        frozenset(buyer for one in rest for buyer in cells[one].own_buyers),
    )
