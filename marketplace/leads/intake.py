"""The intake: a lead goes from the bytes of a request to one call of the sale function, and comes back as an answer.

This is the hot path: no ORM, one round trip, and everything pure is decided before it.
"""

import hashlib
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
import psycopg

from core.clock import Clock
from core.crypto import Vault
from core.db import Pool, lend
from core.errors import Fault, Invalid, NotSignedIn, Unavailable
from core.idempotency import IN_PROGRESS, in_progress, reused
from core.ids import new_id
from core.prepared import PreparedStatement
from core.schemas import decode
from marketplace.catalog.places import Point
from marketplace.catalog.regions import country_of
from marketplace.leads.auction import BEST_PRICE, SHARED, SHARED_ONLY, TOTAL_VALUE, Candidate, Rules, is_settled
from marketplace.leads.books import Books, LiveVertical
from marketplace.leads.facts import facts_of
from marketplace.leads.matching import Listed, Shortlist
from marketplace.leads.narrowing import most_of, narrowed
from marketplace.leads.offers import offer_of, rules_of
from marketplace.leads.persons import Identified, IdentityKind, key_of_hash, person_keys
from marketplace.leads.plain import is_plain, plain_values
from marketplace.leads.submission import Contact, Submission
from marketplace.leads.suppression.keeping_away import kept_away
from marketplace.leads.together import Together
from marketplace.leads.validation import Judged, judge

ALONE = 1  # the best candidate, which most leads are sold to; more when it shares, or lately did not buy
FIRST_BATCH = 4
NEXT_BATCH = 512
FIRST_TURNS = 32  # offered by a rule other than the price; of those who want the lead, the first by turn
EVERYBODY = 10**9
PASSED_OVER_SECONDS = 1.0  # how long a candidate that did not buy when it was offered alone is not so offered
MOST_TRIES = 100  # a book or a clock that moves on between every two of our tries
CATCH_UP_SECONDS = 0.01  # for a clock of ours that lags behind the order's counters

_ROWS = (
    "SELECT marketplace.post_lead("
    "ROW({},{},{},{},'unsold',{},{},{},{},{},{},{},{},{},{},{},'{{}}')::marketplace.leads,"
    "ROW({},{},{},{},{},{},{},{},{},{},{},{},{},{},{})::marketplace.offer,"
    "ROW({},{},{},{},{},{},{},{},{},{},{},{})::marketplace.rules,"
    "ROW({},{},{},{},{},{},{},{},{})::marketplace.sender)"
)
VALUES = 51
POST_LEAD = PreparedStatement("post_lead", _ROWS.format(*(f"${number}" for number in range(1, VALUES + 1))))


@dataclass(frozen=True, slots=True)
class Sender:
    """Who sends a lead, and the key under which the answer is kept, if any.

    An operator's import and a source in another dialect have no API key; `by` is then who did it. Who `awaits` asks the
    buyers who want to answer at once himself (`delivery.awaited`); the courier does it for others.
    """

    account_id: UUID
    key_id: UUID | None
    route: str = ""
    idempotency_key: str | None = None
    by: str = "import"
    awaits: bool = False

    @property
    def name(self) -> str:
        """Return how events name the sender."""
        return f"key:{self.key_id}" if self.key_id else self.by


class _Offer(NamedTuple):
    """Whom a lead is offered to, whether nobody is left, and, where turns decide among many, the bound."""

    orders: list[Listed]
    is_last: bool
    bound: str | None = None

    def after(self, earlier: "_Offer") -> "_Offer":
        """Return this offer with those before it, who were offered more than these."""
        return _Offer(earlier.orders + self.orders, self.is_last, self.bound)


@dataclass(frozen=True, slots=True)
class Received:
    """What the sale function said; `replayed` when it was said before under the same Idempotency-Key."""

    result: dict[str, Any]
    replayed: bool = False


class Sealed(msgspec.Struct, frozen=True):
    """What is kept encrypted: the contact as it was judged, and the person's own words, which may repeat it."""

    contact: Contact
    comments: str | None


class Prepared(msgspec.Struct, frozen=True):
    """A lead ready for the sale function: what the book found, and the values of its row."""

    live: LiveVertical
    shortlist: Shortlist
    judged: Judged
    row: tuple[Any, ...]
    keys: tuple[bytes, ...]
    answer: bytes
    most_buyers: int | None  # of the source's own rule
    least_minor: int
    deals: list[Listed]


class Intake:
    """Takes leads for one application: holds what every lead needs and nothing of any lead."""

    def __init__(
        self, pool: Pool, clock: Clock, vault: Vault, pepper: bytes, refuse_test_contacts: bool, lease: timedelta
    ) -> None:
        self._pool = pool
        self.books = Books(pool)
        self._together = Together(pool)
        self.clock = clock
        self._vault = vault
        self._pepper = pepper
        self._refuse_test_contacts = refuse_test_contacts
        self._full: dict[UUID, float] = {}  # orders that did not buy when they were offered alone, until when
        self.lease = lease

    def post(self, raw: bytes, sender: Sender) -> Received:
        """Take one lead: sold, unsold or rejected with reasons, stored with all of its effects before this returns.

        Malformed or Invalid when it is no lead at all (nothing is stored), NotSignedIn when the key was revoked,
        Conflict and Invalid as the Idempotency-Key demands, Unavailable when the database is away.
        """
        fingerprint = hashlib.sha256(raw).digest() if sender.idempotency_key else None
        return self.take(decode(raw, Submission), sender, fingerprint)

    def take(self, submission: Submission, sender: Sender, fingerprint: bytes | None = None) -> Received:
        """Take a lead that is read already; otherwise as `post`."""
        lead_id, batch = new_id(), ALONE
        for _ in range(MOST_TRIES):
            prepared = self.prepare(submission, sender, lead_id)
            offer = self._offer(prepared, batch)
            is_sole = batch == ALONE and offer.bound is None and is_plain(prepared, sender, offer.orders)
            if is_sole and not self._is_full(offer.orders[0]):
                result = self._sell_plain(prepared, sender, offer.orders[0])
                if result is not None:
                    return self.received(result)
                batch = FIRST_BATCH
                if not offer.is_last:
                    offer = self._offer(prepared, FIRST_BATCH - ALONE).after(offer)
            result = self._post(self._general(prepared, sender, fingerprint, offer, in_batch=False))
            outcome = result["outcome"]
            if outcome == "more":
                self._pass_over(prepared)
                if batch == ALONE and offer.bound is None and len(offer.orders) >= FIRST_BATCH:
                    batch = FIRST_BATCH  # as many as that did not decide
                batch = {ALONE: FIRST_BATCH, FIRST_BATCH: NEXT_BATCH}.get(batch, batch * 8)
            elif outcome == "stale":
                self.books.reload(submission.vertical, prepared.live)
            elif outcome == "behind":
                time.sleep(CATCH_UP_SECONDS)
            else:
                return self.received(result)
        raise Unavailable("too_busy", "The book moves faster than the lead could be offered. Nothing was stored.")

    def prepare(self, submission: Submission, sender: Sender, lead_id: UUID) -> Prepared:
        """Judge a lead and find the orders that want it; Invalid when it is no lead at all."""
        live = self.books.find(submission.vertical)
        if live is None:
            fault = Fault("vertical", "unknown_vertical", "Choose a vertical that GET /api/v1/verticals lists.")
            raise Invalid("invalid_lead", "This is not a lead yet.", [fault])
        at, rule = self.clock.now(), None
        if live.source_rules:
            rule = live.source_rules.get((sender.account_id, submission.source.name))
        if rule is not None:
            submission = narrowed(submission, rule, live.vertical.currency)
        judged = judge(submission, live.vertical, at, self._refuse_test_contacts)
        if live.paused_sources and (sender.account_id, submission.source.name) in live.paused_sources:
            judged = msgspec.structs.replace(judged, reasons=(*judged.reasons, "source_paused"))
        least_minor = live.vertical.least_minor(judged.regions, judged.contact_class)
        contact, place = judged.contact, None
        if live.book.asks_places:
            place = live.place_of(country_of(submission.region), contact.postal_code, contact.city)
        keys = person_keys(self._pepper, judged)
        facts = facts_of(judged, sender.account_id, at, place, least_minor)
        if live.suppressing and not judged.reasons and not submission.test:
            known = kept_away(self._pool, lead_id, keys, live.suppressing, at)
            facts = msgspec.structs.replace(facts, suppressed=known)
        shortlist, deals = live.book.candidates(facts, at), live.book.deals(facts, at)
        most_buyers = most_of(rule, submission)
        row = self._row(judged, live.id, sender, lead_id, at, most_buyers, place)
        answer = _answer_base(judged, lead_id, live.vertical.currency)
        return Prepared(live, shortlist, judged, row, keys, answer, most_buyers, least_minor, deals)

    def _row(self, judged: Judged, vertical_id: int, sender: Sender, lead_id: UUID, at: datetime,
        most_buyers: int | None, place: Point | None,
    ) -> tuple[Any, ...]:  # fmt: skip
        submission = judged.submission
        contact = self._vault.seal(msgspec.json.encode(Sealed(judged.contact, submission.comments)), lead_id)
        return (
            lead_id, sender.account_id, vertical_id, submission.region, list(judged.reasons), judged.contact_class,
            judged.temperature, judged.score, submission.test, submission.external_id, submission.source.name, at,
            details_of(submission, most_buyers, place), contact, self._vault.generation,
        )  # fmt: skip

    def _sell_plain(self, prepared: Prepared, sender: Sender, best: Listed) -> dict[str, Any] | None:
        """Sell a plain lead to the best; None when the general way has to decide."""
        said = self._together.sell(plain_values(prepared, sender, best))
        if said == b"":
            self._full[best.order_id] = time.monotonic() + PASSED_OVER_SECONDS
        return _read(said) if said else None

    def _post(self, values: tuple[Any, ...]) -> dict[str, Any]:
        try:
            with lend(self._pool) as connection:
                said = POST_LEAD.value(connection, values)
        except psycopg.Error as error:
            if error.sqlstate == IN_PROGRESS:
                raise in_progress() from error
            raise
        assert said is not None
        return _read(said)

    def arguments(
        self, prepared: Prepared, sender: Sender, fingerprint: bytes | None, batch: int, *, in_batch: bool
    ) -> tuple[Any, ...]:
        """Return the values for the general statement, offering the best `batch` candidates and ties."""
        return self._general(prepared, sender, fingerprint, self._offer(prepared, batch), in_batch=in_batch)

    def _general(
        self, prepared: Prepared, sender: Sender, fingerprint: bytes | None, offer: "_Offer", *, in_batch: bool
    ) -> tuple[Any, ...]:
        deals = [] if prepared.judged.reasons else prepared.deals
        least = prepared.judged.min_price.minor if prepared.judged.min_price else 0
        lease = self.lease if sender.awaits else None
        return (
            *prepared.row,
            *offer_of(deals + offer.orders, offer.is_last, prepared.live, prepared.row[11], lease, len(deals),
                      offer.bound),
            *rules_of(prepared.live, prepared.keys, least, prepared.least_minor, prepared.most_buyers),
            sender.key_id, sender.account_id, sender.name, datetime.now(UTC), sender.route, sender.idempotency_key,
            fingerprint, prepared.answer.decode(), in_batch,
        )  # fmt: skip

    def _offer(self, prepared: Prepared, batch: int) -> "_Offer":
        """Return whom to offer a lead to: nobody when it is rejected."""
        if prepared.judged.reasons:
            return _Offer([], is_last=True)
        if prepared.live.vertical.distribution.rule == BEST_PRICE:
            return _Offer(*self._offered_by_price(prepared, batch))
        shortlist = prepared.shortlist
        offered, bound = prepared.live.turns.first(shortlist.batch(EVERYBODY)[0], _most_turns(batch))
        shortlist.offered = offered
        return _Offer(offered, bound is None, bound)

    def _offered_by_price(self, prepared: Prepared, batch: int) -> tuple[list[Listed], bool]:
        """Return whom to offer a lead to, and whether nobody is left.

        That is the best alone as long as it buys, else as many as decide who buys if all of them can; where prices fall
        with volume, it is everybody: only the database knows how they rank.
        """
        shortlist = prepared.shortlist
        has_ladders = prepared.live.book.has_ladders
        offered, is_last = shortlist.batch(EVERYBODY if has_ladders and batch != ALONE else batch)
        if batch == ALONE and not is_last and not self._is_enough(prepared.live, offered[0]):
            if has_ladders:
                found, is_last = shortlist.batch(EVERYBODY)
                return offered + found, is_last
            more = FIRST_BATCH - ALONE
            while not is_last and (more < FIRST_BATCH or not _decide(offered, prepared.live)):
                found, is_last = shortlist.batch(more)
                offered, more = offered + found, max(FIRST_BATCH, 2 * more)
                if len(offered) >= NEXT_BATCH:
                    break
        return offered, is_last

    def _is_enough(self, live: LiveVertical, best: Listed) -> bool:
        """Tell whether an order that ranks first surely buys alone: no set of others can be worth more."""
        way, price = live.vertical.distribution.way, best.price_minor
        return (
            best.terms.max_share == 1
            and best.terms.ladder is None
            and not self._is_full(best)
            and way not in (SHARED, SHARED_ONLY)
            and (way != TOTAL_VALUE or price >= live.together)
        )

    def _is_full(self, best: Listed) -> bool:
        """Tell whether an order did not buy when it was offered alone just now."""
        until = self._full.get(best.order_id) if self._full else None
        if until is not None and until <= time.monotonic():
            self._full.pop(best.order_id, None)  # another thread may have been here before
            return False
        return until is not None

    def _pass_over(self, prepared: Prepared) -> None:
        """Remember what a lead met that those who were offered did not decide."""
        if prepared.live.vertical.distribution.rule != BEST_PRICE:
            self.books.learn_turns(prepared.live, prepared.shortlist.offered)
        elif prepared.shortlist.best is not None:
            self._full[prepared.shortlist.best.order_id] = time.monotonic() + PASSED_OVER_SECONDS

    def keys_of(self, person: Identified) -> tuple[bytes, ...]:
        """Return the keys by which a person is recognised again."""
        return person_keys(self._pepper, person)

    def key_of_hash(self, kind: IdentityKind, digest: bytes) -> bytes:
        """Return the key of an identity of which somebody sent the SHA-256."""
        return key_of_hash(self._pepper, kind, digest)

    @staticmethod
    def received(result: dict[str, Any]) -> Received:
        """Read what the sale function said in the end."""
        if result["outcome"] == "no_key":
            raise NotSignedIn("unknown_key", "This API key is unknown or revoked.")
        if result["outcome"] == "reused":
            raise reused()
        if result["outcome"] == "replayed":
            return Received(result, replayed=True)
        return Received(result)


def _read(said: bytes) -> dict[str, Any]:
    result: dict[str, Any] = msgspec.json.decode(said)
    return result


def _most_turns(batch: int) -> int:
    """Return how many are offered by turn, the first time and whenever those before did not decide."""
    return FIRST_TURNS * {ALONE: 1, FIRST_BATCH: 8, NEXT_BATCH: 64}.get(batch, EVERYBODY)


def _decide(offered: list[Listed], live: LiveVertical) -> bool:
    """Tell whether these decide who buys, if all of them can."""
    rules = Rules(BEST_PRICE, live.vertical.distribution.way, live.most_buyers)
    able = [Candidate(one.order_id, one.buyer_id, one.price_minor, one.terms.max_share) for one in offered]
    return is_settled(able, rules, able[-1].price_minor, live.together)


class _Details(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is kept of a submission in the clear: everything but what is sealed or has a column of its own."""

    attributes: Any
    interest: Any
    channel: Any
    source: Any
    consent: Any
    exclusive_only: Any
    min_price: Any
    ping_id: Any
    most_buyers: int | None = None
    place: Any = None


def details_of(submission: Submission, most_buyers: int | None = None, place: Point | None = None) -> str:
    """Return the JSON kept beside the sealed contact, with the place by which orders judged it."""
    s = submission
    details = _Details(s.attributes, s.interest, s.channel, s.source, s.consent, s.exclusive_only,
                       s.min_price, s.ping_id, most_buyers, place)  # fmt: skip
    return msgspec.json.encode(details).decode()


def _answer_base(judged: Judged, lead_id: UUID, currency: str) -> bytes:
    """Return the JSON object of the answer without its end: the sale function adds what it decides."""
    base = {"id": str(lead_id), "contact_class": judged.contact_class, "temperature": judged.temperature,
            "score": judged.score, "currency": currency, "test": judged.submission.test}  # fmt: skip
    return msgspec.json.encode(base)[:-1]
