"""The HTTP interface /api/v1: views that read the request, call, and answer; one module a thing."""

from flask import Blueprint

api = Blueprint("api", __name__, url_prefix="/api/v1")
