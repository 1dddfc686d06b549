"""Another system's history run again: as it was to the cent, by the model alone, and refused with every bad line."""

import csv
import io
import json
import os
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from core.errors import Invalid
from core.money import Money
from marketplace.catalog.verticals import Vertical, read_shipped
from marketplace.cli.what_if import orders_in
from marketplace.what_if.change import change_of
from marketplace.what_if.history import History, check_map, read_history, read_map
from marketplace.what_if.running import run_history
from tests.command_line import run_program
from tests.education_file import MAPPING

SAMPLE = os.environ.get("LEADBOURSE_SAMPLE_LEADS")
MONDAY = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
MAP = """
vertical: education
columns: {received_at: Created, buyer: Sold to, price: Price}
leads:
  fields:
    region: {column: Where}
    contact.email: mail
    channel: {column: Channel, default: other}
    attributes.course: {column: Course}
"""
ORDERS = """buyer,name,vertical,price,exclusivity,max_share,regions,cap_day,filters
Ada,Paris,education,20.00,exclusive,,FR-IDF,2,
Zuid,all of France,education,9.00,shared,3,FR,,
Zuid,business,education,12.00,exclusive,,FR,,"[{""field"": ""attributes.course"", ""op"": ""eq"", ""value"": ""business""}]"
"""
LEADS = [
    ("FR-IDF", "business", "Ada", "20.00"), ("FR-IDF", "finance", "Ada", "20.00"), ("FR-IDF", "business", "Zuid", "12.00"),
    ("FR-ARA", "finance", "Zuid", "9.00"), ("FR-ARA", "business", "", ""), ("DE-BE", "business", "", ""),
]  # fmt: skip


@pytest.fixture
def education() -> Vertical:
    return read_shipped("education")


def written(leads: Sequence[Sequence[str]], **more: str) -> bytes:
    """Write a file of leads, one an hour; `more` says other instants by line."""
    text = io.StringIO()
    sheet = csv.writer(text)
    sheet.writerow(["Created", "mail", "Channel", "Where", "Course", "Sold to", "Price"])
    for line, (where, course, buyer, price) in enumerate(leads, 2):
        at = more.get(f"line{line}", (MONDAY + timedelta(hours=line)).isoformat())
        sheet.writerow([at, f"p{line}@example.com", "search", where, course, buyer, price])
    return text.getvalue().encode()


def read(vertical: Vertical, leads: bytes, orders: str = ORDERS, map_: str = MAP) -> History:
    stream = io.BufferedReader(io.BytesIO(leads))  # type: ignore[type-var]
    return read_history(stream, check_map(read_map(map_), vertical), orders_in(orders.encode()), vertical)


def report(history: History, change: Any = None, **how: Any) -> Any:
    [one] = run_history(history, change_of(change), **how)["verticals"]
    return one


def test_as_it_was_it_comes_out_to_the_cent(education: Vertical) -> None:
    found = report(read(education, written(LEADS)))
    assert found["what_if"] == found["happened"]
    assert {name: found["happened"][name] for name in ("leads", "sold", "turnover", "payout", "reasons")} == {
        "leads": 6, "sold": 4, "turnover": "61.00", "payout": "42.70", "reasons": {"not_recorded": 2},
    }  # fmt: skip


def test_a_change_moves_only_the_leads_that_it_concerns(education: Vertical) -> None:
    history = read(education, written(LEADS))
    found = report(history, {"orders": {"Paris": {"caps": {"day": 1}}}})
    # The second lead of Paris goes to all of France for 9.00, and nothing else becomes of the others.
    assert found["difference"]["turnover"] == "-11.00"
    assert report(history, {"orders": {"business": {"price": {"amount": "30.00", "currency": "EUR"}}}})["what_if"][
        "turnover"
    ] == str(Money(30_00 + 20_00 + 30_00 + 9_00 + 30_00, "EUR"))


def test_the_model_alone_sells_what_the_orders_want(education: Vertical) -> None:
    found = report(read(education, written(LEADS)), by_model=True)["what_if"]
    assert (found["sold"], found["turnover"], found["reasons"]) == (5, "73.00", {"no_order": 1})


def test_leads_are_run_in_the_order_of_time_whatever_their_file_says(education: Vertical) -> None:
    late = (MONDAY + timedelta(hours=20)).isoformat()
    first = read(education, written(LEADS, line2=late)).leads
    assert [lead.id.int for lead in first] == [3, 4, 5, 6, 7, 2]


def refused(vertical: Vertical, *said: Any) -> list[tuple[str, str]]:
    with pytest.raises(Invalid) as caught:
        read(vertical, *said)
    return [(fault.field, fault.code) for fault in caught.value.faults]


def test_every_bad_line_of_both_files_is_named_and_nothing_is_run(education: Vertical) -> None:
    leads = written([
        ("FR-IDF", "business", "Ada", ""), ("XX-99", "business", "", ""), ("FR", "alchemy", "Nobody", "5.00"),
        ("FR", "business", "Ada", "cheap"), ("FR", "business", "Ada", "-1.00"),
    ], line2="yesterday") + b"a,b\n"  # fmt: skip
    orders = ORDERS + ",nameless,education,9.00,exclusive,,,,\nAda,Paris,education,1.00,exclusive,,ZZ,,\n"
    assert refused(education, leads, orders) == [
        ("orders.5.buyer", "missing"),
        ("orders.6.price.amount", "below_minimum_price"), ("orders.6.regions.0", "unknown_region"),
        ("orders.6.name", "said_twice"),
        ("leads.2.Created", "not_an_instant"), ("leads.2.Price", "missing"), ("leads.3.region", "unknown_region"),
        ("leads.4.Sold to", "unknown_buyer"), ("leads.4.attributes.course", "unknown_value"),
        ("leads.5.Price", "bad_amount"), ("leads.6.Price", "bad_amount"), ("leads.7.row", "wrong_columns"),
    ]  # fmt: skip


def test_columns_and_files_that_are_missing_are_named(education: Vertical) -> None:
    assert refused(education, b"Created,mail\n") == [
        ("leads.1.Sold to", "unknown_column"), ("leads.1.Price", "unknown_column"), ("leads.1.Channel", "unknown_column"),
        ("leads.1.Course", "unknown_column"), ("leads.1.Where", "unknown_column"),
    ]  # fmt: skip
    assert refused(education, written([])) == [("leads", "no_rows")]
    with pytest.raises(Invalid) as caught:
        orders_in(b"name,price\nx,1.00\n")
    assert [fault.code for fault in caught.value.faults] == ["unknown_column"]
    for map_, code in ((MAP.replace("Created,", "Created, zone: x,"), "unknown_field"), ("vertical: [", "not_yaml")):
        with pytest.raises(Invalid) as caught:
            read_map(map_)
        assert code in [fault.code for fault in caught.value.faults]
    with pytest.raises(Invalid) as caught:
        check_map(read_map(MAP.replace("Created,", "Created, timezone: Mars/Base,")), education)
    assert [fault.code for fault in caught.value.faults] == ["unknown_timezone"]


def test_a_change_names_orders_as_the_sheet_does(education: Vertical) -> None:
    with pytest.raises(Invalid) as caught:
        report(read(education, written(LEADS)), {"orders": {"Berlin": {}}, "funds": [
            {"buyer": "Nobody", "amount": {"amount": "1.00", "currency": "EUR"}}]})  # fmt: skip
    assert [(one.field, one.code) for one in caught.value.faults] == [
        ("orders.Berlin", "unknown_order"), ("funds.0.buyer", "unknown_buyer")
    ]  # fmt: skip


def test_the_command_runs_a_history(database_url: str, tmp_path: Path) -> None:
    (tmp_path / "leads.csv").write_bytes(written(LEADS))
    (tmp_path / "orders.csv").write_text(ORDERS)
    (tmp_path / "map.yaml").write_text(MAP)
    files = [f"--{name}={tmp_path / name}.{'yaml' if name == 'map' else 'csv'}" for name in ("orders", "map")]
    files.append(f"--history={tmp_path / 'leads.csv'}")
    environment = os.environ | {"DATABASE_URL": database_url}
    done = run_program("what-if", *files, "--json", environment=environment)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["in_all"][0]["happened"]["turnover"] == "61.00"
    wrong = run_program("what-if", "--from", "2026-11-23", environment=environment)
    assert wrong.returncode == 2 and "Say --from and --to" in wrong.stderr


def with_sales(rows: Iterable[dict[str, str]]) -> tuple[bytes, str]:
    """Add to each row when it came and to whom it was sold, which the real file does not say, and sum the prices."""
    text, turnover = io.StringIO(), 0
    sheet: Any = None
    for line, row in enumerate(rows):
        buyer, price = (("", ""), ("Ada", "20.00"), ("Zuid", "9.00"))[line % 3]
        whole = row | {"Created": (MONDAY + timedelta(minutes=5 * line)).isoformat(), "Sold to": buyer, "Price": price}
        if sheet is None:
            sheet = csv.DictWriter(text, list(whole))
            sheet.writeheader()
        sheet.writerow(whole)
        turnover += int(price.replace(".", "") or 0)
    return text.getvalue().encode(), str(Money(turnover, "EUR"))


@pytest.mark.skipif(not SAMPLE, reason="LEADBOURSE_SAMPLE_LEADS names no file: the real history was NOT run")
def test_the_real_file_as_a_history_comes_out_as_it_was_and_moves_with_a_change(education: Vertical) -> None:
    assert SAMPLE is not None
    rows = list(csv.DictReader(io.StringIO(Path(SAMPLE).read_text(encoding="utf-8"))))
    leads = "\n".join("  " + line for line in MAPPING.read_text().splitlines())
    map_ = f"vertical: education\ncolumns: {{received_at: Created, buyer: Sold to, price: Price}}\nleads:\n{leads}\n"
    orders = ORDERS.replace("FR-IDF", "IN").replace(",FR,", ",IN,")
    sheet, _ = with_sales(rows)
    assert refused(education, sheet, orders, map_) == [("leads.5765.region", "unknown_country")]
    sheet, turnover = with_sales(row for row in rows if row["Country"] != "Asia/Pacific Region")
    history = read(education, sheet, orders, map_)
    found = report(history)
    assert found["what_if"] == found["happened"]
    assert (found["happened"]["leads"], found["happened"]["turnover"]) == (len(rows) - 1, turnover)
    cheaper = report(history, {"orders": {"all of France": {"status": "paused"}}})
    assert cheaper["what_if"]["leads"] == len(rows) - 1 and cheaper["difference"]["turnover"].startswith("-")
    for side in ("happened", "what_if"):
        figures = cheaper[side]
        assert sum(figures["reasons"].values()) == figures["unsold"] + figures["rejected"]
        assert figures["sold"] + figures["unsold"] + figures["rejected"] == figures["leads"]
