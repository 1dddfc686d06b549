"""The operator's pages: one module a page, each a few lines over a report."""

from marketplace.web.operator import buyers, dispute_groups, disputes, publishers, vertical_editor, verticals
from marketplace.web.operator.routes import operator

PAGES = (
    disputes,
    dispute_groups,
    publishers,
    buyers,
    verticals,
    vertical_editor,
)  # imported for the routes that they declare
ROOMS = (operator,)
