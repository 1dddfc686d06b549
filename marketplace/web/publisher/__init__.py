"""The publisher's pages: one module a page, each a few lines over a report."""

from marketplace.web.publisher import (
    balance,
    briefs,
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
PAGES = (balance, briefs, disputes, leads, payouts, source_rules, sources, statements, terms, today, uploads)
ROOMS = (publisher,)
