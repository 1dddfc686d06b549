"""Places on the earth: the cities that come with the program, how far two points are from each other."""

from marketplace.catalog.places.cities import City, cities_like, find_city
from marketplace.catalog.places.distance import Point, cell_of, cells_around, kilometres

__all__ = ["City", "Point", "cell_of", "cells_around", "cities_like", "find_city", "kilometres"]
