"""How far two points on the earth are from each other, and which degrees of the grid a circle may touch."""

from math import asin, cos, floor, radians, sin, sqrt

Point = tuple[float, float]
"""Latitude and longitude in degrees, north and east counting up."""

Cell = tuple[int, int]
"""One degree by one degree, named by its south-western corner."""

EARTH_KM = 6371.0088  # the mean radius of the WGS 84 ellipsoid
DEGREE_KM = 111.1  # a little less than the shortest degree of latitude on that sphere, so that no cell is missed


def kilometres(one: Point, other: Point) -> float:
    """Return the distance along the surface (haversine), within half a percent of the ellipsoid's."""
    north = sin(radians(other[0] - one[0]) / 2) ** 2
    east = sin(radians(other[1] - one[1]) / 2) ** 2
    share = north + cos(radians(one[0])) * cos(radians(other[0])) * east
    return 2 * EARTH_KM * asin(min(1.0, sqrt(share)))


def cell_of(point: Point) -> Cell:
    """Return the degree of the grid that a point lies in."""
    return floor(point[0]), _wrapped(floor(point[1]))


def cells_around(centre: Point, km: float) -> frozenset[Cell]:
    """Return every degree of the grid that a circle may touch; a few more do no harm."""
    latitude, longitude = centre
    reach = km / DEGREE_KM
    south, north = floor(latitude - reach), floor(latitude + reach)
    widest = max(abs(latitude - reach), abs(latitude + reach))
    if widest >= 89:  # a pole is inside or near: every meridian
        columns = set(range(-180, 180))
    else:
        aside = reach / cos(radians(widest))
        columns = {_wrapped(east) for east in range(floor(longitude - aside), floor(longitude + aside) + 1)}
    return frozenset((row, column) for row in range(south, north + 1) for column in columns)


def _wrapped(longitude: int) -> int:
    return (longitude + 180) % 360 - 180
