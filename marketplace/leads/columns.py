"""From a flat row to a lead: columns are paths into the lead, and text becomes the type that its field has."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from core.errors import Fault, Malformed
from core.schemas import convert
from marketplace.catalog.verticals import Vertical
from marketplace.leads.submission import Submission

Reader = Callable[[str], Any]

YES = frozenset({"true", "yes", "y", "1"})
NO = frozenset({"false", "no", "n", "0"})


def read_boolean(text: str) -> Any:
    """Read true/yes/y/1 and false/no/n/0 in letters of any case; other text stays text, and its field refuses it."""
    word = text.strip().lower()
    return word in YES if word in YES or word in NO else text


def read_integer(text: str) -> Any:
    """Read a whole number, also one written 2.0; other text stays text."""
    number = read_number(text)
    return int(number) if isinstance(number, float) and number.is_integer() and abs(number) < 2**53 else number


def read_number(text: str) -> Any:
    """Read a number with a decimal point; other text stays text, also `nan` and `1_000`."""
    plain = text.strip()
    if len(plain) > 40 or not plain.isascii() or "_" in plain or not any(digit.isdigit() for digit in plain):
        return text
    try:
        return int(plain) if plain.lstrip("+-").isdigit() and len(plain) <= 18 else float(plain)
    except ValueError:
        return text


def _read_list(text: str) -> list[str]:
    return [part.strip() for part in text.split(";") if part.strip()]


_OF_KIND: dict[str, Reader] = {"integer": read_integer, "number": read_number, "boolean": read_boolean}
_OF_PATH: dict[str, Reader] = {
    "exclusive_only": read_boolean,
    "test": read_boolean,
    "source.form_seconds": read_number,
    "consent.recipients": _read_list,
}


def readers_of(vertical: Vertical | None) -> dict[str, Reader]:
    """Return how text becomes a value, for each path whose field is not text."""
    fields = vertical.fields if vertical else ()
    return _OF_PATH | {f"attributes.{field.name}": _OF_KIND[field.type] for field in fields if field.type in _OF_KIND}


def check_paths(paths: Sequence[str]) -> None:
    """Refuse paths of which one repeats another or lies inside it; Malformed `wrong_columns` names them all."""
    taken: dict[str, str] = {}
    faults = []
    for path in paths:
        heads = [path[:place] for place in range(len(path)) if path[place] == "."]
        clash = path in taken or any(taken.get(head) == "leaf" for head in heads)
        if clash or not all(path.split(".")):
            faults.append(Fault(path[:100], "wrong_columns", "Name each field once, and not a part of it as well."))
        taken.update(dict.fromkeys(heads, "branch"))
        taken[path] = "leaf"
    if faults:
        raise Malformed("wrong_columns", "The columns contradict each other; each is named.", faults)


class Assembler:
    """Puts the values of some paths together into leads; made once for many rows."""

    def __init__(self, paths: Sequence[str], vertical: Vertical | None) -> None:
        """Prepare for rows whose values come in the order of these paths; Malformed as `check_paths`."""
        check_paths(paths)
        readers = readers_of(vertical)
        self._places = [(*self._split(path), readers.get(path)) for path in paths]

    @staticmethod
    def _split(path: str) -> tuple[tuple[str, ...], str]:
        *parents, name = path.split(".")
        return tuple(parents), name

    def submission(self, values: Iterable[Any], **also: Any) -> Submission:
        """Make a lead; None and empty text mean left out. Malformed with every bad field when it is none."""
        document: dict[str, Any] = {"contact": {}, **also}
        for (parents, name, reader), value in zip(self._places, values, strict=True):
            if value is None or value == "":
                continue
            inner = document
            for parent in parents:
                inner = inner.setdefault(parent, {})
            inner[name] = reader(value) if reader is not None and isinstance(value, str) else value
        return convert(document, Submission)
