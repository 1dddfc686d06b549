"""The edge: no route without a guard, and every code that a refusal may carry stands in docs/errors.md."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from flask import Flask

from core import errors
from tests.house.tree import FLOORS, python_files, text_of, tree_of

REFUSALS = {name for name, one in vars(errors).items() if isinstance(one, type) and issubclass(one, errors.DomainError)}
CODE = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
# Where the values of a table are codes, or its keys.
TABLES_BY_KEY = {"REASONS", "SENTENCES"}
TABLES_BY_VALUE = {"CODE_OF_STATUS"}


def test_every_route_says_who_may_use_it(app: Flask) -> None:
    unguarded = [
        f"{rule} ({rule.endpoint})"
        for rule in app.url_map.iter_rules()
        if rule.endpoint != "static" and not rule.endpoint.endswith(".static")
        if not getattr(app.view_functions[rule.endpoint], "guard", "")
    ]

    assert len(list(app.url_map.iter_rules())) > 20
    assert unguarded == []


def test_every_error_code_is_documented() -> None:
    assert sorted(set(_codes()) - _documented()) == []


def test_every_documented_code_exists() -> None:
    assert sorted(_documented() - set(_codes())) == []


def test_no_code_is_documented_twice() -> None:
    rows = _rows()

    assert sorted(code for code in set(rows) if rows.count(code) > 1) == []


def _documented() -> set[str]:
    return set(_rows())


def _rows() -> list[str]:
    return re.findall(r"^\| `([^`]+)` \|", text_of(Path("docs/errors.md")), re.MULTILINE)


def _codes() -> Iterator[str]:
    for path in python_files(*FLOORS):
        for node in ast.walk(tree_of(path)):
            match node:
                case ast.ClassDef(name=name) if name in REFUSALS:
                    yield from _class_codes(node)
                case ast.Call():
                    yield from _call_codes(node)
                case ast.Tuple():
                    yield from _verdicts(node)
                case ast.Assign(targets=[ast.Name(id=name)], value=ast.Dict() as table):
                    yield from _table_codes(name, table)
                case ast.AnnAssign(target=ast.Name(id=name), value=ast.Dict() as table):
                    yield from _table_codes(name, table)
                case ast.AnnAssign(
                    target=ast.Name(id=name), value=ast.Call(func=ast.Name(id="sentences"), args=[ast.Dict() as table])
                ):
                    yield from _table_codes(name, table)


def _class_codes(node: ast.ClassDef) -> Iterator[str]:
    for each in node.body:
        if isinstance(each, ast.Assign) and ast.unparse(each.targets[0]) == "code":
            yield from _texts(each.value)


def _call_codes(node: ast.Call) -> Iterator[str]:
    name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
    place = 0 if name in REFUSALS - {"TooMany"} else {"Fault": 1, "problem": 2}.get(name)
    if place is not None and len(node.args) > place:
        yield from _texts(node.args[place])


def _verdicts(node: ast.Tuple) -> Iterator[str]:
    """Yield the code of a pair of code and sentence, as checks hand them to whoever makes the Fault."""
    for code, sentence in zip(node.elts, node.elts[1:], strict=False):
        words = "".join(_texts(sentence, every=True))
        if isinstance(code, ast.Constant) and re.match(r"(Send|Choose|Remove|Give) .*\.?$", words):
            yield from _texts(code)


def _table_codes(name: str, table: ast.Dict) -> Iterator[str]:
    for one in table.keys if name in TABLES_BY_KEY else table.values if name in TABLES_BY_VALUE else ():
        if one is not None:
            yield from _texts(one)


def _texts(node: ast.expr, *, every: bool = False) -> Iterator[str]:
    """Yield the codes that an expression may have as its value; a code made of parts ends with `…`."""
    match node:
        case ast.Constant(value=str(text)) if every or CODE.fullmatch(text):
            yield text
        case ast.IfExp():
            yield from (*_texts(node.body, every=every), *_texts(node.orelse, every=every))
        case ast.JoinedStr(values=[ast.Constant(value=str(text)), *_]):
            yield f"{text}…"
