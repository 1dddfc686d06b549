"""The operator's pages: one module a page, each a few lines over a report."""

from marketplace.web.operator import (
    audit_log,
    bank,
    books,
    buyer_wallet,
    buyers,
    card_money,
    credit,
    dispute_groups,
    disputes,
    export,
    forecast,
    jobs,
    journal,
    months,
    payouts,
    places,
    publisher_terms,
    publishers,
    receivables,
    resuming,
    review,
    settings,
    suspense,
    vertical_editor,
    verticals,
    what_if,
)
from marketplace.web.operator.routes import operator

# Imported for the routes that they declare.
PAGES = (disputes, dispute_groups, review, resuming, audit_log, publishers, publisher_terms, buyers, buyer_wallet,
         credit, verticals, vertical_editor, books, card_money, export, forecast, journal, jobs, months, settings, bank,
         suspense, payouts, places, receivables, what_if)  # fmt: skip
ROOMS = (operator,)
