"""The loop of a worker: round after round, over a database that goes away and comes back, until it is told to end."""

import logging
import threading
from collections.abc import Callable

from core.db import Application, is_lost

log = logging.getLogger(__name__)
BREATH_SECONDS = 1  # after a round that failed


def run_rounds(
    app: Application, ended: threading.Event, name: str, do_round: Callable[[], bool], idle_seconds: float
) -> None:
    """Do rounds, each in the application's context; after one that returns False there is nothing to do for a while.

    What fails is logged by the name of the loop, and tried again after a breath.
    """
    while not ended.is_set():
        with app.app_context():
            try:
                has_more = do_round()
            except Exception as error:  # noqa: BLE001  # the outermost loop: log, wait, go on
                has_more = True
                log.warning("%s waits: %s", name, error) if is_lost(error) else log.exception("%s failed", name)
                ended.wait(BREATH_SECONDS)
        if not has_more:
            ended.wait(idle_seconds)
