"""Where the buyer's pages lie: below /buyer."""

from flask import Blueprint

buyer = Blueprint("buyer", __name__, url_prefix="/buyer")
