"""The calls of a process that wait for buyers are bounded."""

from core.ids import new_id
from marketplace.leads.delivery.waits import Waits


def test_one_order_and_all_together_have_only_so_many_calls_that_wait() -> None:
    first, second, third = (new_id() for _ in range(3))
    waits = Waits(3, 2)
    assert [waits.enter(order) for order in (first, first, first, second, third)] == [True, True, False, True, False]
    waits.leave(first)
    assert waits.enter(third) and not waits.enter(first)
