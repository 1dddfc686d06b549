"""Pages for whoever connects programs to an account of any kind: its keys, its webhooks and its daily mail."""

from marketplace.web.programs import keys, webhooks
from marketplace.web.programs.routes import programs

PAGES = (keys, webhooks)  # imported for the routes that they declare
ROOMS = (programs,)
