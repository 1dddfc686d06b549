"""Uploads: every row of a file is accepted, refused or not reached, and posted once whatever dies or runs twice."""

import csv
import io
from collections.abc import Iterator
from typing import Any
from unittest.mock import Mock
from uuid import UUID

import pytest

from core.clock import as_rfc3339
from core.db import db, transaction
from core.errors import Conflict, Invalid, NotFound
from core.ids import parse_id
from marketplace.catalog.shelf import get_vertical
from marketplace.jobs import run_due
from marketplace.leads.batch import post_many
from marketplace.leads.source_breaker import set_standing
from marketplace.leads.uploads import posting
from marketplace.leads.uploads.answers import Answers, Said
from marketplace.leads.uploads.models import Upload, UploadFile, UploadRow
from marketplace.leads.uploads.register import (
    Sent,
    add_upload,
    answers_of,
    cancel_upload,
    get_upload,
    open_upload,
    save_answers,
    start_upload,
    table_of_upload,
)
from tests.conftest import SetClock
from tests.factories import Market

HEADER = "E-mail,Prénom,Country,Agreed"
SAID = Answers(
    {
        "contact.email": Said("E-mail"), "contact.first_name": Said("Prénom"), "region": Said("Country"),
        "consent.text": Said(constant="Call me."), "consent.given_at": Said("Agreed"),
    },
    empty=("n/a",), country="FR",
)  # fmt: skip


class Desk:
    """Uploads of one publisher, as its pages and the worker treat them."""

    def __init__(self, market: Market) -> None:
        self.market, self.clock = market, market.clock
        self.publisher = market.make_publisher()
        self.id = parse_id("acc", self.publisher.id)

    def row(self, number: int, country: str = "France") -> str:
        """Write one good row of a person of this number."""
        return f"row{number}@example.com,Ada,{country},{as_rfc3339(self.clock.now())}"

    def add(self, data: bytes | str, source: str = "files", name: str = "leads.csv", **how: Any) -> Upload:
        """Upload a file."""
        raw = data.encode() if isinstance(data, str) else data
        with transaction():
            made = add_upload(self.id, Sent(name, raw, source, "education", **how), "user:1", self.clock.now()).id
        return self.found(made)

    def start(self, lines: list[str], answers: Answers = SAID, **how: Any) -> Upload:
        """Upload these rows, say what they mean, and begin."""
        upload = self.add("\n".join([HEADER, *lines]), **how)
        with transaction():
            save_answers(self.id, upload.id, answers, 0)
        with transaction():
            start_upload(self.id, upload.id, 1, "user:1", self.clock.now())
        return self.now(upload)

    def step(self, upload: Upload) -> Upload:
        """Do one step of the worker."""
        posting.post_chunks(upload.id, self.clock.now())
        return self.now(upload)

    def end(self, upload: Upload) -> Upload:
        """Do the worker's steps until the upload ends."""
        while (found := self.step(upload)).state == "running":
            pass
        assert found.accepted + found.refused == len(self.rows(found)) == found.file_rows - found.not_reached
        return found

    def now(self, upload: Upload) -> Upload:
        """Return the upload as it stands."""
        return self.found(upload.id)

    def found(self, upload_id: UUID) -> Upload:
        """Return an upload as it stands."""
        db.session.rollback()
        found = get_upload(self.id, upload_id)
        db.session.refresh(found)
        db.session.expunge(found)
        return found

    def rows(self, upload: Upload) -> list[tuple[int, str, str | None, str | None]]:
        """Return line, outcome, code and field of each row that is done."""
        query = db.select(UploadRow).where(UploadRow.upload_id == upload.id).order_by(UploadRow.line)
        return [(row.line, row.outcome, row.code, row.field) for row in db.session.scalars(query)]

    def leads(self) -> int:
        """Count the publisher's leads."""
        db.session.rollback()
        count = db.session.scalar(db.text("SELECT count(*) FROM marketplace.leads"))
        return int(count or 0)


@pytest.fixture
def desk(market: Market) -> Iterator[Desk]:
    """Make a publisher who uploads, and two buyers' worth of funds for four leads."""
    market.make_order(market.make_buyer("80.00"))
    yield Desk(market)
    db.session.rollback()


def steps_of(monkeypatch: pytest.MonkeyPatch, rows: int, chunks: int = 1) -> None:
    """Let a step do so many chunks of so many rows."""
    monkeypatch.setattr(posting, "CHUNK_ROWS", rows)
    monkeypatch.setattr(posting, "CHUNKS_A_STEP", chunks)


def jobs_waiting() -> int:
    """Count the steps of uploads that wait in the queue."""
    db.session.rollback()
    text = "SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'market.upload' AND status = 'todo'"
    return int(db.session.scalar(db.text(text)) or 0)


# -- what becomes of rows ----------------------------------------------------------------------------------------------


def test_every_row_is_accepted_or_refused_with_its_line_and_reason(desk: Desk) -> None:
    lines = [desk.row(1), desk.row(2, "fr"), desk.row(3, "n/a"), desk.row(4, "Atlantis"), "no columns", "",
             desk.row(1), f'"two\nlines",Ada,FR,{as_rfc3339(desk.clock.now())}', "x@example.com,\0,FR,"]  # fmt: skip

    upload = desk.end(desk.start(lines))

    assert (upload.state, upload.file_rows, upload.accepted, upload.sold, upload.refused) == ("done", 8, 3, 3, 5)
    assert desk.rows(upload) == [
        (2, "sold", None, None), (3, "sold", None, None), (4, "sold", None, None),
        (5, "refused", "unknown_region", "region"), (6, "refused", "wrong_columns", None),
        (8, "rejected", "duplicate", None), (9, "rejected", "invalid_email", None),
        (11, "refused", "nul_character", None),
    ]  # fmt: skip
    events = db.session.execute(
        db.text("SELECT move FROM marketplace.events WHERE subject_id = :id ORDER BY id"), {"id": upload.id}
    )
    assert [move for (move,) in events] == ["ready>running", "running>done"]
    assert desk.publisher.get("/refusals")["items"]


def test_no_row_keeps_what_the_file_said(desk: Desk) -> None:
    upload = desk.end(desk.start([desk.row(1, "secret@example.org")]))
    row = db.session.scalars(db.select(UploadRow).where(UploadRow.upload_id == upload.id)).one()
    assert "secret" not in str(row.message) and row.message


# -- once, whatever happens --------------------------------------------------------------------------------------------


def test_a_chunk_whose_worker_was_killed_before_recording_is_posted_once(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps_of(monkeypatch, 3)
    upload = desk.start([desk.row(number) for number in range(8)])
    record = posting._record

    def die(*_: object) -> None:
        raise SystemExit

    for _ in range(2):
        monkeypatch.setattr(posting, "_record", die)
        with pytest.raises(SystemExit):
            desk.step(upload)
        assert desk.now(upload).accepted == 0 and desk.leads() == 3
    monkeypatch.setattr(posting, "_record", record)

    assert desk.end(upload).accepted == 8 and desk.leads() == 8
    leads = db.session.scalars(db.select(UploadRow.lead_id).where(UploadRow.upload_id == upload.id)).all()
    assert len(set(leads)) == 8


def test_two_workers_with_the_same_chunk_record_it_once(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    steps_of(monkeypatch, 3)
    upload = desk.start([desk.row(number) for number in range(8)])
    record, at = posting._record, desk.clock.now()
    chunk = run_until_recording(upload, at, monkeypatch)
    monkeypatch.setattr(posting, "_record", record)
    desk.step(upload)
    with transaction():
        record(*chunk)

    assert (desk.now(upload).accepted, desk.leads()) == (3, 3)
    assert desk.end(upload).accepted == 8 and desk.leads() == 8


def run_until_recording(upload: Upload, at: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Post a chunk and return what would be recorded."""
    kept: list[Any] = []
    monkeypatch.setattr(posting, "_record", lambda *chunk: kept.append(chunk))
    posting.post_chunks(upload.id, at)
    return kept[0]


def test_a_step_opens_the_file_once_for_many_chunks(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    steps_of(monkeypatch, 3, chunks=2)
    opened = Mock(wraps=open_upload)
    monkeypatch.setattr(posting, "open_upload", opened)
    upload = desk.start([desk.row(number) for number in range(12)])
    assert desk.step(upload).accepted == 6 and opened.call_count == 1 and jobs_waiting() == 2
    assert desk.step(upload).state == "done" and desk.leads() == 12 and opened.call_count == 2
    assert jobs_waiting() == 2


@pytest.mark.parametrize(("what", "state"), [("cancel", "cancelled"), ("pause", "stopped")])
def test_between_the_chunks_of_a_step_an_upload_ends(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, what: str, state: str
) -> None:
    steps_of(monkeypatch, 3, chunks=9)
    upload = desk.start([desk.row(number) for number in range(8)])

    def meanwhile(*said: Any) -> Any:
        with transaction():
            if what == "cancel":
                cancel_upload(desk.id, upload.id, "user:1", desk.clock.now())
            else:
                set_standing(desk.id, "files", "paused", "robots", "user:2", desk.clock.now())
        return post_many(*said)

    monkeypatch.setattr(posting, "post_many", meanwhile)
    ended = desk.step(upload)
    assert (ended.state, ended.not_reached, len(desk.rows(ended))) == (state, 5, 3)


def test_a_step_queues_the_next_and_a_lost_one_is_found_again(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    steps_of(monkeypatch, 2)
    upload = desk.start([desk.row(number) for number in range(5)])
    assert jobs_waiting() == 1
    desk.step(upload)
    assert jobs_waiting() == 2
    beat = desk.now(upload).beat_at
    assert beat is not None
    with transaction():
        assert posting.wake_uploads(beat + posting.QUIET) == 0
    with transaction():
        assert posting.wake_uploads(beat + 2 * posting.QUIET) == 1
    assert jobs_waiting() == 3
    desk.end(upload)
    with transaction():
        assert posting.wake_uploads(beat + 9 * posting.QUIET) == 0


def test_starting_twice_starts_once_and_from_what_was_seen(desk: Desk) -> None:
    upload = desk.start([desk.row(1)])
    with transaction():
        assert start_upload(desk.id, upload.id, 1, "user:1", desk.clock.now()).state == "running"
    assert jobs_waiting() == 1
    with transaction(), pytest.raises(Conflict, match="posted already"):
        save_answers(desk.id, upload.id, SAID, 1)


def test_what_another_tab_said_meanwhile_is_not_run_unseen(desk: Desk) -> None:
    upload = desk.add(f"{HEADER}\n{desk.row(1)}")
    with transaction():
        save_answers(desk.id, upload.id, SAID, 0)
    for again in (lambda: save_answers(desk.id, upload.id, SAID, 0),
                  lambda: start_upload(desk.id, upload.id, 0, "user:1", desk.clock.now())):  # fmt: skip
        with transaction(), pytest.raises(Conflict, match="Somebody changed"):
            again()


# -- ending early ------------------------------------------------------------------------------------------------------


def test_cancelling_ends_after_the_present_chunk(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    steps_of(monkeypatch, 3)
    upload = desk.start([desk.row(number) for number in range(8)])
    desk.step(upload)
    with transaction():
        cancel_upload(desk.id, upload.id, "user:1", desk.clock.now())
    ended = desk.end(upload)
    assert (ended.state, ended.accepted, ended.not_reached, desk.leads()) == ("cancelled", 3, 5, 3)


@pytest.mark.parametrize("what", ["source", "account"])
def test_an_upload_whose_source_or_account_is_paused_stops_and_says_so(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    steps_of(monkeypatch, 3)
    upload = desk.start([desk.row(number) for number in range(8)])
    desk.step(upload)
    with transaction() as session:
        if what == "source":
            set_standing(desk.id, "files", "paused", "robots", "user:2", desk.clock.now())
        else:
            session.execute(db.text("UPDATE core.accounts SET standing = 'suspended' WHERE id = :id"), {"id": desk.id})
    ended = desk.end(upload)
    assert (ended.state, ended.not_reached) == ("stopped", 5)
    assert "ask an operator" in str(ended.why)


def test_a_paused_source_takes_no_file_and_begins_none(desk: Desk) -> None:
    upload = desk.add(f"{HEADER}\n{desk.row(1)}")
    with transaction():
        save_answers(desk.id, upload.id, SAID, 0)
    with transaction():
        set_standing(desk.id, "files", "paused", "robots", "user:2", desk.clock.now())
    with pytest.raises(Invalid) as refused:
        desk.add(f"{HEADER}\n{desk.row(1)}")
    assert [fault.field for fault in refused.value.faults] == ["source"]
    with transaction(), pytest.raises(Invalid):
        start_upload(desk.id, upload.id, 1, "user:1", desk.clock.now())


# -- the file itself ---------------------------------------------------------------------------------------------------


def test_a_file_is_sealed_and_erased_on_its_day(desk: Desk, clock: SetClock) -> None:
    upload, done = desk.add(f"{HEADER}\n{desk.row(1)}"), desk.end(desk.start([desk.row(2)]))
    file = db.session.get(UploadFile, upload.id)
    assert file is not None and b"row1@" not in file.sealed
    clock.advance(days=29)
    assert run_due(clock.now())["upload_files_erased"] == 0
    clock.advance(days=2)
    assert run_due(clock.now())["upload_files_erased"] == 2
    assert (desk.now(upload).state, desk.now(done).state) == ("expired", "done")
    with pytest.raises(Conflict, match="erased"):
        table_of_upload(desk.now(upload))


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "missing"),
        (b"\xef\xbb\xbf \r\n", "missing"),
        (b"mail,name\r\n", "no_rows"),
        (b"mail,mail\nx,y\n", "repeated_column"),
        (b"a,,\nx,y,z\n", "repeated_column"),
        (",".join(map(str, range(301))).encode() + b"\nx\n", "too_many"),
        (b"PK\x03\x04" + bytes(200), "file_type_refused"),
        (b"%PDF-1.7\nxyz\n", "file_type_refused"),
        (b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 9, "file_type_refused"),
        ("mail,name\nä,b\n".encode("utf-16-le"), "file_type_refused"),
        (b"a" * 20_000_001, "too_long"),
        (b"x" * 10_000_000 + b"\ny\n", "bad_header"),
        (b'"mail,name\nx,y\n', "bad_header"),
        (b"mail\n\x81\x8d\n", "wrong_encoding"),
    ],
)
def test_what_is_no_table_of_leads_is_refused_at_the_field(desk: Desk, data: bytes, code: str) -> None:
    with pytest.raises(Invalid) as refused:
        desk.add(data)
    assert [fault.code for fault in refused.value.faults] == [code]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_a_file_is_read_as_programs_write_them(desk: Desk, encoding: str, delimiter: str, line_end: str) -> None:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator=line_end, quoting=csv.QUOTE_ALL)
    writer.writerows([["mail", "prénom", "note"], ["a@example.com", "Zoë", "two\nlines, quoted"], ["b@x.org", "é", ""]])
    table = table_of_upload(desk.add(text.getvalue().encode(encoding)))
    assert (table.header, table.rows) == (["mail", "prénom", "note"], 2)
    assert table.samples["prénom"] == ["Zoë", "é"]


def test_a_few_bad_bytes_do_not_make_a_whole_file_another_encoding(desk: Desk) -> None:
    table = table_of_upload(desk.add("prénom\nZoë\nÉlan\n".encode() + b"\xff\n"))
    assert (table.encoding, table.rows, table.samples["prénom"]) == ("utf-8", 3, ["Zoë", "Élan"])


def test_the_mapping_of_a_source_is_remembered_and_another_one_is_guessed(desk: Desk) -> None:
    _, vertical = get_vertical("education")
    first = desk.start([desk.row(1)])
    again, other = desk.add(f"{HEADER},New\n{desk.row(2)},x"), desk.add(f"{HEADER}\n{desk.row(3)}", source="others")
    answers = answers_of(desk.now(again), table_of_upload(again), vertical)
    assert answers == SAID and first.source_name == again.source_name
    guessed = answers_of(desk.now(other), table_of_upload(other), vertical).fields
    assert {path: said.column for path, said in guessed.items()} == {
        "contact.email": "E-mail", "contact.first_name": "Prénom", "region": "Country"
    }  # fmt: skip
    renamed = desk.add(f"Mail,Prénom,Country,Agreed\n{desk.row(4)}")
    assert answers_of(desk.now(renamed), table_of_upload(renamed), vertical).fields["contact.email"].column == "Mail"


def test_another_publishers_upload_is_not_found(desk: Desk, market: Market) -> None:
    upload, stranger = desk.start([desk.row(1)]), market.make_publisher()
    with pytest.raises(NotFound):
        get_upload(parse_id("acc", stranger.id), upload.id)


def test_the_database_refuses_an_upload_that_is_done_with_rows_left(desk: Desk) -> None:
    upload = desk.start([desk.row(1)])
    with pytest.raises(db.exc.IntegrityError, match="uploads_done_check"), transaction() as session:
        session.execute(db.update(Upload).where(Upload.id == upload.id).values(state="done"))
