"""The operator's pages: one module a page, each a few lines over a report."""

from marketplace.web.operator import (
    audit_log,
    books,
    buyer_wallet,
    buyers,
    card_money,
    dispute_groups,
    disputes,
    jobs,
    journal,
    publishers,
    review,
    settings,
    vertical_editor,
    verticals,
)
from marketplace.web.operator.routes import operator

# Imported for the routes that they declare.
PAGES = (disputes, dispute_groups, review, audit_log, publishers, buyers, buyer_wallet, verticals, vertical_editor,
         books, card_money, journal, jobs, settings)  # fmt: skip
ROOMS = (operator,)
