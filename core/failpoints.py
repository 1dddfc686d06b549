"""Points at which a process can be made to die or err, so that tests show what recovers: `FAILPOINT=name:kill|error`.

Nothing happens without the variable; a name that is no point does nothing either.
"""

import os
import signal


class Failed(RuntimeError):
    """What a point raises when it is told to err."""


def failpoint(name: str) -> None:
    """Die at once, as by a kill -9, or raise Failed, when the environment says so of this point."""
    told = os.environ.get("FAILPOINT")
    if told is None:
        return
    if told == f"{name}:kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if told == f"{name}:error":
        raise Failed(name)
