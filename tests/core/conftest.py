"""What tests of core may ask for beyond what all may."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from flask import Flask

from core.outbound import Outbound
from tests.conftest import SetClock
from tests.core.scene import Scene


@pytest.fixture
def scene(app: Flask, clock: SetClock) -> Iterator[Scene]:
    app.extensions["leadbourse_outbound"] = Outbound(allow_private=True)
    with ExitStack() as stack:
        yield Scene(app, clock, stack)
