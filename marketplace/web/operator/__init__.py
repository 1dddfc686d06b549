"""The operator's pages: one module a page, each a few lines over a report."""

from marketplace.web.operator import books, buyers, dispute_groups, disputes, jobs, journal, publishers, settings
from marketplace.web.operator.routes import operator

# Imported for the routes that they declare.
PAGES = (disputes, dispute_groups, publishers, buyers, books, journal, jobs, settings)
ROOMS = (operator,)
