"""Files of leads, the real one and bad ones: what sells, what is rejected and why, and what a mapping may say."""

import csv
import io
import json
import os
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from core.db import transaction
from core.errors import DomainError, Invalid
from core.ids import parse_id
from marketplace.catalog.shelf import get_vertical
from marketplace.leads.imports.mapping import read_mapping
from marketplace.leads.imports.run import LeadFile, Report, import_leads
from marketplace.leads.intake import Sender
from tests.education_file import MAPPING, SMALL, make_education_file
from tests.factories import Market, Member

SAMPLE = os.environ.get("LEADBOURSE_SAMPLE_LEADS")
REAL_FILE = pytest.mark.skipif(not SAMPLE, reason="LEADBOURSE_SAMPLE_LEADS names no file: the real one was NOT tested")


def import_file(path: Path, publisher: Member, mapping: str = "", **options: Any) -> Report:
    """Import a file by the mapping of the education file, or by another one."""
    with transaction():
        _, vertical = get_vertical("education")
    read, report = read_mapping(mapping or MAPPING.read_text(encoding="utf-8"), vertical), Report()
    with path.open("rb") as stream:
        file = LeadFile(stream, path.name, read, vertical)
        import_leads(file, Sender(parse_id("acc", publisher.id), None), report, **options)
    assert report.rows == report.accepted + report.rejected
    assert report.rejected == sum(report.reasons.values()) == len(report.errors) + report.as_json()["errors_left_out"]
    assert report.duplicate == report.reasons["duplicate"]
    assert report.sold <= report.accepted
    return report


def import_bytes(tmp_path: Path, market: Market, content: bytes, mapping: str = SMALL, name: str = "x.csv") -> Report:
    """Import these bytes by the small mapping."""
    path = tmp_path / name
    path.write_bytes(content)
    return import_file(path, market.make_publisher(), mapping)


def listed(report: Report) -> list[tuple[int, str]]:
    """Tell the line and code of each rejected row."""
    return [(error["line"], error["code"]) for error in report.errors]


# -- the education file ------------------------------------------------------------------------------------------------


def check_that_funds_for_so_many_sell_so_many(market: Market, path: Path, funded: int) -> Report:
    """Import a file twice with funds for some of its leads, in three orders of two buyers."""
    publisher = market.make_publisher()
    first, second = market.make_buyer(f"{funded // 2 * 10}.00"), market.make_buyer(f"{(funded - funded // 2) * 10}.00")
    market.make_order(first, "10.00", regions=["IN"])
    market.make_order(second, "10.00", regions=["IN-MH"])
    market.make_order(second, "10.00", regions=["IN"])

    report = import_file(path, publisher)
    again = import_file(path, publisher)

    assert report.sold == funded
    assert report.duplicate == 0
    assert (again.rows, again.sold, again.duplicate) == (report.rows, 0, funded)
    assert again.accepted == report.accepted - funded
    assert len(first.get("/sales?limit=200")["items"]) == min(200, funded // 2)
    assert first.get("/wallet")["available"]["amount"] == "0.00"
    return report


@REAL_FILE
def test_of_the_real_file_six_thousand_rows_are_accepted_and_with_funds_for_500_exactly_500_sell(
    market: Market,
) -> None:
    report = check_that_funds_for_so_many_sell_so_many(market, Path(SAMPLE or ""), 500)

    assert report.rows == 6178
    assert report.accepted >= 6000


def test_of_a_made_up_file_with_funds_for_60_exactly_60_sell_and_a_second_import_sells_none(
    market: Market, tmp_path: Path
) -> None:
    report = check_that_funds_for_so_many_sell_so_many(market, make_education_file(tmp_path / "made.csv", 500), 60)

    assert (report.rows, report.accepted) == (500, 500)


def test_a_row_becomes_the_lead_that_the_mapping_says(market: Market, tmp_path: Path) -> None:
    row = {"Prospect ID": "p-1", "Lead Number": "42", "Lead Source": "google", "Country": "India", "City": "Mumbai",
           "Specialization": "Banking, Investment And Insurance", "TotalVisits": "2", "Page Views Per Visit": "2.0",
           "Total Time Spent on Website": "58", "Do Not Email": "Yes", "Do Not Call": "No", "Tags": "Ringing",
           "What is your current occupation": "Select"}  # fmt: skip
    path = make_education_file(tmp_path / "one.csv", 0)
    with path.open("a", newline="", encoding="utf-8") as file:
        header = path.read_text(encoding="utf-8").strip().split(",")
        csv.DictWriter(file, header, restval="").writerow(row)
    publisher = market.make_publisher()

    import_file(path, publisher)

    lead = publisher.get("/leads/" + publisher.get("/leads")["items"][0]["id"])
    assert (lead["channel"], lead["region"], lead["external_id"]) == ("search", "IN-MH", "p-1")
    assert lead["contact"]["email"] == "lead42@example.com"
    assert lead["attributes"] == {"course": "banking_insurance", "visits": 2, "seconds_on_site": 58,
                                  "pages_per_visit": 2.0, "do_not_email": True, "do_not_call": False}  # fmt: skip
    assert lead["consent"]["given_at"] == lead["received_at"]
    assert "Ringing" not in json.dumps(lead)


@pytest.mark.parametrize(
    ("country", "city", "region"),
    [("India", "Mumbai", "IN-MH"), ("", "Thane & Outskirts", "IN-MH"), ("", "", "IN"), ("India", "Other Cities", "IN"),
     ("France", "Mumbai", "FR"), ("Vietnam", "Select", "VN"), ("unknown", "Select", "IN"), ("united states", "", "US")],
)  # fmt: skip
def test_the_region_is_the_citys_in_india_else_the_countrys(
    market: Market, tmp_path: Path, country: str, city: str, region: str
) -> None:
    path = make_education_file(tmp_path / "one.csv", 1)
    header, values = csv.reader(io.StringIO(path.read_text(encoding="utf-8")))
    row = dict(zip(header, values, strict=True)) | {"Country": country, "City": city}
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, header)
        writer.writeheader()
        writer.writerow(row)
    publisher = market.make_publisher()

    import_file(path, publisher)

    assert publisher.get("/leads")["items"][0]["region"] == region


def test_a_dry_run_judges_and_stores_nothing(market: Market, tmp_path: Path) -> None:
    publisher, buyer = market.make_publisher(), market.make_buyer()
    market.make_order(buyer)

    report = import_file(make_education_file(tmp_path / "made.csv", 20), publisher, dry_run=True)

    assert (report.accepted, report.sold) == (20, 0)
    assert publisher.get("/leads")["items"] == []


def test_an_import_goes_on_from_a_line(market: Market, tmp_path: Path) -> None:
    report = import_file(make_education_file(tmp_path / "made.csv", 20), market.make_publisher(), from_line=12)

    assert report.rows == 10


# -- bad files ---------------------------------------------------------------------------------------------------------

BAD_FILES = {
    "a missing column": (b"mail,name,visits\na@example.com,A,1\nb@example.com,B\nc@example.com,C,3\n",
                         [(3, "wrong_columns")]),
    "a column too many": (b"mail,name,visits\na@example.com,A,1,2\nc@example.com,C,3\nd@example.com,D,3\n",
                          [(2, "wrong_columns")]),
    "a quote in the wrong place": (b'mail,name,visits\na@example.com,"A"x,1\nb@example.com,B,1\nc@example.com,C,3\n',
                                   [(2, "bad_quoting")]),
    "a quote that is never closed": (b'mail,name,visits\na@example.com,"A,1\nb@example.com,B,1\nc@example.com,C,3\n',
                                     [(2, "bad_quoting")]),
    "two quotes that swallow a line": (
        b'mail,name,visits\na@example.com,"A,1\nb@example.com,B,"1\nc@example.com,C,3\nd@example.com,D,\n',
        [(2, "bad_quoting"), (3, "bad_quoting")]),
    "a NUL": (b"mail,name,visits\na@example.com,A\0,1\nb@example.com,B,1\nc@example.com,C,3\n", [(2, "nul_character")]),
    "another encoding": ("mail,name,visits\na@example.com,Zoé,1\nb@example.com,B,1\nc@example.com,C,3\n".encode("cp1252"),
                         [(2, "wrong_encoding")]),
    "a byte order mark and CRLF": (b"\xef\xbb\xbfmail,name,visits\r\na@example.com,A,1\r\nb@example.com,B,2\r\n", []),
    "UTF-16": ("mail,name,visits\r\na@example.com,Zoé,1\r\nb@example.com,B,2\r\n".encode("utf-16"), []),
    "quotes over lines": (
        b'mail,name,visits\r\na@example.com,"A\r\nlong ""name""",1\r\nb@example.com,B,x\r\nc@example.com,C,3\r\n',
        [(4, "wrong_type")]),
    "blank lines, no last line end": (b"mail,name,visits\n\na@example.com,A,1\n\n\nb@example.com,B,1", []),
    "semicolons": (b"mail;name;visits\na@example.com;A;1\nb@example.com;B;1,5\nc@example.com;C;1\n",
                   [(3, "wrong_type")]),
    "text where a number stands": (b"mail,name,visits\na@example.com,A,many\nb@example.com,B,2.0\nc@example.com,C,Select\n",
                                   [(2, "wrong_type")]),
    "nobody to reach": (b"mail,name,visits\n,A,1\nSelect,B,2\na@example.com,C,1\nb@example.com,D,1\n",
                        [(2, "no_contact_channel"), (3, "no_contact_channel")]),
    "an unusable address": (b"mail,name,visits\nat home,A,1\na@example.com,C,1\nb@example.com,C,1\n",
                            [(2, "invalid_email")]),
    "a line without end": (b"mail,name,visits\na@example.com," + b"A" * 3_000_000 + b",1\nb@example.com,B,1\nc@x.fr,C,\n",
                           [(2, "line_too_long")]),
}  # fmt: skip


@pytest.mark.parametrize("kind", BAD_FILES)
def test_the_good_rows_of_a_bad_file_are_in_and_the_bad_ones_listed(market: Market, tmp_path: Path, kind: str) -> None:
    content, bad = BAD_FILES[kind]

    report = import_bytes(tmp_path, market, content)

    assert listed(report) == bad
    assert report.accepted == 2
    assert all(error["message"] for error in report.errors)


def test_bad_lines_of_ndjson_are_listed_and_the_good_ones_in(market: Market, tmp_path: Path) -> None:
    mapping = SMALL.replace("contact.email: mail", "contact.email: person.mail").replace(": name", ": person.name")
    lines = [b'{"person": {"mail": "a@example.com", "name": "A"}, "visits": 3}', b"", b'{"person": {"mail"', b"[1]",
             b'{"person": {"mail": "b@example.com"}, "visits": "4"}', b'{"person": {"mail": "\\u0000"}}',
             b'{"person": {"mail": "c@example.com", "name": "Zo\xe9"}}']  # fmt: skip

    report = import_bytes(tmp_path, market, b"\r\n".join(lines), mapping, "leads.dat")

    assert report.accepted == 2
    assert listed(report) == [(3, "not_json"), (4, "not_json"), (6, "nul_character"), (7, "not_json")]


def test_refused_rows_are_counted_like_refused_posts(market: Market, tmp_path: Path) -> None:
    publisher, path = market.make_publisher(), tmp_path / "x.csv"
    path.write_text("mail,name,visits\na@example.com,A,x\nb@example.com,A,y\nc@example.com,A\n", encoding="utf-8")

    import_file(path, publisher, SMALL)

    found = {(row["field"], row["code"]): row["refused"] for row in publisher.get("/refusals")["items"]}
    assert found == {("attributes", "wrong_type"): 2, ("", "wrong_columns"): 1}


@pytest.mark.parametrize(
    ("content", "code"),
    [(b"", "bad_header"), (b"\n", "bad_header"), (b"mail,other\n", "wrong_header"), (b'"mail', "bad_header"),
     (b"mail,mail,name,visits\n", "wrong_header"), (b"na\xefme,mail,visits\n", "bad_header")],
)  # fmt: skip
def test_a_file_that_does_not_fit_the_mapping_is_refused_whole(
    market: Market, tmp_path: Path, content: bytes, code: str
) -> None:
    with pytest.raises(DomainError) as refused:
        import_bytes(tmp_path, market, content)

    assert refused.value.code == code


# -- mappings ----------------------------------------------------------------------------------------------------------


def test_all_faults_of_a_mapping_are_named_at_once(app: Flask) -> None:
    with transaction():
        _, vertical = get_vertical("education")
    text = """
encoding: klingon
timezone: Mars/Olympus
fields:
  channel: {column: a, values: {x: telepathy}}
  attributes.course: {constant: juggling}
  attributes.shoe_size: b
  attributes.visits: {column: a, constant: 3}
  vertical: c
  contact: d
"""

    with pytest.raises(Invalid) as refused:
        read_mapping(text, vertical)

    assert [(fault.field, fault.code) for fault in refused.value.faults] == [
        ("encoding", "unknown_encoding"),
        ("timezone", "unknown_timezone"),
        ("fields.region", "missing"),
        ("fields.contact", "missing"),
        ("fields.channel.0.values.x", "not_allowed_value"),
        ("fields.attributes.course.0.constant", "unknown_value"),
        ("fields.attributes.shoe_size", "unknown_field"),
        ("fields.attributes.visits.0", "one_source"),
        ("fields.vertical", "unknown_field"),
        ("fields.contact", "unknown_field"),
    ]


@pytest.mark.parametrize("text", ["", "fields: [", "fields: {region: {colunm: x}}", "- 1", "fields: {a: b, a: c}"])
def test_what_is_no_mapping_is_refused(app: Flask, text: str) -> None:
    with transaction():
        _, vertical = get_vertical("education")

    with pytest.raises(Invalid, match="mapping has faults") as refused:
        read_mapping(text, vertical)

    assert refused.value.faults


def test_the_mapping_in_the_documentation_is_a_good_one(app: Flask) -> None:
    document = (Path(__file__).parents[2] / "docs" / "import.md").read_text(encoding="utf-8")
    with transaction():
        _, vertical = get_vertical("education")

    mapping = read_mapping(document.partition("```yaml\n")[2].partition("```")[0], vertical)

    assert mapping.columns() == ["Agreed", "City", "Country", "E-mail", "Mobile", "Number", "Origin", "Phone"]


def test_a_mapping_reads_dates_switches_and_encodings(market: Market, tmp_path: Path) -> None:
    mapping = """
encoding: cp1252
timezone: Europe/Paris
fields:
  region: {column: land, read: country, values: {Hexagone: FR}}
  contact.first_name: name
  contact.email: [mail, {template: "{name}.{number}@example.com"}]
  exclusive_only: {column: one, values: {Yes: true, No: false}}
  consent.text: {constant: Call me.}
  consent.given_at: {column: agreed, format: "%d/%m/%Y %H:%M"}
"""
    content = (
        "land;name;number;mail;one;agreed\n"
        "hexagone;Zoé;1;z@example.com;Yes;22/11/2026 10:30\n"
        "Deutschland;B;2;;No;22/11/2026 10:30\n"
        "GERMANY;B;2;;No;22.11.2026\n"
        "germany;B;2;;No;22/11/2026 09:30\n"
    )
    publisher, path = market.make_publisher(), tmp_path / "x.csv"
    path.write_bytes(content.encode("cp1252"))

    report = import_file(path, publisher, mapping)

    assert listed(report) == [(3, "unknown_country"), (4, "bad_date")]
    german, french = (publisher.get(f"/leads/{lead['id']}") for lead in publisher.get("/leads")["items"])
    assert (german["region"], german["contact"]["email"]) == ("DE", "B.2@example.com")
    assert (french["contact"]["first_name"], french["exclusive_only"]) == ("Zoé", True)
    assert french["consent"]["given_at"] == "2026-11-22T09:30:00Z"
