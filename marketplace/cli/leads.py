"""Leads from the command line."""

import click


@click.group()
def leads() -> None:
    """Import leads."""
