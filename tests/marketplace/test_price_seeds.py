"""Seeds of prices: place, class and temperature multiply; what is not listed is 1.00."""

import pytest

from core.errors import Invalid
from marketplace.leads.scoring import CLASS_POINTS
from marketplace.market.seeds import SEEDS_FILE, corridor_at, factor_bp, price_seeds, read_seeds
from marketplace.orders.terms import CONTACT_CLASSES, TEMPERATURES


def test_factors_multiply_and_the_narrowest_region_counts() -> None:
    assert factor_bp("FR", "none", "warm") == 10_000
    assert factor_bp("FR-75C", "none", "warm") == 12_500  # Paris lies in FR-IDF
    assert factor_bp("ES-MD", "quick", "hot") == round(10_000 * 0.75 * 1.25 * 0.8 * 1.9)
    assert factor_bp("VN-SG", "promotional", "cold") == 450
    assert factor_bp("AQ", "none", "none") == 10_000


def test_a_corridor_is_rounded_half_up_at_both_ends() -> None:
    assert corridor_at(("6.00", "14.00"), "EUR", 12_500) == (750, 1750)
    assert corridor_at(("0.01", "0.03"), "EUR", 5_000) == (1, 2)


def test_every_class_and_temperature_has_a_factor() -> None:
    assert set(price_seeds().classes) == set(CONTACT_CLASSES) == set(CLASS_POINTS)
    assert set(price_seeds().temperatures) == set(TEMPERATURES)


def test_an_unknown_region_is_refused() -> None:
    with pytest.raises(Invalid):
        read_seeds(SEEDS_FILE.read_text(encoding="utf-8").replace("FR-IDF", "FR-XXX"))
