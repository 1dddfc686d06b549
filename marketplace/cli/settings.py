"""The settings, read for a command."""

from core.config import Settings
from core.errors import Fault, Invalid


def read_settings() -> Settings:
    """Read the settings; a variable that cannot be read is a refusal like any other."""
    try:
        return Settings.read()
    except ValueError as wrong:
        raise Invalid("bad_setting", str(wrong), [Fault("environment", "bad_setting", str(wrong))]) from wrong
