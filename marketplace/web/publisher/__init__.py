"""The publisher's pages: one module a page, each a few lines over a report."""

from marketplace.web.publisher import balance, disputes, leads, payouts, sources, terms, today, uploads
from marketplace.web.publisher.routes import publisher

PAGES = (balance, disputes, leads, payouts, sources, terms, today, uploads)  # imported for the routes that they declare
ROOMS = (publisher,)
