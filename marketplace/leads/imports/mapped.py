"""From somebody's columns to a lead: a mapping, compiled for one vertical and one instant."""

from datetime import datetime
from zoneinfo import ZoneInfo

from marketplace.catalog.verticals import Vertical
from marketplace.leads.columns import Assembler
from marketplace.leads.imports.mapping import MappingFile
from marketplace.leads.imports.rules import Columns, Reading, compile_rules
from marketplace.leads.submission import Submission


class Mapped:
    """Reads rows by a mapping; `at` is what `instant: import` gives."""

    def __init__(self, mapping: MappingFile, vertical: Vertical, at: datetime) -> None:
        reading = Reading(
            frozenset(text.strip().casefold() for text in mapping.empty), ZoneInfo(mapping.timezone), at
        )  # fmt: skip
        self._slug = vertical.slug
        self._takes = [compile_rules(path, rules, reading) for path, rules in mapping.fields.items()]
        self._assembler = Assembler(list(mapping.fields), vertical)

    def lead(self, columns: Columns) -> Submission:
        """Make a lead of one row; Malformed with every bad field when it is none."""
        return self._assembler.submission((take(columns) for take in self._takes), vertical=self._slug)
