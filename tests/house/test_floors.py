"""The floors: imports only go down, every floor is entered by its face, outsiders have one door each."""

import ast
import re
import sys
from pathlib import Path

import importlinter.cli
from importlinter.cli import lint_imports

from tests.house.tree import FLOORS, ROOT, imports_of, python_files, sql_files, strings_of, text_of, tree_of

PURE = (
    "billing/bank/camt.py",
    "billing/bank/camt_entries.py",
    "billing/bank/lines.py",
    "billing/bank/matching.py",
    "billing/bank/references.py",
    "billing/bank/sheet.py",
    "billing/iban.py",
    "billing/payouts/pain.py",
    "billing/payouts/sheets.py",
    "billing/payouts/stages.py",
    "affiliates/payouts/calendar.py",
    "affiliates/payouts/deciding.py",
    "billing/documents/taxes.py",
    "billing/bank/sides.py",
    "core/defaults/resolving.py",
    "core/defaults/table.py",
    "core/money.py",
    "core/months.py",
    "marketplace/catalog/contact_rules.py",
    "marketplace/catalog/definition.py",
    "marketplace/catalog/dispute_rules.py",
    "marketplace/catalog/fields.py",
    "marketplace/catalog/holidays.py",
    "marketplace/catalog/prices.py",
    "marketplace/leads/auction.py",
    "marketplace/leads/contact_speed.py",
    "marketplace/leads/delivery/breaker.py",
    "marketplace/leads/disputes/credit.py",
    "marketplace/leads/disputes/deadlines.py",
    "marketplace/leads/disputes/filetypes.py",
    "marketplace/leads/disputes/verdicts.py",
    "marketplace/leads/matching.py",
    "marketplace/leads/scoring.py",
    "marketplace/leads/stages.py",
    "marketplace/leads/validation.py",
    "marketplace/market/figures.py",
    "marketplace/market/histograms.py",
    "marketplace/market/seeds.py",
    "marketplace/market/steps.py",
    "marketplace/market/suggestion.py",
    "marketplace/market/wilson.py",
    "marketplace/market/winning.py",
)
CLOCKS = {"now", "utcnow", "today", "time", "monotonic", "perf_counter"}
LOOKS_LIKE_SQL = re.compile(r"\b(SELECT|INSERT INTO|UPDATE|DELETE FROM|FROM|JOIN|CREATE)\b")


def test_every_import_contract_is_kept(capsys, monkeypatch) -> None:
    monkeypatch.setattr(importlinter.cli, "_configure_logging", lambda _: None)  # it would silence every log of ours
    status = lint_imports(config_filename=str(ROOT / "pyproject.toml"), no_cache=True)

    assert status == 0, capsys.readouterr().out


def test_imports_only_go_down() -> None:
    upward = [
        f"{path}:{line} imports {name}"
        for path in python_files(*FLOORS)
        for line, name in imports_of(path)
        if name.split(".")[0] in FLOORS and FLOORS.index(name.split(".")[0]) > FLOORS.index(path.parts[0])
    ]

    assert upward == []


def test_a_lower_floor_is_entered_by_its_face() -> None:
    """Looks at the spelling, where import-linter takes a function of the face for the module of the same name."""
    edges = {"billing.cli", "billing.jobs", "billing.web", "affiliates.cli", "affiliates.jobs", "affiliates.web"}
    deeper = [
        f"{path}:{node.lineno} imports from {node.module}"
        for path in python_files("affiliates", "marketplace")
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.ImportFrom) and node.module
        if re.match(r"(billing|affiliates)\.", node.module) and not node.module.startswith(path.parts[0] + ".")
        if not (_composes(path) and ".".join(node.module.split(".")[:2]) in edges)
    ]

    assert deeper == []


def _composes(path: Path) -> bool:
    return path == Path("marketplace/app.py") or path.parts[:2] == ("marketplace", "cli")


def test_no_room_imports_in_a_circle() -> None:
    """Rooms are the folders of a floor; the files of one room may know each other."""
    edges: dict[str, set[str]] = {}
    for path in python_files(*FLOORS):
        here = _room(".".join(path.with_suffix("").parts))
        there = {_room(name) for _, name in imports_of(path) if name.split(".")[0] in FLOORS}
        edges.setdefault(here, set()).update(there - {here})
    for start in edges:
        assert start not in _reached(edges, edges[start]), f"{start} is imported by what it imports"


def _room(module: str) -> str:
    """Name the folder that a module lies in; a file directly on a floor is a room of its own."""
    parts = module.split(".")
    folder = ROOT.joinpath(*parts[:2])
    return ".".join(parts[:2]) if folder.is_dir() or folder.with_suffix(".py").is_file() else parts[0]


def _reached(edges: dict[str, set[str]], start: set[str]) -> set[str]:
    reached: set[str] = set()
    waiting = set(start)
    while waiting:
        room = waiting.pop()
        reached.add(room)
        waiting |= edges.get(room, set()) - reached
    return reached


def test_no_sql_of_an_upper_floor_touches_a_lower_floors_tables() -> None:
    tables = _tables()
    touched = [
        f"{path} touches {name}" for path in sql_files() for name in _touched(text_of(path), _floor(path), tables)
    ]
    touched += [
        f"{path}:{line} touches {name}"
        for path in python_files(*FLOORS)
        for line, text in strings_of(path)
        if LOOKS_LIKE_SQL.search(text)
        for name in _touched(text, path.parts[0], tables)
    ]

    assert touched == []


def test_the_floors_of_sql_are_found() -> None:
    assert {floor for floor, _ in _tables()} == set(FLOORS)


def _tables() -> set[tuple[str, str]]:
    made = re.compile(
        r"CREATE (?:UNLOGGED )?(?:TABLE|(?:MATERIALIZED )?VIEW|SEQUENCE)\s+(?:IF NOT EXISTS )?(\w+)\.(\w+)"
    )
    return {(schema, name) for path in sql_files() for schema, name in made.findall(text_of(path))}


def _floor(path: Path) -> str:
    """Return the schema that most of a migration's folder creates in: `0002_ledger` is billing's."""
    made = re.findall(r"CREATE (?:OR REPLACE )?\w+ (?:\w+ )?(\w+)\.", "".join(map(text_of, path_siblings(path))))
    return max(FLOORS, key=made.count)


def path_siblings(path: Path) -> list[Path]:
    """Return the SQL files of the same migration."""
    return [other for other in sql_files() if other.parent == path.parent]


def _touched(sql: str, floor: str, tables: set[tuple[str, str]]) -> set[str]:
    """Name the tables of lower floors in a text; a table's name may still type a parameter or a result."""
    plain = re.sub(r"--[^\n]*", "", sql)
    after = r"(?:FROM|JOIN|INTO|UPDATE|TABLE|ONLY|USING|REFERENCES|ON)\s+"
    lower = FLOORS[: FLOORS.index(floor)]
    found = re.findall(after + r"(\w+)\.(\w+)\b(?!\s*\()", plain, re.IGNORECASE)
    found += [(schema, name) for schema, name in re.findall(r",\s*(\w+)\.(\w+)\s+(?:AS\s+)?\w+", plain, re.IGNORECASE)
              if (schema, name) in tables and "(" not in name and LOOKS_LIKE_SQL.search(plain) and floor != schema
              and re.search(rf"FROM[^()]*,\s*{schema}\.{name}", plain, re.IGNORECASE)]  # fmt: skip
    return {f"{schema}.{name}" for schema, name in found if schema in lower and (schema, name) in tables}


def test_what_decides_asks_no_clock_and_no_database() -> None:
    for name in PURE:
        path = Path(name)
        calls = {
            node.func.attr
            for node in ast.walk(tree_of(path))
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
        }
        imported = {dotted.split(".")[0] for _, dotted in imports_of(path)}
        assert not calls & CLOCKS, f"{name} asks a clock"
        assert not imported & {"flask", "sqlalchemy", "psycopg", "time", "random", "os"}, f"{name} reaches outside"


def test_billing_knows_nobodys_business() -> None:
    words = re.compile(r"(?<![a-z])(lead|buyer|dispute)(s|d)?(?![a-z])", re.IGNORECASE)
    said = [
        f"{path}: {match[0]}"
        for path in [*python_files("billing"), *(path for path in sql_files() if _floor(path) == "billing")]
        if path.stem not in ("stripe_gateway", "stripe_events") and "fake_stripe" not in path.parts
        for match in words.finditer(text_of(path).replace("lead to", "").replace("_", " "))
    ]

    assert said == []


def test_the_interpreter_is_one_that_is_promised() -> None:
    assert sys.version_info >= (3, 11)
