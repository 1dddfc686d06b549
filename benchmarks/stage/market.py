"""A market to measure: an exchange in a temporary database, a thousand orders, and the leads that they want."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from urllib.error import URLError
from urllib.request import urlopen
from uuid import UUID

import msgspec
from flask import Flask

from affiliates import open_publisher
from billing import audit, credit_wallet
from core.clock import as_rfc3339
from core.config import Settings
from core.db import db, migrate, pool_of, transaction
from core.identity import make_key, open_account
from core.money import Money
from core.postgres import discard_embedded, open_database
from core.schemas import convert
from marketplace.app import create_app
from marketplace.catalog.regions import is_region
from marketplace.catalog.shelf import ship_verticals
from marketplace.leads.delivery.offered import judge_delivery, keep_secret
from marketplace.leads.desk import desk
from marketplace.orders.standing import place_order
from marketplace.orders.terms import OrderBody

PROJECT = Path(__file__).resolve().parents[2]
SEED = 20261122
ORDERS = 1_000
BUYERS = 100
DELIVERED = 5  # buyers to whom leads are delivered, in benchmarks that ask for it
FUNDS = Money(10**13, "EUR")
REGIONS = tuple(region for number in range(1, 96) if is_region(region := f"FR-{number:02}"))
HOT_REGION = "FR-2A"  # where one buyer takes everything


@dataclass(frozen=True, slots=True)
class Market:
    """An exchange that is open for measuring."""

    app: Flask
    url: str
    publisher_id: UUID
    key_id: UUID
    secret: str

    def sales(self) -> int:
        """Count the sales that were ever made."""
        with db.engine.connect() as connection:
            return int(connection.execute(db.text("SELECT count(*) FROM marketplace.sales")).scalar_one())

    def faults_of_books(self) -> list[str]:
        """Audit the books and name the checks that do not hold."""
        try:
            return [check.name for check in audit(db.session).checks if not check.ok]
        finally:
            db.session.rollback()


@contextmanager
def open_market() -> Iterator[Market]:
    """Open a market in a database of its own, inside its application's context; nothing of it is left afterwards."""
    settings = Settings(data_folder=Path(tempfile.mkdtemp(prefix="leadbourse-bench-")), allow_private_targets=True)
    try:
        with open_database(settings) as database:
            app = create_app(settings, database.url)
            with app.app_context():
                migrate()
                yield _fill(app, database.url)
                db.session.remove()
            pool_of(app).close()
        discard_embedded(settings)
    finally:
        shutil.rmtree(settings.data_folder, ignore_errors=True)


def _fill(app: Flask, url: str) -> Market:
    random, now = Random(SEED), datetime.now(UTC)
    with transaction():
        ship_verticals(now)
        publisher = open_account("publisher", "The publisher", now)
        open_publisher(publisher.id, now)
        key, secret = make_key(publisher, "bench", now)
        market = Market(app, url, publisher.id, key.id, secret)
        buyers = [make_buyer(number, now) for number in range(BUYERS)]
        for number in range(ORDERS - 1):
            minor = random.randrange(500, 4_000)
            place_in(random.choice(buyers), REGIONS[number % len(REGIONS)], minor, now)
        place_in(make_buyer(BUYERS, now), HOT_REGION, 2_500, now)
    return market


def place_delivered(url: str) -> None:
    """Let a few buyers outbid all others in every region, who want their leads delivered to this address."""
    now = datetime.now(UTC)
    with transaction():
        for number in range(DELIVERED):
            place_in(make_buyer(BUYERS + 1 + number, now), None, 5_000 + number, now, {"kind": "webhook", "url": url})


def make_buyer(number: int, now: datetime) -> UUID:
    """Open a buyer with more money than a benchmark spends."""
    buyer = open_account("buyer", f"Buyer {number}", now)
    assert credit_wallet(buyer.id, FUNDS, f"bench {number}", "funds to measure with", "system:bench", now).is_booked
    return buyer.id


def place_in(
    buyer_id: UUID, region: str | None, minor: int, now: datetime, delivery: dict[str, str] | None = None
) -> None:
    """Place an order of students in a region, or anywhere, with limits that a benchmark does not reach."""
    body = {
        "name": f"Students of {region}", "vertical": "education", "regions": [region] if region else None,
        "delivery": delivery,
        "price": {"amount": str(Money(minor, "EUR")), "currency": "EUR"},
        "caps": {"day": 100_000_000}, "budget": {"month": {"amount": "10000000000.00", "currency": "EUR"}},
        "filters": [{"field": "attributes.occupation", "op": "in", "value": ["student", "other"]}],
    }  # fmt: skip
    order = place_order(buyer_id, convert(body, OrderBody), "system:bench", now, judge_delivery)
    keep_secret(order.id, delivery, desk().vault)


def lead_body(region: str, person: str, at: datetime | None = None) -> bytes:
    """Write a lead of about a kilobyte; `person` is eight digits that no other lead has, in e-mail and phone.

    Its consent was given at this instant, now without one.
    """
    body = {
        "vertical": "education", "region": region,
        "contact": {"first_name": "Ada", "last_name": "Lovelace", "email": f"person{person}@example.com",
                    "phone": f"+336{person}", "city": "Paris", "postal_code": "75001", "language": "fr"},
        "attributes": {"course": "business", "occupation": "student", "level": "master", "modality": "online",
                       "start": "within_3_months", "matters_most": "career_prospects"},
        "interest": "request", "channel": "search",
        "source": {"name": "default", "sub": {"1": "campaign-7", "2": "banner-3"}, "ip": "203.0.113.9",
                   "page_url": "https://studies.example.com/compare?city=paris", "form_seconds": 41.5,
                   "utm": {"utm_source": "search", "utm_medium": "cpc", "utm_campaign": "autumn"},
                   "user_agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko)"},
        "consent": {"text": "Yes, I agree that schools call or write to me about their courses.",
                    "given_at": as_rfc3339(at or datetime.now(UTC)), "page_url": "https://studies.example.com/compare"},
    }  # fmt: skip
    return msgspec.json.encode(body)


@contextmanager
def web_server(market: Market) -> Iterator[tuple[str, int]]:
    """Run `leadbourse web` on the market's database and give its address."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        address: tuple[str, int] = free.getsockname()
    environment = os.environ | {"DATABASE_URL": market.url, "PYTHONPATH": str(PROJECT)}
    command = [sys.executable, "-m", "marketplace", "web", "--port", str(address[1])]
    with subprocess.Popen(command, env=environment, cwd=PROJECT) as server:
        try:
            _wait_for(address, server)
            yield address
        finally:
            server.terminate()


def _wait_for(address: tuple[str, int], server: subprocess.Popen[bytes], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with urlopen(f"http://{address[0]}:{address[1]}/health/ready", timeout=2):
                return
        except (URLError, ConnectionError, TimeoutError):
            time.sleep(0.1)
    raise RuntimeError("the web server did not come up")
