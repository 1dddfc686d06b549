"""The buyer's pages: one module a page, each a few lines over a report."""

from marketplace.web.buyer import deliveries, leads, lists, order_editor, orders, wallet
from marketplace.web.buyer.routes import buyer

PAGES = (deliveries, leads, lists, order_editor, orders, wallet)  # imported for the routes that they declare
ROOMS = (buyer,)
