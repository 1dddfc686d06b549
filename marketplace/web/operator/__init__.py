"""The operator's pages: one module a page, each a few lines over a report."""

from marketplace.web.operator import (
    audit_log,
    buyers,
    dispute_groups,
    disputes,
    publishers,
    review,
    vertical_editor,
    verticals,
)
from marketplace.web.operator.routes import operator

PAGES = (
    disputes,
    dispute_groups,
    review,
    audit_log,
    publishers,
    buyers,
    verticals,
    vertical_editor,
)  # imported for the routes that they declare
ROOMS = (operator,)
