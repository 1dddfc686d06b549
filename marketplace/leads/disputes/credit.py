"""What a sale pays once a part of its price goes back: the terms pinned to it, made smaller without loss."""

from typing import NamedTuple


class Terms(NamedTuple):
    """The price of a sale, the publisher's part of it, and how much of that is reserved; in minor units."""

    price_minor: int
    payout_minor: int
    reserve_minor: int


def reduced(full: Terms, credit_minor: int) -> Terms:
    """Take a credit of zero up to the whole price off a sale: everybody gives in proportion, half a cent up.

    The sale's own ratio is used and not the publisher's present share, since terms are pinned to the sale. The
    platform's margin is what is left, so price = credit + payout + margin to the cent.
    """
    if not 0 <= credit_minor <= full.price_minor:
        raise ValueError("a credit is between nothing and the whole price")
    price = full.price_minor - credit_minor
    payout = min((2 * full.payout_minor * price + full.price_minor) // (2 * full.price_minor), price)
    reserve = full.reserve_minor * payout // full.payout_minor if full.payout_minor else 0
    return Terms(price, payout, reserve)
