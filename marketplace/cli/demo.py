"""The demonstration: the whole exchange, served, with the sample market living in it."""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import click
import msgspec

from core.anchor import resume_clock, stop_clock
from core.clock import BusinessClock
from core.config import Settings
from core.db import migrate, pool_of, transaction
from core.errors import Conflict, NotAllowed
from core.identity import accounts_of_kind
from core.postgres import discard_embedded, open_database
from core.supervisor import refuse_busy_port
from marketplace.app import create_app
from marketplace.catalog.shelf import ship_verticals
from marketplace.cli.accounts import credit_by_hand
from marketplace.cli.running import print_json, running_app
from marketplace.cli.serving import Beside, serve_everything
from marketplace.cli.settings import read_settings
from marketplace.cli.supervised import tie_to_supervisor
from marketplace.demo.calls import Api
from marketplace.demo.cast import Cast
from marketplace.demo.market import sample_market
from marketplace.demo.opening import Wanted, fill_in, next_opening
from marketplace.demo.report import lines_of, report
from marketplace.demo.set_clock import SetClock
from marketplace.demo.settling import LOGINS
from marketplace.demo.simulator import Simulator
from marketplace.demo.stand_in import discard_stand_in, stand_in_beside
from marketplace.demo.state import DemoState, discard, last_instant, locked, state_in, write_clock, write_state

PASSWORD = "leadbourse-demo"  # a demonstration's, printed on purpose
SIMULATOR = "demo-simulator"
UNSEEN_SECONDS = 10  # what may have happened after the last note of the time, in real time
SHOWN = ("Hogeschool Zuid",)  # beside who can sign in


@click.command()
@click.option("--days", type=click.IntRange(0, 60), help="How many days are filled in at the first start.")
@click.option("--scale", type=click.FloatRange(0.01, 1), help="Which share of the market's size; 1 without.")
@click.option("--rate", type=click.FloatRange(1, 1000), help="How many times as fast business time runs; 24 without.")
@click.option("--report", "as_report", is_flag=True, help="Compare the market with its table and end.")
@click.option("--json", "as_json", is_flag=True, help="With --report: print one JSON document.")
def demo(days: int | None, scale: float | None, rate: float | None, as_report: bool, as_json: bool) -> None:
    """Serve the exchange with a living sample market; goes on until Ctrl-C."""
    os.environ["LEADBOURSE_ALLOW_PRIVATE_TARGETS"] = "1"  # the sample buyers' servers are on this machine
    os.environ.setdefault("LEADBOURSE_SHOW_DESIGN", "1")
    settings = read_settings()
    if settings.database_url is not None:
        raise NotAllowed("demo_needs_own_database", "The demonstration speeds business time up and books invented "
                         "money: it runs only with the embedded database; leave DATABASE_URL unset.")  # fmt: skip
    if as_report:
        _show_report(settings, as_json)
        return
    size = sample_market().size
    with locked(settings.data_folder):
        refuse_busy_port(settings.host, settings.port)  # before a minute is spent on filling in
        state = _filled(settings, size.backfill_days if days is None else days, 1.0 if scale is None else scale)
        sys.exit(_serve(settings, state, rate or size.clock_rate))


def _serve(settings: Settings, state: DemoState, rate: float) -> int:
    """Serve with the simulator beside; business time stands still while nothing runs."""
    clock = _resumed(settings, state, rate)
    _say_who_is_there(settings, state)
    anchor = (clock.real_at.isoformat(), clock.business_at.isoformat(), str(rate))

    def note_time() -> None:
        write_clock(settings.data_folder, clock.now(), rate)

    def stop_time(url: str) -> None:
        note_time()
        stop_clock(url, clock.now())

    return serve_everything(settings, Beside({"simulator": [SIMULATOR, *anchor]}, note_time, stop_time, 6))


@click.command(SIMULATOR, hidden=True)
@click.argument("real_at")
@click.argument("business_at")
@click.argument("rate", type=float)
def simulator(real_at: str, business_at: str, rate: float) -> None:
    """Play the people of the sample market against the exchange that is served."""
    tie_to_supervisor()
    settings = read_settings()
    state = state_in(settings.data_folder)
    assert state is not None
    clock = BusinessClock(datetime.fromisoformat(real_at), datetime.fromisoformat(business_at), rate)
    cast = Cast(date.fromisoformat(state.first_day), state.scale, state.seed)
    played = Simulator(cast, state, Api(settings.host, settings.port), clock, settings.data_folder, _credit)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: played.end())
    played.run()


def _credit(account_id: str, amount: str) -> None:
    with running_app(read_settings()):
        credit_by_hand(account_id, amount, "EUR", "demonstration funds")


def _filled(settings: Settings, days: int, scale: float) -> DemoState:
    """Return the market of this data folder, made and filled in at the first start."""
    state = state_in(settings.data_folder)
    if state is not None and state.filled:
        return state
    if state is not None:
        click.echo(
            "The demonstration in this data folder was cut short while it was filled in; beginning anew.", err=True
        )
        discard_embedded(settings)
        discard_stand_in(settings)
        discard(settings.data_folder)
    wanted = Wanted(days, scale, sample_market().size.seed, next_opening(datetime.now(UTC)))
    clock = SetClock(wanted.opens_at)
    with _filling(settings, clock):
        _refuse_others()
        with transaction():
            ship_verticals(datetime.now(UTC))
        with _progress(wanted) as progress:
            state = fill_in(wanted, settings.data_folder, clock, PASSWORD, progress)
    state = msgspec.structs.replace(state, filled=True)
    write_clock(settings.data_folder, state.opened_at, 1)
    write_state(settings.data_folder, state)
    return state


@contextmanager
def _filling(settings: Settings, clock: SetClock) -> Iterator[None]:
    """Enter an application by the market's clock; what is lost with the machine is filled in anew, so nothing waits."""
    with stand_in_beside(settings) as (paying, wait_for_it), open_database(paying) as database:
        quick = f"{database.url}{'&' if '?' in database.url else '?'}options=-csynchronous_commit%3Doff"
        with _connected(paying, quick, clock):
            migrate()
            wait_for_it()  # which began meanwhile
            yield


@contextmanager
def _connected(settings: Settings, url: str, clock: SetClock | None = None) -> Iterator[None]:
    app = create_app(settings, url, clock)
    try:
        with app.app_context():
            yield
    finally:
        pool_of(app).close()


@contextmanager
def _progress(wanted: Wanted) -> Iterator[Callable[[datetime, int], None]]:
    """Show how much of the market's own time is filled in, with the date that is reached and the leads so far."""
    began, leads = datetime.combine(wanted.first_day, time(), UTC), 0
    length = int((wanted.opens_at - began).total_seconds())
    with click.progressbar(
        length=length, label=f"Filling in {wanted.days} days", file=sys.stderr, item_show_func=lambda item: item
    ) as bar:

        def show(at: datetime, more: int) -> None:
            nonlocal leads
            leads += more
            bar.update(int((at - began).total_seconds()) - bar.pos, f"{at:%-d %b}, {leads} leads")

        yield show


def _refuse_others() -> None:
    with transaction():
        if any(accounts_of_kind(kind) for kind in ("publisher", "buyer", "operator")):
            raise Conflict("not_the_demos", "This data folder holds an exchange that the demonstration did not make. "
                           "Name another folder in LEADBOURSE_DATA.")  # fmt: skip


def _resumed(settings: Settings, state: DemoState, rate: float) -> BusinessClock:
    """Let business time go on from where it stood when the demonstration was seen last."""
    stood = last_instant(settings.data_folder)
    at = (
        state.opened_at
        if stood is None or stood <= state.opened_at
        else stood + timedelta(seconds=UNSEEN_SECONDS * rate)
    )
    with running_app(settings), transaction():
        clock = resume_clock(at, rate)
    write_clock(settings.data_folder, clock.now(), rate)
    return clock


def _say_who_is_there(settings: Settings, state: DemoState) -> None:
    address = f"http://{settings.host}:{settings.port}"
    click.echo(
        f"Leadbourse is starting at {address}; Ctrl-C ends it. Sign in at {address}/login with the password "
        f"{PASSWORD}; the API keys are for programs:\n"
    )
    for name in (*LOGINS, *SHOWN):
        member = state.members[name]
        login = member.email if name in LOGINS else ""
        click.echo(f"  {member.kind:9} {name:16} {login:22} {member.api_key}")
    click.echo(
        f"\nThe publisher may act for all {_count(state, 'publisher')} publishers, the buyer for all "
        f"{_count(state, 'buyer')} buyers. Their keys: {settings.data_folder / 'demo' / 'state.json'}"
        "\nLook first at the publisher's leads, each with why it sold or not, and at the operator's disputes."
        "\nWhat the market should show, and does: ./run demo --report\n"
    )


def _count(state: DemoState, kind: str) -> int:
    return sum(member.kind == kind for member in state.members.values())


def _show_report(settings: Settings, as_json: bool) -> None:
    state = state_in(settings.data_folder)
    if state is None or not state.filled:
        raise Conflict(
            "no_demo", "There is no filled-in demonstration in this data folder; start `leadbourse demo` first."
        )
    with running_app(replace(settings)):
        figures = report(state)
    if as_json:
        print_json(figures)
    for line in () if as_json else lines_of(figures):
        click.echo(line)
