"""What the web server runs: the application on the database that DATABASE_URL names, few threads at work on it."""

import os
import threading

from core.config import Settings
from core.crew import Crew
from core.garbage import keep_what_is_loaded
from core.lifeline import die_with_parent
from marketplace.app import create_app

if os.environ.get("LEADBOURSE_SUPERVISED") == "1":
    die_with_parent()

_settings = Settings.read()
if _settings.database_url is None:
    raise RuntimeError("wsgi needs DATABASE_URL; `leadbourse web` and `leadbourse serve` set it")
# A request may need a second connection while it has one: with more at once they would wait for each other.
_AT_MOST = _settings.pool_size // 2
app = Crew(create_app(_settings, _settings.database_url), _settings.web_threads, _AT_MOST, _settings.max_batch_bytes)
threading.Thread(target=app.watch, name="crew", daemon=True).start()
keep_what_is_loaded()
