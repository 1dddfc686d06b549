"""What an order may say of the exchange's settings for itself: it narrows what stands above it, where that is known."""

from collections.abc import Iterator, Mapping

from core.defaults import faults_in_said, find_default
from core.errors import Fault
from core.overrides import overrides
from marketplace.catalog.verticals import Vertical
from marketplace.resolved import REACHES


def own_setting_faults(said: Mapping[str, int | bool], vertical: Vertical) -> Iterator[Fault]:
    """Name each setting that an order of the vertical may not say, or says looser than what holds above it now."""
    exchange = overrides().exchange if said else {}
    for key, value in said.items():
        known = find_default(key)
        if known is not None and "order" not in REACHES[key].levels:
            yield Fault(f"settings.{key}", "not_settable_here", f"Remove it. {REACHES[key].why_not}")
            continue
        above = {key: vertical.setting(key, exchange=exchange)} if known else {}
        yield from (
            Fault(f"settings.{key}", fault.code, fault.message)
            for fault in faults_in_said("order", {key: value}, above)
        )
