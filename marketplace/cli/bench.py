"""Measuring, in a database of its own."""

import click


@click.group()
def bench() -> None:
    """Measure; one JSON line a figure."""
