"""The operator's pages: one module a page, each a few lines over a report."""

from marketplace.web.operator import dispute_groups, disputes
from marketplace.web.operator.routes import operator

PAGES = (disputes, dispute_groups)  # imported for the routes that they declare
ROOMS = (operator,)
