"""The composition root: puts the floors together into one Flask application."""

from pathlib import Path
from uuid import UUID

import msgspec
import psycopg.types.json
from flask import Flask

from affiliates import open_publisher
from billing import jobs as billing_jobs
from billing.web.webhook import hooks
from core import attributes, http, i18n, mail, templates
from core import pages as page_edge
from core.anchor import InstalledClock
from core.clock import Clock
from core.config import Settings
from core.db import connect_app
from core.identity import install_sign_in
from core.notifications import EXTENSION
from marketplace import jobs as market_jobs
from marketplace import wallet_mails
from marketplace.news import NEWS
from marketplace.web import buyer, chrome, operator, programs, publisher
from marketplace.web.api import (
    addresses,
    again,
    api,
    audit_log,
    balances,
    bank,
    briefs,
    buyer_limits,
    catalog,
    contact_reports,
    credit_lines,
    deliveries,
    dispositions,
    disputes,
    documents,
    evidence,
    keys,
    leads,
    market,
    months,
    notifications,
    orders,
    payouts,
    places,
    pro_formas,
    promo,
    publishers,
    recharges,
    sales,
    source_standings,
    sources,
    suppression,
    terms,
    top_ups,
    webhooks,
)
from marketplace.web.design import design
from marketplace.web.door import LeadDoor
from marketplace.web.health import health
from marketplace.web.inbound import inbound
from marketplace.web.market import trade
from marketplace.web.meta import meta
from marketplace.web.pages import pages
from marketplace.web.people import change_reading, people
from marketplace.web.saved_views import views
from marketplace.web.search import finding

PROJECT = Path(__file__).resolve().parent.parent
STATIC = "marketplace/web/static"
# What is imported for the jobs and routes that it declares.
ROOMS = (
    mail,
    billing_jobs,
    market_jobs,
    wallet_mails,
    addresses,
    again,
    audit_log,
    balances,
    bank,
    briefs,
    buyer_limits,
    catalog,
    contact_reports,
    credit_lines,
    deliveries,
    dispositions,
    disputes,
    documents,
    evidence,
    keys,
    leads,
    market,
    months,
    notifications,
    orders,
    payouts,
    places,
    pro_formas,
    promo,
    publishers,
    recharges,
    sales,
    source_standings,
    sources,
    suppression,
    terms,
    top_ups,
    webhooks,
)


def create_app(settings: Settings, database_url: str, clock: Clock | None = None) -> Flask:
    """Make the application on this database (a libpq URL); without a clock it runs by the installation's own.

    The database may be away: requests are then answered 503 until it is back.
    """
    psycopg.types.json.set_json_loads(msgspec.json.decode)
    app = Flask("leadbourse", root_path=str(PROJECT), template_folder="templates", static_folder=STATIC,
                static_url_path="/static")  # fmt: skip
    app.extensions["leadbourse_settings"] = settings
    app.extensions[EXTENSION] = NEWS
    app.url_map.merge_slashes = False
    # Of a page's form, which is read before its view is asked; what programs send is bounded where it is read.
    app.config["MAX_CONTENT_LENGTH"] = settings.max_batch_bytes
    app.config["MAX_FORM_MEMORY_SIZE"] = settings.max_body_bytes  # an order's list of postal codes is typed
    app.config["PROVIDE_AUTOMATIC_OPTIONS"] = False  # Flask's own answer would be HTML
    connect_app(app, database_url, settings.pool_size)
    http.install(app)
    http.note_key_uses(app)
    page_edge.install(app)
    i18n.install(app)
    attributes.install()
    templates.install(app.jinja_env)
    csrf = install_sign_in(app, settings, _open_books)
    for room in (health, api, inbound, hooks, meta):
        app.register_blueprint(room)
        csrf.exempt(room)  # who comes here brings a key, and no session
    for room in (
        pages,
        people,
        finding,
        trade,
        views,
        design,
        *publisher.ROOMS,
        *buyer.ROOMS,
        *operator.ROOMS,
        *programs.ROOMS,
    ):
        app.register_blueprint(room)
    csrf.exempt(change_reading)
    chrome.install(app)
    http.public(app.view_functions["static"])
    app.wsgi_app = LeadDoor(app, settings.max_body_bytes)  # type: ignore[method-assign]  # as Flask documents it
    app.extensions["leadbourse_clock"] = clock or InstalledClock(app)
    return app


def _open_books(account_id: UUID, kind: str) -> None:
    """Open what an account that somebody registers needs besides itself."""
    if kind == "publisher":
        open_publisher(account_id, http.business_clock().now())
