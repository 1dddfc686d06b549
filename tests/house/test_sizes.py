"""Sizes: a file or function that has grown too long is split by what it does."""

import ast
import re
from pathlib import Path

from tests.house.tree import FLOORS, files, functions_of, lines_of, python_files, sql_files, text_of

MOST_FILE_LINES, MOST_FUNCTION_LINES, MOST_VIEW_LINES = 400, 50, 15
# From CREATE FUNCTION to the end of its dollar-quoted body.
SQL_FUNCTION = re.compile(
    r"^CREATE (?:OR REPLACE )?(?:FUNCTION|PROCEDURE) (\S+?)\(.*?\$(\w*)\$.*?\$\2\$", re.DOTALL | re.MULTILINE
)
VERBS = {"get", "post", "patch", "put", "delete", "route"}


def test_no_file_is_longer_than_400_lines() -> None:
    long = [
        f"{path}: {count}"
        for path in files()
        if path.suffix in (".py", ".sql", ".html", ".js", ".css") or path.name == "run"
        if (count := len(text_of(path).splitlines())) > MOST_FILE_LINES
    ]

    assert long == []


def test_no_function_is_longer_than_50_lines() -> None:
    long = [
        f"{path}: {node.name} {count}"
        for path in python_files()
        for node in functions_of(path)
        # A state machine of Hypothesis is a class of short rules within the function that ties it to a database.
        if not any(isinstance(inner, ast.ClassDef) for inner in node.body)
        if (count := lines_of(node)) > MOST_FUNCTION_LINES
    ]

    assert long == []


def test_no_sql_function_is_longer_than_50_lines() -> None:
    found = [(path, match) for path in sql_files() for match in SQL_FUNCTION.finditer(text_of(path))]
    long = [f"{path}: {m[1]} {m[0].count(chr(10)) + 1}" for path, m in found if m[0].count("\n") >= MOST_FUNCTION_LINES]

    assert len(found) > 30
    assert long == []


def test_no_view_is_longer_than_15_lines() -> None:
    views = [
        (path, node)
        for path in python_files(*FLOORS)
        if "web" in path.parts
        for node in functions_of(path)
        if any(_routes(decorator) for decorator in node.decorator_list)
    ]
    long = [f"{path}: {node.name} {count}" for path, node in views if (count := lines_of(node)) > MOST_VIEW_LINES]

    assert len(views) > 10
    assert long == []


def _routes(decorator: ast.expr) -> bool:
    return (
        isinstance(decorator, ast.Call)
        and isinstance(decorator.func, ast.Attribute)
        and decorator.func.attr in VERBS
        and isinstance(decorator.func.value, ast.Name)
    )


def test_a_file_is_named_by_what_it_knows() -> None:
    vague = {"utils", "util", "helpers", "helper", "common", "services", "service", "managers", "manager", "misc"}
    named = [str(path) for path in files() if vague & set(Path(path).with_suffix("").parts)]

    assert named == []
