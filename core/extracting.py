"""What the catalogues of languages take from the program beside marked words: refusals, reasons, texts of data.

`pybabel extract` calls these (pyproject.toml). The domain says plain English, for programs; a page translates it by
`said`, which finds a sentence by its text, or by its shape when something stands in its holes.
"""

import ast
import re
from collections.abc import Collection, Iterator, Mapping
from itertools import chain
from typing import Any, BinaryIO, NamedTuple

import yaml
from babel.messages.extract import extract_python

from core.i18n import SENTENCE

REFUSALS = ("Fault", "Malformed", "Invalid", "NotSignedIn", "NotAllowed", "NotFound", "Conflict", "TooMany",
            "Unavailable")  # fmt: skip
SAID = ("message", "says", "why", "note", "detail", "advice")  # what code calls a sentence that it hands on
MARKED = "sentences"
LEAST_WORDS = 3  # of a sentence with holes: fewer would be found in other texts
_WORD = re.compile(r"[A-Za-z]{2,}")
_CODE = re.compile(r"^[a-z][a-z0-9_]*$")
_TEXTS_OF_DATA = ("says", "source", "title", "label", "help")

Found = tuple[int, str | None, Any, list[str]]


class Text(NamedTuple):
    """A text of the program, and the line it stands in; `holes` when something is put into it."""

    line: int
    text: str
    holes: bool


def extract_program(
    file: BinaryIO, keywords: Mapping[str, Any], comment_tags: Collection[str], options: Mapping[str, Any]
) -> Iterator[Found]:
    """Yield what is marked in Python code, then each sentence that it refuses or explains with."""
    yield from extract_python(file, keywords, comment_tags, options)  # type: ignore[arg-type,misc]  # its comments may be of two types
    file.seek(0)
    for one in texts_in(file.read().decode("utf-8")):
        if one.holes:
            yield one.line, "pgettext", (SENTENCE, one.text), []
        else:
            yield one.line, None, one.text, []


def extract_data(file: BinaryIO, *_: Any, **__: Any) -> Iterator[Found]:
    """Yield the texts that people read in YAML: what settings, reasons and fields say, and where they come from."""
    for text, line in _texts_of_node(yaml.compose(file)):
        yield line, None, text, []


def texts_in(code: str) -> list[Text]:
    """Return the sentences of a module in the order of its lines, each once."""
    tree = ast.parse(code)
    found = chain.from_iterable(_texts_at(node) for node in ast.walk(tree))
    return sorted(dict.fromkeys(one for one in found if _is_sentence(one)))


def _texts_at(node: ast.AST) -> Iterator[Text]:
    if isinstance(node, ast.Call):
        yield from _texts_of_call(node)
    elif isinstance(node, ast.Assign) and any(isinstance(to, ast.Name) and to.id in SAID for to in node.targets):
        yield from _written(node.value)
    elif isinstance(node, ast.Tuple) and len(node.elts) == 2 and _is_code(node.elts[0]):
        yield from _written(node.elts[1])


def _texts_of_call(call: ast.Call) -> Iterator[Text]:
    name = call.func.id if isinstance(call.func, ast.Name) else ""
    if name == MARKED:
        inside = (node for given in call.args for node in ast.walk(given))
        yield from (Text(node.lineno, node.value, False) for node in inside
                    if isinstance(node, ast.Constant) and isinstance(node.value, str))  # fmt: skip
    if name in REFUSALS:
        for given in call.args:
            yield from _written(given)
    for given_name in call.keywords:
        if given_name.arg in SAID:
            yield from _written(given_name.value)


def _written(node: ast.expr) -> Iterator[Text]:
    """Yield the texts that an expression may be: a text, one with holes, or one of two."""
    if isinstance(node, ast.IfExp):
        yield from _written(node.body)
        yield from _written(node.orelse)
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield Text(node.lineno, node.value, False)
    elif isinstance(node, ast.JoinedStr):
        yield Text(node.lineno, _shape(node), True)


def _shape(node: ast.JoinedStr) -> str:
    """Write a text with holes as the catalogues do, each hole named after what is put into it."""
    parts: list[str] = []
    taken: dict[str, str] = {}
    for part in node.values:
        if isinstance(part, ast.Constant):
            parts.append(str(part.value).replace("%", "%%"))
        elif isinstance(part, ast.FormattedValue):
            parts.append(f"%({_name_of(ast.unparse(part.value), taken)})s")
    return "".join(parts)


def _name_of(expression: str, taken: dict[str, str]) -> str:
    words = _WORD.findall(re.sub(r"[\"'].*", "", expression))
    name = known = words[-1].lower() if words else "part"
    number = 1
    while taken.setdefault(name, expression) != expression:
        number += 1
        name = f"{known}{number}"
    return name


def _is_sentence(one: Text) -> bool:
    """Tell whether people read it: several words, and of one with holes enough of them outside."""
    words = _WORD.findall(re.sub(r"%\(\w+\)s", " ", one.text) if one.holes else one.text)
    return " " in one.text.strip() and len(words) >= (LEAST_WORDS if one.holes else 2)


def _is_code(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str) and bool(_CODE.match(node.value))


def _texts_of_node(node: yaml.Node | None, key: str = "", above: str = "") -> Iterator[tuple[str, int]]:
    if isinstance(node, yaml.MappingNode):
        for name, value in node.value:
            yield from _texts_of_node(value, name.value, key)
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            yield from _texts_of_node(value, key, above)
    elif isinstance(node, yaml.ScalarNode) and (key in _TEXTS_OF_DATA or above == "sub_reasons"):
        yield node.value, node.start_mark.line + 1
