"""Where the operator's pages lie: below /operator."""

from flask import Blueprint

operator = Blueprint("operator", __name__, url_prefix="/operator")
