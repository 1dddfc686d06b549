"""A publisher's share of a price, as the database works it out."""

import pytest
from flask import Flask

from core.db import db
from core.money import MAX_MINOR

PAYOUT_OF = db.text("SELECT affiliates.payout_of(:price, :share, :margin)")


@pytest.mark.parametrize(
    ("price", "share", "margin", "payout"),
    [
        (2000, 7000, 50, 1400),
        (3, 2000, 0, 1),
        (100, 9900, 50, 50),
        (40, 7000, 50, 0),
        (MAX_MINOR, 10_000, 0, MAX_MINOR),
    ],
    ids=["the share", "half a cent up", "never more than leaves the margin", "never less than nothing", "the largest"],
)
def test_the_share_of_a_price(app: Flask, price: int, share: int, margin: int, payout: int) -> None:
    assert db.session.scalar(PAYOUT_OF, {"price": price, "share": share, "margin": margin}) == payout
