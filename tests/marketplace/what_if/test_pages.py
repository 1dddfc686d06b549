"""The operator's page: a change is judged at once, a job runs it, and the page shows both courses."""

from datetime import timedelta
from typing import Any

import pytest

from core.db import db, transaction
from core.defaults import default
from core.errors import NotFound
from core.ids import new_id
from marketplace import jobs
from marketplace.jobs import DUE, run_what_if, settle_due
from marketplace.what_if import runs
from marketplace.what_if.runs import run_of, runs_lately
from tests.at_once import ask
from tests.conftest import SetClock
from tests.factories import Market
from tests.marketplace.test_portal_pages import visitor_of
from tests.visitor import words_of

PLACE = "/operator/what-if"


def test_an_operator_asks_and_a_job_answers(market: Market, clock: SetClock, database_url: str) -> None:
    order, publisher = market.make_order(market.make_buyer())["id"], market.make_publisher()
    for _ in range(2):
        clock.advance(hours=20)
        publisher.post("/leads", market.lead())
    reader = visitor_of(market, market.make_operator())
    said = {"since": "2026-11-22", "until": "2026-11-25", "change": f"orders: {{{order}: {{status: paused}}}}"}
    answer = reader.send(PLACE, **said)
    assert answer.status_code == 303, answer.text
    assert "A job runs these days again" in words_of(reader.open(answer.location))
    [[run]] = ask(database_url, "SELECT args ->> 'run' FROM public.procrastinate_jobs WHERE task_name = %s", runs.JOB)
    for _ in range(2):  # a job that is run twice keeps its first report
        run_what_if(run)
    page = words_of(reader.open(answer.location))
    assert "Turnover 40.00 0.00 -40.00" in page and "no_order 0 2 2" in page and "Leads sold by day" in page
    assert "status: paused" in page and "done" in words_of(reader.open(PLACE))


def test_what_is_wrong_is_said_at_the_form_and_nothing_is_asked(
    market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = visitor_of(market, market.make_operator())
    said = {"since": "2026-11-22", "until": "2026-11-23", "change": ""}
    for wrong, words in (
        ({"change": "colour: red"}, "colour: Remove it; known here"), ({"until": "2026-11-22"}, "Let the period end after it begins"),
        ({"until": "2027-11-22"}, "92 days at most"), ({"since": "soon"}, "Not a valid date value"), ({"change": "x" * 100_001}, "100000 letters"),
    ):  # fmt: skip
        answer = reader.send(PLACE, **said | wrong)
        assert answer.status_code == 200 and words in words_of(answer), (wrong, words_of(answer)[:2000])
    monkeypatch.setattr(runs, "MOST_WAITING", 1)
    assert reader.send(PLACE, **said).status_code == 303
    assert "1 runs wait already" in words_of(reader.send(PLACE, **said))
    db.session.rollback()
    assert len(runs_lately()) == 1
    with pytest.raises(NotFound):
        run_of(new_id())


def test_a_run_that_is_under_way_shows_how_far_it_is(market: Market, monkeypatch: pytest.MonkeyPatch) -> None:
    publisher, reader = market.make_publisher(), visitor_of(market, market.make_operator())
    for _ in range(3):
        publisher.post("/leads", market.lead())
    place = reader.send(PLACE, since="2026-11-22", until="2026-11-23", change="").location
    shown = []

    def noted(*said: Any) -> None:
        runs.note_progress(*said)
        shown.append(reader.open(place).text)

    monkeypatch.setattr(runs, "TOLD_EVERY", 2)
    monkeypatch.setattr(jobs, "note_progress", noted)
    db.session.rollback()
    run_what_if(str(_only_run()))
    [page] = shown
    assert '<progress max="3" value="2"' in page and "data-refresh" in page
    assert "data-refresh" not in reader.open(place).text


def test_runs_are_erased_after_their_days_whether_they_ended_or_not(market: Market, clock: SetClock) -> None:
    reader = visitor_of(market, market.make_operator())
    for _ in range(2):
        reader.send(PLACE, since="2026-11-22", until="2026-11-23", change="")
        clock.advance(hours=1)
    db.session.rollback()
    run_what_if(str(_only_run()))
    kept = timedelta(days=default("what_if.days"))
    for at, erased, left in ((kept - timedelta(hours=2, minutes=1), 0, 2), (kept - timedelta(hours=1, minutes=1), 1, 1),
                             (kept, 1, 0)):  # fmt: skip
        assert settle_due(clock.now() + at, {"runs": DUE["what_if_runs_erased"]}) == {"runs": erased}
        with transaction():
            assert len(runs_lately()) == left


def _only_run() -> Any:
    with transaction():
        return runs_lately()[-1].id


def test_the_run_of_a_job_can_write_nothing(market: Market, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    def looked(_run: object, _tell: object) -> dict[str, object]:
        seen.append(db.session.scalar(db.text("SHOW transaction_read_only")))
        return {"in_all": [], "verticals": [], "days": [], "decided": {}}

    monkeypatch.setattr(jobs, "report_for", looked)
    reader = visitor_of(market, market.make_operator())
    reader.send(PLACE, since="2026-11-22", until="2026-11-23", change="")
    db.session.rollback()
    with transaction():
        [run] = [row.id for row in runs_lately()]
    run_what_if(str(run))
    assert seen == ["on"]
