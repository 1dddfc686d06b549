"""Words and manners: what stands at the top, what no file says, and how every module begins."""

import ast
import re
from pathlib import Path

from tests.house.tree import FLOORS, TEXT_SUFFIXES, files, imports_of, python_files, text_of, tree_of

TOP = {
    ".ci", ".gitignore", "CHANGELOG.md", "LICENSE", "README.md", "affiliates", "benchmarks", "billing", "core", "docs",
    "marketplace", "migrations", "pyproject.toml", "requirements", "run", "templates", "tests", "translations",
    "wsgi.py",
}  # fmt: skip
# The outermost loops of workers: what they catch, they log, and go on.
WORKER_LOOPS = {
    "core/rounds.py": {"run_rounds"},
    "marketplace/leads/delivery/courier.py": {"_deliver"},
    "marketplace/leads/delivery/files/runner.py": {"_deliver"},
    "marketplace/web/door.py": {"_take"},  # hands it on
}


def test_nothing_else_stands_at_the_top() -> None:
    assert {path.parts[0] for path in files()} - TOP == set()


def test_no_file_names_a_package_registrys_host() -> None:
    hosts = [".".join(parts) for parts in (
        ("pypi", "org"), ("pythonhosted", "org"), ("files", "pythonhosted"), ("npmjs", "org"), ("npmjs", "com"),
        ("proxy", "golang"), ("crates", "io"), ("rubygems", "org"), ("docker", "io"), ("ghcr", "io"),
    )]  # fmt: skip
    assert _lines_that_match("|".join(map(re.escape, hosts))) == []


def test_no_file_names_a_place_on_a_developers_machine() -> None:
    homes = "|".join(("/" + "root/", "/" + "home/", "/" + "Users/", "/" + "work/", r"[A-Z]:\\" + "Users"))
    assert _lines_that_match(rf"(?<![\w.~}}])({homes})[\w.]") == []


def _lines_that_match(pattern: str) -> list[str]:
    sought = re.compile(pattern)
    return [
        f"{path}:{number}: {line.strip()[:100]}"
        for path in files()
        if path.suffix in TEXT_SUFFIXES
        for number, line in enumerate(text_of(path).splitlines(), 1)
        if sought.search(line)
    ]


def test_every_module_begins_with_a_sentence() -> None:
    silent = [
        str(path)
        for path in python_files()
        if not re.match(r"[A-Z`].{10,}", (ast.get_docstring(tree_of(path)) or "").partition("\n")[0])
        or "." not in (ast.get_docstring(tree_of(path)) or "")
    ]

    assert silent == []


def test_only_a_workers_outermost_loop_catches_everything() -> None:
    caught = [
        f"{path}: {function}"
        for path in python_files(*FLOORS, "migrations", "benchmarks", "wsgi.py")
        for function in _catches_everything(path)
        if function not in WORKER_LOOPS.get(path.as_posix(), ())
    ]

    assert caught == []


def _catches_everything(path: Path) -> list[str]:
    """Name the functions with a bare except, or one of Exception or BaseException that does not raise again."""
    found = []
    for outer in ast.walk(tree_of(path)):
        if isinstance(outer, ast.FunctionDef | ast.AsyncFunctionDef | ast.Module):
            blind = [node for node in ast.walk(outer) if isinstance(node, ast.ExceptHandler) and _is_blind(node)]
            found += [getattr(outer, "name", "the module")] * len(blind)
    return [name for name in found if name != "the module"] or found


def _is_blind(handler: ast.ExceptHandler) -> bool:
    names = (
        {name.id for name in ast.walk(handler.type) if isinstance(name, ast.Name)} if handler.type else {"Exception"}
    )
    raises_again = isinstance(handler.body[-1], ast.Raise) and handler.body[-1].exc is None
    return bool(names & {"Exception", "BaseException"}) and not raises_again


def test_nothing_is_imported_inside_a_function() -> None:
    inside = [
        f"{path}:{node.lineno}"
        for path in python_files()
        for function in ast.walk(tree_of(path))
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]

    assert inside == []


def test_only_entry_points_commit() -> None:
    """Views, jobs and commands open `transaction()`; nothing commits by itself but core/db.py."""
    commits = [
        f"{path}:{node.lineno}"
        for path in python_files(*FLOORS)
        if path != Path("core/db.py")
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "commit"
    ]

    assert commits == []


def test_settings_are_read_once_at_the_edge() -> None:
    reading = {Path("core/config.py")}
    asked = [
        f"{path}:{node.lineno}"
        for path in python_files(*FLOORS)
        if path not in reading
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Attribute) and ast.unparse(node) in ("os.getenv", "current_app.config")
    ]

    assert asked == []


def test_tests_do_not_reach_into_the_installed_database_package() -> None:
    """Its own `get_server` leaves servers behind; core/postgres runs the programs itself."""
    package = "pixeltable_" + "pgserver"
    assert [str(path) for path in python_files() for _, name in imports_of(path) if name.split(".")[0] == package] == []


def test_the_development_pins_contain_the_others() -> None:
    pinned = re.compile(r"^([\w.-]+)==(\S+)", re.MULTILINE)
    base, dev = (dict(pinned.findall(text_of(Path(f"requirements/{name}.txt")))) for name in ("base", "dev"))

    assert base.items() <= dev.items()
