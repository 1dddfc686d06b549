"""What a publisher says of a file's columns, and the mapping of an import that comes of it."""

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct, to_builtins

from core.errors import Fault
from marketplace.catalog.verticals import Vertical
from marketplace.leads.imports.mapping import MappingFile, check_mapping
from marketplace.leads.uploads.targets import Target, by_path, date_format_of, guesses, targets_of


class Said(Struct, frozen=True, omit_defaults=True):
    """Of one field: the column it comes from, what counts when that says nothing, how its texts and dates are read."""

    column: str = ""
    constant: str = ""
    values: dict[str, str] = {}
    format: str = ""


class Answers(Struct, frozen=True):
    """What was said of a file: each field by its path, the texts that say nothing, the country and zone that count."""

    fields: dict[str, Said]
    empty: tuple[str, ...] = ()
    country: str = ""
    timezone: str = "UTC"


def first_answers(
    vertical: Vertical, header: Sequence[str], samples: Mapping[str, Sequence[str]], before: Answers | None
) -> Answers:
    """Fill in what is likely: what was said of the last file, as far as its columns are here too, else by names."""
    targets = targets_of(vertical)
    if before is not None:
        kept = {path: said for path, said in before.fields.items() if not said.column or said.column in header}
        taken = {said.column for said in kept.values()}
        left = [target for target in targets if target.path in before.fields and target.path not in kept]
        found = {path: name for path, name in guesses(left, header).items() if name not in taken}
        fields = kept | {path: _guessed(by_path(targets)[path], name, samples) for path, name in found.items()}
        return Answers(fields, before.empty, before.country, before.timezone)
    found = guesses(targets, header)
    return Answers({path: _guessed(by_path(targets)[path], name, samples) for path, name in found.items()})


def _guessed(target: Target, name: str, samples: Mapping[str, Sequence[str]]) -> Said:
    is_dated = target.kind in ("instant", "date")
    return Said(column=name, format=date_format_of(samples[name]) if is_dated else "")


def mapping_of_answers(
    answers: Answers, vertical: Vertical, source_name: str, encoding: str, delimiter: str
) -> MappingFile:
    """Make the mapping that the import reads; Invalid `invalid_mapping` with every fault, named as `place_of` tells."""
    targets = by_path(targets_of(vertical))
    fields = {
        path: _rules(targets[path], said, answers) for path, said in answers.fields.items() if path in targets
    }  # fmt: skip
    fields.setdefault("region", [{"constant": answers.country}] if answers.country else [])
    fields["source.name"] = [{"constant": source_name}]
    document = {
        "encoding": encoding, "delimiter": delimiter, "timezone": answers.timezone, "empty": list(answers.empty),
        "fields": {path: rules for path, rules in fields.items() if rules},
    }  # fmt: skip
    return check_mapping(document, vertical)


def place_of(fault: Fault, targets: Sequence[Target]) -> str:
    """Name the part of the answers that a fault of the mapping is about: path, hyphen, part; or a part of the file."""
    inside = fault.field.removeprefix("fields.")
    if inside == "region" or (inside.startswith("region.") and inside.endswith(".constant")):
        return "country"
    path = max((one.path for one in targets if f"{inside}.".startswith(f"{one.path}.")), key=len, default="")
    if not path:
        return fault.field
    part = "constant" if inside.endswith(("constant", "default")) else "values" if ".values." in inside else "column"
    return f"{path}-{part}"


def _rules(target: Target, said: Said, answers: Answers) -> list[dict[str, Any]]:
    if target.kind == "region":
        return _region_rules(said, answers.country)
    rules: list[dict[str, Any]] = [{"column": said.column, **_reading(target, said)}] if said.column else []
    return rules + ([{"constant": _typed(target, said.constant)}] if said.constant else [])


def _reading(target: Target, said: Said) -> dict[str, Any]:
    if target.kind in ("instant", "date"):
        return {"format": said.format} if said.format else {}
    known = {word: word for word in target.words} | said.values
    return {"values": known, "unlisted": "keep"} if known else {}


def _typed(target: Target, text: str) -> Any:
    return {"true": True, "false": False}.get(text.casefold(), text) if target.kind == "boolean" else text


def _region_rules(said: Said, country: str) -> list[dict[str, Any]]:
    """Read a column as country, as region with its country, as region of the default country; else refuse the row."""
    rules: list[dict[str, Any]] = []
    if said.column:
        rules.append({"column": said.column, "read": "country", "unlisted": "skip", "values": said.values})
        if country and not set("{}") & set(said.column):
            inside = f"{country[:2]}-{{{said.column}}}"
            rules.append({"template": inside, "read": "region", "unlisted": "skip"})
        rules.append({"column": said.column, "read": "region"})
    last = said.constant or country
    return rules + ([{"constant": last}] if last else [])


def stored(answers: Answers) -> dict[str, Any]:
    """Return answers as plain values, to be kept."""
    plain: dict[str, Any] = to_builtins(answers)
    return plain
