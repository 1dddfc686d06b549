"""The publisher's pages: one module a page, each a few lines over a report."""

from marketplace.web.publisher import balance, disputes, leads, sources, statements, today, uploads
from marketplace.web.publisher.routes import publisher

PAGES = (balance, disputes, leads, sources, statements, today, uploads)  # imported for the routes that they declare
ROOMS = (publisher,)
