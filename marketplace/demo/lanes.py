"""Which part of the sample market plays beside which other: no buyer, and no vertical, is in two of them.

So the lanes touch no wallet, cap or person in common, and playing them at once makes the same market as one by one.
"""

from collections import Counter

from marketplace.demo.cast import Cast
from marketplace.demo.wallets import offered, playing

HOW_MANY = 2


def lanes_of(cast: Cast) -> dict[str, int]:
    """Return the lane of each vertical that is sent or bought; the lanes get about as many leads each."""
    weights = _leads_by_vertical(cast)
    together = [{slug} for slug in sorted(weights)]
    for buyer in playing(cast):
        bought = {slug for _, slug in offered(buyer)}
        joined = [group for group in together if group & bought]
        together = [group for group in together if not group & bought] + [bought.union(*joined)]
    lanes: dict[str, int] = {}
    loads = [0] * HOW_MANY
    for group in sorted(together, key=lambda group: (-sum(weights[slug] for slug in group), sorted(group))):
        lane = loads.index(min(loads))
        loads[lane] += sum(weights[slug] for slug in group)
        lanes |= dict.fromkeys(group, lane)
    return lanes


def _leads_by_vertical(cast: Cast) -> Counter[str]:
    leads: Counter[str] = Counter()
    for publisher in cast.market.publishers:
        whole = sum(publisher.verticals.values())
        for slug, weight in publisher.verticals.items():
            leads[slug] += publisher.leads_a_weekday * 1000 * weight // whole
    return leads
