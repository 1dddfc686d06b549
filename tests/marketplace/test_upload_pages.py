"""The pages of uploads: a file is chosen, its columns are said, its first rows are checked, and what came of it is shown."""

import csv
import io
from typing import Any

import pytest
from flask import Flask

from core.clock import as_rfc3339
from core.db import db
from core.ids import parse_id
from marketplace.leads.uploads import posting
from tests.conftest import SetClock
from tests.factories import Market, Member
from tests.marketplace.test_portal_pages import MOST_QUERIES, queries, visitor_of
from tests.marketplace.test_uploads import jobs_waiting, steps_of
from tests.visitor import Visitor, words_of

NAME = "<b>Markup</b> \u202emirrored " + "x" * 80
SAID = {"contact-email-column": "0", "contact-first_name-column": "1", "region-column": "", "country": "FR",
        "consent-text-constant": "Call me.", "consent-given_at-column": "2", "timezone": "UTC", "version": "0"}  # fmt: skip


@pytest.fixture
def sender(market: Market) -> Member:
    """Make a publisher."""
    market.make_order(market.make_buyer("40.00"))
    return market.make_publisher()


@pytest.fixture
def reader(market: Market, sender: Member) -> Visitor:
    """Sign in as the publisher."""
    return visitor_of(market, sender)


def file_of(market: Market, rows: int = 3) -> bytes:
    """Write a file of good rows, and one that is none."""
    lines = [f"p{number}@example.com,Zoë,{as_rfc3339(market.clock.now())}" for number in range(rows)]
    return "\n".join(["mail,first name,agreed", *lines, "=cmd()"]).encode()


def upload(reader: Visitor, data: bytes, name: str = "leads.csv", **also: str) -> Any:
    """Send the form of a new file."""
    fields = {"source": "files", "vertical": "education", "encoding": "", **also}
    return reader.send("/publisher/upload", file=(io.BytesIO(data), name), **fields)


def uploaded(reader: Visitor, market: Market, rows: int = 3, **also: str) -> str:
    """Upload a file and return where its page is."""
    answer = upload(reader, file_of(market, rows), **also)
    assert answer.status_code == 302, words_of(answer)
    return str(answer.location)


def work(path: str, clock: SetClock) -> None:
    """Do one step of the worker."""
    posting.post_chunks(parse_id("upl", path.rpartition("/")[2]), clock.now())
    db.session.rollback()


def test_a_file_goes_from_the_form_to_leads_and_a_report(market: Market, reader: Visitor, clock: SetClock) -> None:
    assert "No file yet" in words_of(reader.open("/publisher/upload"))
    path = uploaded(reader, market)
    page = reader.read(path)
    assert page.xpath("//select[@name='contact-email-column']/option[@selected]/text()") == ["mail"]
    assert "Zoë · Zoë" in words_of(reader.open(path))
    checked = reader.send(path, **SAID)
    assert checked.location == f"{path}/check"
    seen = words_of(reader.open(checked.location))
    assert "1 of them would be refused" in seen and "p0@example.com" in seen and "This row has 1 values" in seen
    assert db.session.scalar(db.text("SELECT count(*) FROM marketplace.leads")) == 0
    db.session.rollback()

    for _ in range(2):  # a double click
        assert reader.send(f"{path}/run/1", form_at=checked.location if _ == 0 else path).location == path
    assert jobs_waiting() == 1 and "data-refresh" in reader.open(path).text
    work(path, clock)

    done = reader.open(path)
    assert "data-refresh" not in done.text
    assert "Accepted 3 Sold at once 2 Refused 1 Not reached 0" in words_of(done)
    assert len(reader.read(path).xpath("//a[@class='opens']")) == 3
    assert "This row has" in words_of(reader.open(f"{path}?code=wrong_columns"))
    assert reader.open(f"{path}/check").location == path  # the back button
    rows = list(csv.reader(io.StringIO(reader.open(f"{path}/rows.csv").text)))
    assert [row[:2] for row in rows[1:]] == [["2", "sold"], ["3", "sold"], ["4", "unsold"], ["5", "refused"]]
    assert "leads.csv" in words_of(reader.open("/publisher/upload"))


def test_an_upload_is_watched_cancelled_and_says_what_was_not_reached(
    market: Market, reader: Visitor, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps_of(monkeypatch, 2)
    path = uploaded(reader, market, 5)
    reader.send(path, **SAID)
    reader.send(f"{path}/run/1", form_at=f"{path}/check")
    work(path, clock)
    assert reader.read(path).xpath("//progress/@value") == ["2"]
    assert "It ends after the rows in work" not in words_of(reader.open(path))
    reader.send(f"{path}/cancel", form_at=path)
    assert "It ends after the rows in work" in words_of(reader.open(path))
    work(path, clock)
    assert "4 rows, from line 4 on, were not reached" in words_of(reader.open(path))
    assert "4,not_reached,,cancelled" in reader.open(f"{path}/rows.csv").text


def test_bad_files_are_refused_at_the_field_and_what_was_typed_stays(reader: Visitor) -> None:
    for data, says in ((b"", "The file is empty"), (b"PK\x03\x04" + bytes(99), "save it as CSV"),
                       (b"a,a\n1,2\n", "Name each column once"), (b"mail\n", "no row below it")):  # fmt: skip
        answer = upload(reader, data, source=NAME[:100])
        assert answer.status_code == 200 and says in words_of(answer)
        assert "&lt;b&gt;Markup" in answer.text
    assert "printable" in words_of(upload(reader, b"a\n1\n", source="x\u202ey"))
    assert "Choose a file" in words_of(reader.send("/publisher/upload", source="x", vertical="education", encoding=""))


def test_a_mapping_with_faults_says_them_at_the_fields_and_keeps_what_was_typed(
    market: Market, reader: Visitor
) -> None:
    path = uploaded(reader, market)
    answer = reader.send(path, **SAID | {"country": "Atlantis", "channel-values": "Google search", "timezone": "Mars",
                                         "channel-column": "1", "contact-city-constant": "Nantes"})  # fmt: skip
    assert "Write a line as text = value" in words_of(answer) and 'value="Nantes"' in answer.text
    answer = reader.send(path, **SAID | {"country": "XX", "timezone": "Mars", "contact-email-column": ""})
    page = words_of(answer)
    assert "ISO 3166-1 or 3166-2" in page and "IANA time zone" in page and "Map at least one of" in page
    stale = reader.send(path, **SAID | {"version": "7"})
    assert "Somebody changed what the columns mean meanwhile" in words_of(stale)


def test_names_with_markup_and_another_direction_are_shown_as_they_are(market: Market, reader: Visitor) -> None:
    data = file_of(market).replace(b"first name", b"<i>first</i>")
    path = upload(reader, data, name="<script>" + "\u05d0" * 200 + ".csv").location
    for page in (path, "/publisher/upload"):
        assert "<script>\u05d0" not in reader.open(page).text and "<i>first" not in reader.open(page).text


def test_somebody_elses_upload_is_not_found(market: Market, reader: Visitor) -> None:
    path = uploaded(reader, market)
    stranger = visitor_of(market, market.make_publisher())
    for at in ("", "/check", "/rows.csv"):
        assert stranger.open(path + at).status_code == 404
    token = stranger.token("/publisher/upload")
    for at in ("/cancel", "/run/0"):
        assert stranger.open(path + at, "POST", {"csrf_token": token}).status_code == 404
    assert "Check the first rows" in words_of(reader.open(path))


def test_a_file_given_up_is_erased(market: Market, reader: Visitor) -> None:
    path = uploaded(reader, market)
    reader.send(f"{path}/cancel", form_at=path)
    assert "Ended early" in words_of(reader.open(path))
    assert db.session.scalar(db.text("SELECT count(*) FROM marketplace.upload_files")) == 0


def test_pages_of_an_upload_take_few_queries(app: Flask, market: Market, reader: Visitor, clock: SetClock) -> None:
    path = uploaded(reader, market)
    reader.send(path, **SAID)
    for at in (path, f"{path}/check"):
        with queries(app) as said:
            assert reader.open(at).status_code == 200
        assert len(said) <= MOST_QUERIES, said
    reader.send(f"{path}/run/1", form_at=f"{path}/check")
    work(path, clock)
    with queries(app) as said:
        reader.open(f"{path}?outcome=sold")
    assert len(said) <= MOST_QUERIES, said
    assert reader.open(f"{path}?cursor=x").status_code == 400
