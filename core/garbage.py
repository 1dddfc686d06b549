"""The collector of garbage, told that what a program has loaded stays."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

# Python looks at young objects after every 700, and at all of them a hundred times as seldom, or sooner when most are
# new. Frozen ones do not count as old, so that it would take most for new, and look at all of them again and again.
# A page with a long form leaves a thousand that hold each other: to clear 20,000 at once held up one page in fifteen
# for as long as half of another.
_YOUNG, _OFTEN, _SELDOM = 5_000, 80, 50


def keep_what_is_loaded() -> None:
    """Have the collector never again look at what is there by now, and less often at what comes."""
    gc.freeze()
    gc.set_threshold(_YOUNG, _OFTEN, _SELDOM)


@contextmanager
def loading() -> Iterator[None]:
    """Load a program without the collector looking on, and keep what is loaded.

    What is loaded lives as long as the process. Looking for garbage in it took a quarter of the time of a start, and
    would take as long again at every full collection.
    """
    gc.disable()
    yield
    keep_what_is_loaded()
    gc.enable()
