"""What the web server runs: the application on the database that DATABASE_URL names, few threads at work on it."""

import os
import threading
from importlib import import_module

from core.config import Settings
from core.crew import Crew
from core.garbage import loading
from core.lifeline import die_with_parent

if os.environ.get("LEADBOURSE_SUPERVISED") == "1":
    die_with_parent()

_settings = Settings.read()
if _settings.database_url is None:
    raise RuntimeError("wsgi needs DATABASE_URL; `leadbourse web` and `leadbourse serve` set it")
# A request may need a second connection while it has one: with more at once they would wait for each other.
_AT_MOST = _settings.pool_size // 2
with loading():
    _made = import_module("marketplace.app").create_app(_settings, _settings.database_url)
    app = Crew(_made, _settings.web_threads, _AT_MOST, _settings.max_batch_bytes)
threading.Thread(target=app.watch, name="crew", daemon=True).start()
