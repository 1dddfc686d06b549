"""The operator's pages: one module a page, each a few lines over a report."""

from marketplace.web.operator.routes import operator

ROOMS = (operator,)
