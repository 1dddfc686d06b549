"""The people of the sample market, live: a process of its own that knows the exchange by its public API alone."""

import heapq
import logging
import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from core.clock import BusinessClock, from_rfc3339
from marketplace.demo.behaviour import Deed, Known, Reply, Sold, decision_of, deeds_of, reply_of
from marketplace.demo.calls import Api
from marketplace.demo.cast import OPERATOR, Cast
from marketplace.demo.endpoints import Endpoints
from marketplace.demo.labels import LabelBook
from marketplace.demo.state import DemoState
from marketplace.demo.wallets import playing, refill

log = logging.getLogger(__name__)
LOCAL = ZoneInfo("Europe/Paris")
TOO_LATE = timedelta(minutes=45)  # a lead that could not be posted for so long is left out: nothing floods
LOOK_BACK = timedelta(days=6)  # longer than any deed waits
LOOK_SECONDS = 8.0
RETRY_SECONDS = 1.0
SERVERS = ("webhook", "sync", "ping")  # who bids by ping has a server for its leads, too
CreditWallet = Callable[[str, str], None]


class _Due(NamedTuple):
    """A deed in the order of time, with whose it is."""

    at: datetime
    number: int
    buyer: str
    deed: Deed


class Simulator:
    """Plays everybody until told to end."""

    def __init__(
        self, cast: Cast, state: DemoState, api: Api, clock: BusinessClock, data_folder: Path, credit: CreditWallet
    ) -> None:
        self._cast, self._state, self._api, self._clock, self._credit = cast, state, api, clock, credit
        self._labels = LabelBook(data_folder)
        self._endpoints = Endpoints(self._reply)
        self._ended = threading.Event()
        self._agenda: list[_Due] = []
        self._leads: dict[str, str] = {}  # by sale
        self._unknown: list[tuple[str, dict[str, Any]]] = []
        self._funded_on: int | None = None
        self._began_at = clock.now()

    def run(self) -> None:
        """Play from now on; returns soon after `end`."""
        self._endpoints.start()
        if not self._wait_until_ready():
            return
        self._again(self._direct_deliveries)
        parts = (self._publish, self._buy, self._operate)
        threads = [threading.Thread(target=part, name=part.__name__, daemon=True) for part in parts]
        for thread in threads:
            thread.start()
        self._ended.wait()
        for thread in threads:
            thread.join(2)
        self._endpoints.stop()
        self._labels.close()

    def end(self) -> None:
        """Have everybody stop."""
        self._ended.set()

    def _wait_until_ready(self) -> bool:
        while not self._ended.is_set():
            try:
                if self._api.call("GET", "/health/ready").status == 200:
                    return True
            except OSError:
                log.debug("the exchange is not ready yet")
            self._ended.wait(0.2)
        return False

    def _again(self, work: Callable[[], None]) -> None:
        """Do something until it was done without the exchange being away."""
        while not self._ended.is_set():
            try:
                work()
            except OSError as away:
                log.info("the exchange is away: %s", away)
                self._ended.wait(RETRY_SECONDS)
            else:
                return

    def _key(self, name: str) -> str:
        return self._state.members[name].api_key

    # -- publishers ----------------------------------------------------------------------------------------------------

    def _publish(self) -> None:
        for posting in self._cast.postings_from(self._clock.now()):
            if not self._wait_for(posting.sent.at):
                return
            if self._clock.now() - posting.sent.at > TOO_LATE:
                continue
            key, sent = self._key(posting.publisher.name), posting.sent
            known = Known(sent.body["external_id"], sent.true_label)
            self._again(lambda body=sent.body, key=key, known=known: self._post(body, key, known))  # type: ignore[misc]

    def _wait_for(self, at: datetime) -> bool:
        seconds = (at - self._clock.now()).total_seconds() / self._clock.rate
        return not self._ended.wait(max(seconds, 0))

    def _post(self, body: dict[str, Any], key: str, known: Known) -> None:
        answered = self._api.call("POST", "/api/v1/leads", key, body)
        if answered.status == 201:
            self._labels.write(answered.body["id"], known)
            self._labels.flush()
        elif answered.status >= 500:
            raise ConnectionError(f"POST /leads was answered {answered.status}")

    # -- buyers --------------------------------------------------------------------------------------------------------

    def _buy(self) -> None:
        newest: dict[str, str] = {}
        while not self._ended.is_set():
            self._again(lambda: self._look_at_sales(newest))
            self._again(self._fund)
            while self._agenda and self._agenda[0].at <= self._clock.now() and not self._ended.is_set():
                due = heapq.heappop(self._agenda)
                path = f"/api/v1/sales/{due.deed.sale}/{'disputes' if due.deed.kind == 'dispute' else due.deed.kind}"
                self._again(lambda path=path, due=due: self._do(path, due))  # type: ignore[misc]
            self._ended.wait(LOOK_SECONDS)

    def _do(self, path: str, due: _Due) -> None:
        answered = self._api.call("POST", path, self._key(due.buyer), due.deed.body)
        if answered.status not in (200, 201, 409):  # 409: it went back, was done before, or is above the cap
            log.info("%s of %s was answered %s: %s", due.deed.kind, due.buyer, answered.status, answered.body)

    def _look_at_sales(self, newest: dict[str, str]) -> None:
        since = self._clock.now() - LOOK_BACK
        unknown, self._unknown = self._unknown, []
        for buyer, sale in unknown:
            if self._labels.find(sale["lead"]["id"]) is not None:
                self._plan(buyer, sale)
        for one in playing(self._cast):
            first, buyer = "", one.name
            for sale in self._api.pages("/api/v1/sales", self._key(buyer)):
                if sale["id"] == newest.get(buyer) or from_rfc3339(sale["sold_at"]) < since:
                    break
                first = first or sale["id"]
                self._plan(buyer, sale)
            newest[buyer] = first or newest.get(buyer, "")

    def _plan(self, buyer: str, sale: dict[str, Any]) -> None:
        known, placed = self._labels.find(sale["lead"]["id"]), self._state.orders.get(sale["order"])
        self._leads[sale["id"]] = sale["lead"]["id"]
        if known is None or placed is None:
            self._unknown.append((buyer, sale))  # somebody else's, or its publisher has not read the answer yet
            return
        sold = Sold(sale["id"], sale["lead"]["id"], placed.vertical, sale["lead"]["temperature"],
                    round(Decimal(sale["price"]["amount"]) * 100), from_rfc3339(sale["sold_at"]))  # fmt: skip
        rules = self._cast.rules(placed.vertical)
        for deed in deeds_of(self._cast.buyer(buyer), sold, known, self._cast.market, rules, self._cast.bad_bp):
            if deed.at >= self._began_at:
                heapq.heappush(self._agenda, _Due(deed.at, time.monotonic_ns(), buyer, deed))

    def _fund(self) -> None:
        """Refill the wallets once a day, as the operator books what came in at the bank."""
        today = self._cast.day_of(self._clock.now())
        if today == self._funded_on:
            return
        for buyer in playing(self._cast):
            wallet = self._api.call("GET", "/api/v1/wallet", self._key(buyer.name)).body
            available, due = (Decimal(one["amount"]) for one in (wallet["available"], wallet["credit"]["due"]))
            amount = refill(buyer, available, due, self._state.scale)
            if amount and self._funded_on is not None:
                self._credit(self._state.members[buyer.name].account_id, str(amount))
        self._funded_on = today

    # -- the operator and the buyers' servers --------------------------------------------------------------------------

    def _operate(self) -> None:
        while not self._ended.wait(LOOK_SECONDS):
            self._again(self._decide)

    def _decide(self) -> None:
        key, now = self._key(OPERATOR), self._clock.now()
        for dispute in list(self._api.pages("/api/v1/disputes?state=open", key)):
            known = self._labels.find(self._leads.get(dispute["sale"], "")) or Known(dispute["id"], "good")
            at, said = decision_of(known, from_rfc3339(dispute["opened_at"]), self._cast.seed)
            if at <= now:
                self._api.call("POST", f"/api/v1/disputes/{dispute['id']}/resolve", key, said)

    def _reply(self, order: str, message: str) -> Reply | None:
        placed = self._state.orders.get(order)
        if placed is None:
            return None
        clock = self._clock.now().astimezone(LOCAL).strftime("%H:%M")
        return reply_of(self._cast.buyer(placed.buyer).behaviour, message, clock, self._cast.seed)

    def _direct_deliveries(self) -> None:
        """Have what is bought by webhook delivered to this process; its port is another at each start."""
        for order, placed in self._delivered():
            for mode in ("sync", "async") if placed.delivery == "sync" else ("async",):
                delivery = {"kind": "webhook", "url": self._endpoints.url_of(order), "mode": mode}
                path, key = f"/api/v1/orders/{order}", self._key(placed.buyer)
                if self._api.call("PATCH", path, key, {"delivery": delivery}).status == 200:
                    break  # an exchange that does not offer sync yet refuses it

    def _delivered(self) -> Iterator[tuple[str, Any]]:
        return ((order, each) for order, each in self._state.orders.items() if each.delivery in SERVERS)
