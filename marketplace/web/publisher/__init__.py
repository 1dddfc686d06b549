"""The publisher's pages: one module a page, each a few lines over a report."""

from marketplace.web.publisher import (
    balance,
    disputes,
    leads,
    payouts,
    source_rules,
    sources,
    statements,
    terms,
    today,
    uploads,
)
from marketplace.web.publisher.routes import publisher

# Imported for the routes that they declare.
PAGES = (balance, disputes, leads, payouts, source_rules, sources, statements, terms, today, uploads)
ROOMS = (publisher,)
