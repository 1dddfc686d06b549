"""What the house tests look at: the project's own files, read and parsed once."""

import ast
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FLOORS = ("core", "billing", "affiliates", "marketplace")  # from the ground up
NOT_OURS = (".git", ".venv", "var", "__pycache__")
TEXT_SUFFIXES = {
    ".py",
    ".sql",
    ".md",
    ".txt",
    ".in",
    ".toml",
    ".yaml",
    ".ini",
    ".html",
    ".css",
    ".js",
    ".sh",
    ".json",
    "",
}


@cache
def files() -> tuple[Path, ...]:
    """Return the project's files relative to its root: what git tracks or would track, or without git all of them."""
    ask = ["git", "-c", "safe.directory=*", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    try:
        listed = subprocess.run(ask, cwd=ROOT, capture_output=True, check=True).stdout.decode().split("\0")
        paths = [Path(name) for name in listed if name]
    except (OSError, subprocess.CalledProcessError):
        paths = [path.relative_to(ROOT) for path in ROOT.rglob("*") if path.is_file()]
        paths = [path for path in paths if not set(path.parts) & set(NOT_OURS) and ".egg-info" not in str(path)]
    return tuple(sorted(path for path in paths if (ROOT / path).is_file()))


def python_files(*tops: str) -> list[Path]:
    """Return the Python files below some folders of the root, or all of them."""
    return [path for path in files() if path.suffix == ".py" and (not tops or path.parts[0] in tops)]


def sql_files() -> list[Path]:
    """Return the SQL files of the migrations."""
    return [path for path in files() if path.suffix == ".sql" and path.parts[0] == "migrations"]


@cache
def text_of(path: Path) -> str:
    """Return a file's text."""
    return (ROOT / path).read_text(encoding="utf-8")


@cache
def tree_of(path: Path) -> ast.Module:
    """Return a Python file's syntax tree."""
    return ast.parse(text_of(path), str(path))


def functions_of(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Yield every function of a Python file, methods and inner ones too."""
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def lines_of(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Count a function's lines, its docstring and decorators left out."""
    start = node.body[0].end_lineno or 0 if ast.get_docstring(node) else node.lineno
    return (node.end_lineno or 0) - start + 1


def imports_of(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the line and the dotted name of everything that a file imports; of `from a import b`, both `a` and `a.b`."""
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, name.name) for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.lineno, node.module
            yield from ((node.lineno, f"{node.module}.{name.name}") for name in node.names)


def strings_of(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the line and the text of every string in a Python file, without the docstrings."""
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            yield node.lineno, node.value
