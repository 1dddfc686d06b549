"""An application that takes cards, and the fake of Stripe that it takes them from; the books are audited at the end."""

import hashlib
import hmac
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import HTTPRedirectHandler, build_opener

import pytest
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.exc import SQLAlchemyError

from billing import WalletBalance, wallet_of
from billing.fake_stripe import FakeStripe, running_fake
from billing.funding.due import run_cards
from billing.funding.models import TopUp
from billing.funding.reading import fetch_news
from billing.stripe_gateway import KEPT, Gateway, Undecided, gateway
from core.config import Settings
from core.db import db, pool_of, transaction
from core.errors import Invalid
from core.ids import parse_id
from marketplace.app import create_app
from marketplace.audit import audit_all
from marketplace.cli.accounts import credit_by_hand
from tests.billing.fake_stripe.param_types import Typed
from tests.billing.fake_stripe.referee import Referee
from tests.conftest import SELLER, SetClock
from tests.factories import Market, Member

GOOD, DECLINED, ASKS = "4242424242424242", "4000000000000002", "4000002500003155"


class _Stay(HTTPRedirectHandler):
    """Follows nobody."""

    def redirect_request(self, *_: object) -> None:
        return None


@dataclass
class Till:
    """A buyer at the wallet, the fake behind it, and what both know."""

    app: Flask
    market: Market
    stripe: FakeStripe
    clock: SetClock
    buyer: Member

    def ask(self, amount: str = "100.00", currency: str = "EUR", status: int = 201, **headers: str) -> Any:
        """Ask for a payment page over the API."""
        return self.post("/wallet/top-ups", amount, currency, status, **headers)

    def post(self, path: str, amount: str, currency: str = "EUR", status: int = 201, **headers: str) -> Any:
        """Post an amount, and expect a status."""
        body = {"amount": {"amount": amount, "currency": currency}}
        answer = self.buyer.request("POST", path, body, **headers)
        assert answer.status_code == status, answer.text
        return answer.json

    def pay(self, url: str, card: str = GOOD) -> int:
        """Fill in the card on the payment page and return the answer's status."""
        return self._submit(url, card_number=card)

    def approve(self, url: str) -> int:
        """Prove to the bank who one is, on the page that asks."""
        return self._submit(url, authentication="approve")

    def _submit(self, url: str, **fields: str) -> int:
        try:
            return int(build_opener(_Stay).open(url, urlencode(fields).encode(), timeout=30).status)
        except HTTPError as answered:
            return answered.code

    def look(self) -> dict[str, int]:
        """Do what the worker does: fetch what no webhook brought, and do what is due."""
        fetch_news(gateway())
        return run_cards(self.clock.now())

    def paid(self, amount: str = "100.00") -> TopUp:
        """Top up by card, whole way, and return the top-up."""
        asked = self.ask(amount)
        assert self.pay(asked["checkout_url"]) == 303
        self.look()
        with transaction() as session:
            row = session.scalars(select(TopUp).order_by(TopUp.opened_at.desc(), TopUp.id.desc()).limit(1)).one()
            session.expunge(row)
            return row

    def credit(self, amount: str) -> None:
        """Put money into the wallet that came over the bank."""
        credit_by_hand(self.buyer.id, amount, "EUR", "for a test")

    def wallet(self) -> WalletBalance:
        with transaction():
            return wallet_of(parse_id("acc", self.buyer.id), "EUR")

    def account(self, code: int) -> int:
        """Return what the entries of one account of the chart sum to, debit positive."""
        with transaction() as session:
            query = text("SELECT coalesce(sum(amount_minor), 0) FROM billing.entries WHERE account = :code")
            return int(session.execute(query, {"code": code}).scalar_one())

    def count(self, table: str) -> int:
        with transaction() as session:
            return int(session.execute(text(f"SELECT count(*) FROM billing.{table}")).scalar_one())

    def at_stripe(self) -> int:
        """Return what the fake says that it owes us, pending and available together."""
        return gateway().balance().get("EUR", 0)

    def hook(self, raw: bytes, age: int = 0, secret: str | None = None) -> int:
        """Send an event as Stripe does and return the answer's status."""
        at = int(time.time()) - age
        key = (secret or self.stripe.keys.webhook_secret).encode()
        mark = hmac.new(key, b"%d.%s" % (at, raw), hashlib.sha256).hexdigest()
        headers = {"Stripe-Signature": f"t={at},v1={mark}", "Content-Type": "application/json"}
        return self.app.test_client().post("/webhooks/stripe", data=raw, headers=headers).status_code

    def events(self) -> list[bytes]:
        """Return all events so far as Stripe would send them, the oldest first."""
        since = self.clock.now().replace(year=2020)
        return [news.raw for news in reversed(list(gateway().news_since(since)))]


def sql(statement: str, **values: Any) -> list[Any]:
    with transaction() as session:
        done: Any = session.execute(text(statement), values)
        return list(done) if done.returns_rows else []


def make_due() -> None:
    """Have calls be due and the hourly look be due, as after an hour."""
    sql("UPDATE billing.card_calls SET next_attempt_at = now() WHERE ended_at IS NULL")
    sql("UPDATE billing.card_looks SET deep_at = now() - interval '2 h'")


def at_once(till: Till, *works: Any) -> list[BaseException]:
    """Do all of these at once, and return what they raise."""
    raised: list[BaseException] = []
    ready = threading.Barrier(len(works))

    def work(do: Any) -> None:
        with till.app.app_context():
            ready.wait()
            try:
                do()
            except (Undecided, Invalid, RuntimeError, SQLAlchemyError) as error:
                raised.append(error)

    threads = [threading.Thread(target=work, args=(do,)) for do in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return raised


def refereed(settings: Settings) -> Gateway:
    """Return a door to Stripe, everything that goes through it held against Stripe's own document and types."""
    door = Gateway(
        settings.stripe_secret_key or "", settings.stripe_api_base, settings.stripe_webhook_secrets, Referee()
    )
    door._client = Typed(door._client)  # type: ignore[assignment]  # it stands before what it watches
    return door


@pytest.fixture
def stripe(tmp_path: Path) -> Iterator[FakeStripe]:
    with running_fake(tmp_path / "fake-stripe") as fake:
        yield fake


@pytest.fixture
def app(database_url: str, clock: SetClock, tmp_path: Path, stripe: FakeStripe) -> Iterator[Flask]:
    settings = Settings(
        data_folder=tmp_path, database_url=database_url, pool_size=20, seller=SELLER, stripe_secret_key=stripe.keys.secret_key,
        stripe_webhook_secret=stripe.keys.webhook_secret, stripe_api_base=stripe.url, test_money=True,
    )  # fmt: skip
    made = create_app(settings, database_url, clock)
    with made.app_context():
        made.extensions[KEPT] = refereed(settings)
        yield made
        db.session.rollback()
        report = audit_all(db.session)
        db.session.remove()
    pool_of(made).close()
    assert report.ok, [check for check in report.checks if not check.ok]


@pytest.fixture
def till(app: Flask, market: Market, stripe: FakeStripe, clock: SetClock) -> Till:
    return Till(app, market, stripe, clock, market.make_buyer("0"))
