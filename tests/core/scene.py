"""A scene for notifications: an account with webhooks at endpoints, and news that comes to it."""

from contextlib import ExitStack
from typing import Any

from flask import Flask
from sqlalchemy import select

from core.db import db, transaction
from core.ids import parse_id
from core.notifications import (
    Delivery,
    DeliveryAttempt,
    Webhook,
    add_webhook,
    send_due,
    write_notices,
)
from marketplace.cli.accounts import make_account
from tests.conftest import SetClock
from tests.core.endpoints import Act, Endpoint, running

DATA = {"lead": "01900000-0000-7000-8000-000000000001", "reasons": []}


class Scene:
    """An account with webhooks at endpoints, and news that comes to it."""

    def __init__(self, app: Flask, clock: SetClock, stack: ExitStack) -> None:
        self.app, self.clock, self._stack, self._news = app, clock, stack, 0
        self.account = self.new_account("ada@example.com")

    def new_account(self, address: str) -> Any:
        return parse_id("acc", make_account("publisher", address, address, "a good password")["account_id"])

    def endpoint(self, act: Act) -> Endpoint:
        return self._stack.enter_context(running(act))

    def webhook(self, url: str, events: list[str] | None = None, account: Any = None) -> Webhook:
        with transaction():
            made = add_webhook(account or self.account, url, events, None, self.clock.now()).id
        return self.read(made)

    def read(self, webhook_id: Any) -> Webhook:
        db.session.rollback()
        found = db.session.get_one(Webhook, webhook_id, populate_existing=True)
        db.session.expunge(found)
        db.session.rollback()
        return found

    def tell(self, event: str = "lead.sold", account: Any = None, count: int = 1) -> list[dict[str, Any]]:
        news = []
        for _ in range(count):
            self._news += 1
            news.append({"id": self._news, "event": event, "at": self.clock.now().isoformat(),
                         "accounts": [str(account or self.account)], "data": DATA})  # fmt: skip
        write_notices(news)
        return news

    def deliveries(self) -> list[Delivery]:
        db.session.rollback()
        found = list(db.session.scalars(select(Delivery).order_by(Delivery.id)))
        db.session.expunge_all()
        db.session.rollback()
        return found

    def attempts(self) -> list[DeliveryAttempt]:
        found = list(db.session.scalars(select(DeliveryAttempt).order_by(DeliveryAttempt.at, DeliveryAttempt.number)))
        db.session.expunge_all()
        db.session.rollback()
        return found

    def send(self) -> int:
        return send_due(self.clock.now())


def heard(endpoint: Endpoint) -> list[tuple[dict[str, str], bytes]]:
    read = []
    for raw in endpoint.heard:
        head, _, body = raw.partition(b"\r\n\r\n")
        lines = [line.partition(": ") for line in head.decode().split("\r\n")[1:]]
        read.append(({name.lower(): text for name, _, text in lines}, body))
    return read
