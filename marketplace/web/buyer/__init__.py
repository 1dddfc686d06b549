"""The buyer's pages: one module a page, each a few lines over a report."""

from marketplace.web.buyer import leads, order_editor, orders, top_ups, wallet
from marketplace.web.buyer.routes import buyer

PAGES = (leads, order_editor, orders, top_ups, wallet)  # imported for the routes that they declare
ROOMS = (buyer,)
