"""What a setting is for one vertical, country and order: each may narrow what stands above it and never loosen it."""

from collections.abc import Iterator, Mapping

from core.defaults.table import Default, Table, Value, find_default, value_faults
from core.errors import Fault

Said = Mapping[str, Value]
"""What one level says otherwise, by key."""

NOTHING: Said = {}
LEVELS = ("vertical", "country", "order")


def setting(
    key: str,
    vertical: Said = NOTHING,
    country: Said = NOTHING,
    order: Said = NOTHING,
    table: Table | None = None,
    exchange: Said = NOTHING,
) -> Value:
    """Return what holds: never looser than the operator's table, and never looser than the level above.

    `exchange` is what the operator says for all instead of the shipped value, anywhere within the limits.

    A level that may not say anything, says something unusable or something looser, changes nothing; `faults_in_said`
    refuses such words when they are kept. KeyError for an unknown key.
    """
    row = table.find(key) if table else find_default(key)
    if row is None:
        raise KeyError(key)
    holds = row.value
    if key in exchange and not list(value_faults(row, exchange[key])):
        holds = exchange[key]
    for level, said in zip(LEVELS, (vertical, country, order), strict=True):
        if key in said and not list(_refusals(row, level, said[key], holds)):
            holds = said[key]
    return holds


def faults_in_exchange(said: Said) -> list[Fault]:
    """Name every key of what the operator says for the whole exchange that is unknown or outside its limits."""
    faults: list[Fault] = []
    for key, value in said.items():
        row = find_default(key)
        if row is None:
            faults.append(Fault(key, "unknown_setting", "Choose a key that `leadbourse defaults` lists."))
        else:
            faults += [Fault(key, *verdict) for verdict in value_faults(row, value)]
    return faults


def faults_in_said(level: str, said: Said, above: Said = NOTHING, table: Table | None = None) -> list[Fault]:
    """Name every key of a level's words that the operator's table does not permit; `above` is what holds over it."""
    faults: list[Fault] = []
    for key, value in said.items():
        row = table.find(key) if table else find_default(key)
        if row is None:
            faults.append(Fault(key, "unknown_setting", "Choose a key that `leadbourse defaults` lists."))
        else:
            faults += [Fault(key, *verdict) for verdict in _refusals(row, level, value, above.get(key, row.value))]
    return faults


def _refusals(row: Default, level: str, value: Value, above: Value) -> Iterator[tuple[str, str]]:
    if not (row.vertical != "no" if level == "vertical" else getattr(row, level)):
        yield "not_settable_here", f"Remove it: {row.key} is not for the level {level} to set."
        return
    if verdicts := list(value_faults(row, value)):
        yield from verdicts
    elif not (level == "vertical" and row.vertical == "within_limits") and is_looser(row, value, above):
        least = "at most" if row.looser == "more" else "at least"
        yield "setting_loosened", f"Send {least} {above}: what stands above may be narrowed here and never loosened."


def is_looser(row: Default, value: Value, than: Value) -> bool:
    """Tell whether one value of a setting permits more than another."""
    if isinstance(value, list) or isinstance(than, list) or row.looser == "neither":
        return value != than
    return value > than if row.looser == "more" else value < than
