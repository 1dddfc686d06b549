"""`leads import` as a process of its own: what it prints, what it refuses, how much memory it takes."""

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.command_line import run_program
from tests.education_file import MAPPING, SMALL, make_education_file
from tests.factories import Market


def run_command(database_url: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `leads import` as a process of its own."""
    return run_program("leads", "import", *arguments, environment=os.environ | {"DATABASE_URL": database_url})


def test_the_command_prints_one_document_and_writes_every_error(
    market: Market, database_url: str, tmp_path: Path
) -> None:
    (tmp_path / "x.csv").write_text("mail,name,visits\na@example.com,A,1\n" + "b@example.com,B\n" * 150)
    (tmp_path / "m.yaml").write_text(SMALL)
    publisher = market.make_publisher()

    done = run_command(
        database_url, str(tmp_path / "x.csv"), "--publisher", publisher.id, "--vertical", "education",
        "--mapping", str(tmp_path / "m.yaml"), "--json", "--errors", str(tmp_path / "errors.ndjson"),
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert {name: report[name] for name in ("rows", "accepted", "rejected", "sold", "duplicate", "reasons")} == {
        "rows": 151, "accepted": 1, "rejected": 150, "sold": 0, "duplicate": 0, "reasons": {"wrong_columns": 150},
    }  # fmt: skip
    assert (len(report["errors"]), report["errors_left_out"]) == (100, 50)
    errors = [json.loads(line) for line in (tmp_path / "errors.ndjson").read_text().splitlines()]
    assert [error["line"] for error in errors] == list(range(3, 153))


def test_the_command_refuses_a_buyer_and_an_unknown_vertical(market: Market, database_url: str, tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("mail,name,visits\n")
    buyer, publisher = market.make_buyer("0"), market.make_publisher()
    file = [str(tmp_path / "x.csv"), "--mapping", str(MAPPING)]

    for account, vertical in ((buyer.id, "education"), (publisher.id, "astrology")):
        done = run_command(database_url, *file, "--publisher", account, "--vertical", vertical)
        assert (done.returncode, done.stdout) == (1, "")
        assert "There is no" in done.stderr


_MEMORY = """
import resource, sys
from pathlib import Path
from core.config import Settings
from core.db import transaction
from core.ids import parse_id
from marketplace.app import create_app
from marketplace.catalog.shelf import get_vertical
from marketplace.leads.imports.mapping import read_mapping
from marketplace.leads.imports.run import LeadFile, Report, import_leads
from marketplace.leads.intake import Sender

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024

url, publisher, mapping, *files = sys.argv[1:]
with create_app(Settings(Path(files[0]).parent, url), url).app_context():
    with transaction():
        _, vertical = get_vertical("education")
    read = read_mapping(Path(mapping).read_text(), vertical)
    for name in files:
        with open(name, "rb") as stream:
            report = Report()
            file = LeadFile(stream, name, read, vertical)
            import_leads(file, Sender(parse_id("acc", publisher), None), report, dry_run=name.endswith("large.csv"))
            print(report.rows, peak())
"""


def test_the_memory_of_an_import_does_not_grow_with_the_file(market: Market, database_url: str, tmp_path: Path) -> None:
    small = make_education_file(tmp_path / "small.csv", 1_500)
    longer = make_education_file(tmp_path / "longer.csv", 4_500)
    large = make_education_file(tmp_path / "large.csv", 50_000)

    done = subprocess.run(
        [sys.executable, "-c", _MEMORY, database_url, market.make_publisher().id, str(MAPPING),
         str(small), str(longer), str(large)], capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    (_, first), (_, second), (rows, third) = (map(int, line.split()) for line in done.stdout.splitlines())
    assert rows == 50_000
    assert max(second, third) - first < 12  # MiB; the large file alone has 15
