"""PostgreSQL for whoever needs one: the server of `DATABASE_URL`, or an embedded one that lives while it is used."""

from core.postgres.access import Database, create_database, discard_embedded, drop_database, open_database, url_of
from core.postgres.programs import binary
from core.postgres.server import EmbeddedPostgres

__all__ = ["Database", "EmbeddedPostgres", "binary", "create_database", "discard_embedded", "drop_database",
           "open_database", "url_of"]  # fmt: skip
