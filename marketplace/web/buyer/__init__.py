"""The buyer's pages: one module a page, each a few lines over a report."""

from marketplace.web.buyer import (
    briefs,
    cards,
    claim,
    credit,
    deliveries,
    disputes,
    documents,
    invoices,
    leads,
    limits,
    lists,
    order_editor,
    order_losses,
    order_many,
    orders,
    places,
    recharge,
    top_ups,
    transfers,
    wallet,
)
from marketplace.web.buyer.routes import buyer

# Imported for the routes that they declare.
PAGES = (briefs, cards, recharge, claim, credit, deliveries, disputes, documents, invoices, leads, limits, lists,
         order_editor, order_losses, order_many, orders, places, top_ups, transfers, wallet)  # fmt: skip
ROOMS = (buyer,)
