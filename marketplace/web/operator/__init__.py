"""The operator's pages: one module a page, each a few lines over a report."""

from marketplace.web.operator import buyers, dispute_groups, disputes, publishers
from marketplace.web.operator.routes import operator

PAGES = (disputes, dispute_groups, publishers, buyers)  # imported for the routes that they declare
ROOMS = (operator,)
