"""The composition root: puts the floors together into one Flask application."""

from pathlib import Path

import msgspec
import psycopg.types.json
from flask import Flask

from core import http
from core.anchor import InstalledClock
from core.clock import Clock
from core.config import Settings
from core.db import connect_app
from marketplace import jobs as market_jobs
from marketplace.web.api import api, balances, catalog, disputes, keys, leads, orders, publishers, sales
from marketplace.web.health import health

# What is imported for the jobs and routes that it declares.
ROOMS = (market_jobs, balances, catalog, disputes, keys, leads, orders, publishers, sales)


def create_app(settings: Settings, database_url: str, clock: Clock | None = None) -> Flask:
    """Make the application on this database (a libpq URL); without a clock it runs by the installation's own.

    The database may be away: requests are then answered 503 until it is back.
    """
    psycopg.types.json.set_json_loads(msgspec.json.decode)
    app = Flask("leadbourse", root_path=str(Path(__file__).resolve().parent.parent), template_folder="templates")
    app.extensions["leadbourse_settings"] = settings
    app.url_map.merge_slashes = False
    connect_app(app, database_url, settings.pool_size)
    http.install(app)
    app.register_blueprint(health)
    app.register_blueprint(api)
    app.extensions["leadbourse_clock"] = clock or InstalledClock(app)
    return app
