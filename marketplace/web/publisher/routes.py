"""Where the publisher's pages lie: below /publisher."""

from flask import Blueprint

publisher = Blueprint("publisher", __name__, url_prefix="/publisher")
