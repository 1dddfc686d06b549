"""The one way to the database: one pool of driver connections, one session on top of it, one `transaction()`."""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import psycopg
from flask import Flask, current_app
from flask_migrate import Migrate, upgrade
from flask_sqlalchemy import SQLAlchemy
from flask_sqlalchemy.session import Session
from psycopg_pool import ConnectionPool, PoolTimeout
from sqlalchemy import NullPool, event
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.orm import DeclarativeBase, scoped_session

from core.errors import Unavailable

log = logging.getLogger(__name__)
_MIGRATIONS = Path(__file__).resolve().parent.parent / "migrations"
_in_transaction: ContextVar[bool] = ContextVar("in_transaction", default=False)


class _Base(DeclarativeBase):
    pass


class _Connection(psycopg.Connection[Any]):
    """A connection that sessions are built on many times: each brings its handler of notices, which is kept once."""

    def add_notice_handler(self, callback: Callable[[psycopg.errors.Diagnostic], None]) -> None:
        """Call this with every notice of the server, once."""
        with suppress(ValueError):
            self.remove_notice_handler(callback)
        super().add_notice_handler(callback)


class Pool(ConnectionPool[psycopg.Connection[Any]]):
    """A pool that has a few of its connections at hand, in autocommit, and lends the one that came back last.

    The pool itself lends in turn, so that all its connections stay in use; each is a process of the server that must
    fetch its memory into the caches again. Those at hand are few, and warm.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Set the pool up as its base does."""
        self._at_hand: list[psycopg.Connection[Any]] = []
        self._lent = self._drains = 0
        super().__init__(*args, **kwargs)

    def getconn(self, timeout: float | None = None) -> psycopg.Connection[Any]:
        """Lend a connection, one at hand if there is any; `putconn` is to get it. PoolTimeout when none comes back."""
        try:
            return self._at_hand.pop()
        except IndexError:
            return self._wait_for_one(self.timeout if timeout is None else timeout)

    def _wait_for_one(self, seconds: float) -> psycopg.Connection[Any]:
        until = time.monotonic() + seconds
        while True:
            left = until - time.monotonic()
            try:
                return super().getconn(min(max(left, 0), _LOOK_AGAIN_SECONDS))
            except PoolTimeout:
                if left <= _LOOK_AGAIN_SECONDS:
                    raise
            with suppress(IndexError):  # one may have come to hand just before we began to wait
                return self._at_hand.pop()

    def take(self) -> psycopg.Connection[Any]:
        """Lend a connection in autocommit; `give_back` is to get it."""
        connection = self.getconn()
        if not connection.autocommit:  # the session had it last
            connection.autocommit = True
        connection.__dict__["lent_after_drains"] = self._drains
        return connection

    def give_back(self, connection: psycopg.Connection[Any]) -> None:
        """Have a connection at hand again that `take` lent.

        The pool gets it when somebody waits for one, when it is not fit, too old or not needed, and now and then, to
        replace it if it has served its time.
        """
        self._lent += 1
        is_fit = connection.pgconn.transaction_status == _IDLE and self._lent % _LOOK_AFTER
        is_new = connection.__dict__["lent_after_drains"] == self._drains and not self.closed
        if is_fit and is_new and not self._waiting and len(self._at_hand) < AT_HAND:
            self._at_hand.append(connection)
        else:
            self.putconn(connection)

    def let_go(self) -> None:
        """Have no connection at hand any more."""
        with suppress(IndexError):
            while True:
                self.putconn(self._at_hand.pop())

    def drain(self) -> None:
        """Replace every connection, those at hand too, as each comes back."""
        self._drains += 1
        self.let_go()
        super().drain()

    def close(self, timeout: float = 5.0) -> None:
        """Close the pool with what is at hand."""
        super().close(timeout)
        self.let_go()


AT_HAND = 4
_LOOK_AFTER = 10_000
_LOOK_AGAIN_SECONDS = 0.25
_IDLE = psycopg.pq.TransactionStatus.IDLE
db = SQLAlchemy(model_class=_Base, disable_autonaming=True)

if TYPE_CHECKING:

    class Model(_Base):
        """What every mapped row inherits."""

        __abstract__ = True
else:
    Model = db.Model


class Application(Protocol):
    """What work outside a request runs in: the Flask application, of which it needs only this."""

    extensions: dict[str, Any]

    def app_context(self) -> AbstractContextManager[Any]:
        """Give a context in which `db.session` works."""
        ...


# A connection that breaks while a transaction commits leaves open whether it did; only the key makes a retry safe.
_AWAY = "The database is away for the moment. Try again; with an Idempotency-Key nothing is done twice."
# A server that vanishes without a word (power, network) is noticed after half a minute, not after hours.
_NOTICE_SILENCE = {"keepalives_idle": 15, "keepalives_interval": 5, "keepalives_count": 3, "tcp_user_timeout": 30_000}
LOST_DATABASE = (OperationalError, psycopg.OperationalError, PoolTimeout, psycopg.InterfaceError)


def connect_app(app: Flask, url: str, pool_size: int) -> None:
    """Give the application its pool, session and migrations; connects lazily, so the database may be away."""
    pool = Pool(
        url,
        min_size=1,
        max_size=pool_size,
        open=True,
        connection_class=_Connection,
        close_returns=True,
        timeout=5,
        reconnect_timeout=2,
        kwargs={"prepare_threshold": 2, "application_name": "leadbourse", "autocommit": True, **_NOTICE_SILENCE},
    )
    app.extensions["leadbourse_pool"] = pool
    app.config["SQLALCHEMY_DATABASE_URI"] = "postgresql+psycopg://"
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = {
        "creator": lambda: _to_transactions(pool.getconn()),
        "poolclass": NullPool,
        "use_native_hstore": False,
    }
    db.init_app(app)
    app.teardown_appcontext(end_session)  # before the extension's own
    with app.app_context():
        event.listen(db.engine, "close", lambda connection, _: _give_up(pool, connection))
    Migrate(app, db, directory=str(_MIGRATIONS), compare_type=True)


def _give_up(pool: Pool, connection: psycopg.Connection[Any]) -> None:
    """Give a connection that died under a session back to the pool, which makes a new one in its place.

    Closing it does nothing, as it is closed already; so it would take up its place for ever.
    """
    if connection.closed:
        pool.putconn(connection)


def end_session(_: BaseException | None = None) -> None:
    """End the session of a request that is answered; what it read is no less true when the database is gone by now."""
    try:
        db.session.remove()
    except DBAPIError as lost:
        if not is_lost(lost):
            raise
        log.warning("a connection died before its session ended: %s", lost.orig)


def _to_transactions(connection: psycopg.Connection[Any]) -> psycopg.Connection[Any]:
    if connection.autocommit:
        connection.autocommit = False
    return connection


def pool_of(app: Application) -> Pool:
    """Return the application's connection pool."""
    pool: Pool = app.extensions["leadbourse_pool"]
    return pool


def present_pool() -> Pool:
    """Return the connection pool of the application whose context this is."""
    return pool_of(current_app)


def present_app() -> Application:
    """Return the application whose context this is, for threads that open a context of their own."""
    present: Application = current_app._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001  # its name
    return present


def migrate() -> None:
    """Bring the database up to the newest migration; several processes may call it at once."""
    upgrade(directory=str(_MIGRATIONS))


@contextmanager
def transaction() -> Iterator[scoped_session[Session]]:
    """Open the one transaction of an entry point: commits at the end, rolls back on any exception, never nests."""
    if _in_transaction.get():
        raise RuntimeError("transaction() does not nest: only an entry point opens one")
    token = _in_transaction.set(True)
    try:
        yield db.session
        db.session.commit()
    except BaseException:
        db.session.rollback()
        raise
    finally:
        db.session.close()
        _in_transaction.reset(token)


def driver_connection() -> AbstractContextManager[psycopg.Connection[Any]]:
    """Lend a connection of the present application's pool, as `lend` does."""
    return lend(present_pool())


@contextmanager
def lend(pool: Pool) -> Iterator[psycopg.Connection[Any]]:
    """Lend a pooled driver connection in autocommit.

    Unavailable when the database is away; connections that died with it are dropped, so the next call recovers.
    Who takes a connection sets its mode: a pool that resets what comes back does so in a thread of its own, for which
    the next taker waits.
    """
    try:
        connection = pool.take()
        try:
            yield connection
        finally:
            pool.give_back(connection)
    except LOST_DATABASE as lost:
        raise away(lost, pool) from lost


def away(lost: BaseException, pool: Pool) -> Unavailable:
    """Drop connections that died and return the refusal to raise while the database is away."""
    if not isinstance(lost, PoolTimeout):
        pool.let_go()
        pool.check()
    return Unavailable("database_away", _AWAY)


def is_lost(error: BaseException) -> bool:
    """Tell whether an error means that the database is away, rather than that it refused a statement."""
    if isinstance(error, DBAPIError):
        return error.connection_invalidated or isinstance(error.orig, LOST_DATABASE)
    return isinstance(error, LOST_DATABASE)
