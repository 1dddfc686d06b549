"""Processes that live as long as the one that supervises them."""

import os

from core.lifeline import die_with_parent

SUPERVISED = "LEADBOURSE_SUPERVISED"


def tie_to_supervisor() -> None:
    """Have this process die with the one that supervises it, if any does."""
    if os.environ.get(SUPERVISED) == "1":
        die_with_parent()
