"""The SQL that migrations run, one folder a migration: landed text is never edited, a later migration replaces it."""

from pathlib import Path

from alembic import op


def run_sql(folder: str, *names: str) -> None:
    """Run the named files of one migration's folder, in the order given, within the migration's transaction."""
    here = Path(__file__).parent / folder
    for name in names:
        run_text((here / f"{name}.sql").read_text(encoding="utf-8"))


def run_text(text: str) -> None:
    """Run several statements at once; the driver gets them without parameters, so that % stays %."""
    driver = op.get_bind().connection.driver_connection
    assert driver is not None
    driver.execute(text)
