"""What the tests of the market share beyond the project's fixtures."""

import pytest

from tests.deals import Deal, make_deal
from tests.factories import Market


@pytest.fixture
def deal(market: Market) -> Deal:
    """Sell one lead for 20.00."""
    return make_deal(market)
