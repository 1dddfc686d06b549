"""From somebody's columns to a lead: a mapping, compiled for one vertical and one instant."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from core.errors import Fault, Malformed
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
        self.paths = list(mapping.fields)
        self._takes = [compile_rules(path, rules, reading) for path, rules in mapping.fields.items()]
        self._assembler = Assembler(self.paths, vertical)

    def lead(self, columns: Columns) -> Submission:
        """Make a lead of one row; Malformed with every bad field when it is none."""
        return self._assembler.submission((take(columns) for take in self._takes), vertical=self._slug)

    def values(self, columns: Columns) -> tuple[dict[str, Any], list[Fault]]:
        """Return what a row gives each field, before it is a lead, and the faults of the fields it gives nothing."""
        found: dict[str, Any] = {}
        faults: list[Fault] = []
        for path, take in zip(self.paths, self._takes, strict=True):
            try:
                found[path] = take(columns)
            except Malformed as refused:
                faults += refused.faults
        return found, faults
