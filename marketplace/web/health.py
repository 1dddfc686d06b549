"""Whether the process lives, whether it can serve, and its figures for Prometheus."""

import prometheus_client
from flask import Blueprint, Response

from core.db import db
from core.errors import NotFound
from core.http import Answer, public, respond, settings

health = Blueprint("health", __name__)


@health.get("/health/live")
@public
def live() -> Response:
    """Say that the process answers."""
    return respond(Answer({"status": "live"}))


@health.get("/health/ready")
@public
def ready() -> Response:
    """Say that the database answers too and has the newest migration's tables; 503 otherwise."""
    db.session.execute(db.text("SELECT FROM marketplace.leads LIMIT 0"))
    return respond(Answer({"status": "ready"}))


@health.get("/metrics")
@public
def metrics() -> Response:
    """Show Prometheus figures, unless the setting LEADBOURSE_METRICS is off."""
    if not settings().metrics:
        raise NotFound(detail="Metrics are off; set LEADBOURSE_METRICS=1.")
    return Response(prometheus_client.generate_latest(), mimetype=prometheus_client.CONTENT_TYPE_LATEST)
