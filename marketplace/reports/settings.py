"""The exchange's settings as operators see them: what is shipped, who says otherwise, and what holds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from core.defaults import Default, Section, Value, defaults, find_default, setting, show_quantity
from core.errors import NotFound
from core.overrides import Overrides, OverrideVersion, Reach, overrides, words_on
from marketplace.catalog.definition import said_in
from marketplace.catalog.shelf import all_verticals
from marketplace.resolved import LEVELS, REACHES


@dataclass(frozen=True, slots=True)
class Shown:
    """One setting, what holds for the exchange, and what countries and verticals say otherwise."""

    row: Default
    exchange: Value | None
    countries: Mapping[str, Value]
    verticals: Mapping[str, Value]
    reach: Reach

    def written(self, value: Value) -> str:
        """Write a value of this setting as people read it."""
        return self.row.shown if isinstance(value, list) else show_quantity(value, self.row.unit)

    @property
    def levels(self) -> Sequence[str]:
        """Return who may say it otherwise, the widest first."""
        return [level for level in LEVELS if level in self.reach.levels]

    @property
    def why_not(self) -> str:
        """Say why nobody else may; empty when everybody may."""
        return "" if len(self.levels) == len(LEVELS) else self.reach.why_not

    @property
    def holds(self) -> str:
        """Return what holds where neither a country nor a vertical says otherwise."""
        return self.row.shown if self.exchange is None else self.written(self.exchange)

    @property
    def bounds(self) -> str:
        """Return between which values it may lie."""
        return (", " if self.row.choices else " … ").join(self.row.bounds)

    @property
    def is_changed(self) -> bool:
        """Tell whether an operator says otherwise than what is shipped."""
        return self.exchange is not None or bool(self.countries)


@dataclass(frozen=True, slots=True)
class Story:
    """One setting with everything that was said on it, the newest first."""

    shown: Shown
    words: Sequence[OverrideVersion]

    @property
    def seen(self) -> int:
        """Return the last version, which a change must name."""
        return self.words[0].version if self.words else 0


def settings_shown() -> list[tuple[Section, list[Shown]]]:
    """Return every setting by section, in two statements."""
    said, verticals = overrides(), _by_vertical()
    return [(section, [_shown(row, said, verticals) for row in section.settings]) for section in defaults().sections]


def setting_story(key: str) -> Story:
    """Tell one setting; NotFound for an unknown key."""
    row = find_default(key)
    if row is None:
        raise NotFound(detail="There is no such setting; the list of settings names them.")
    return Story(_shown(row, overrides(), _by_vertical()), words_on(key))


def _by_vertical() -> dict[str, Mapping[str, Value]]:
    return {vertical.slug: said_in(vertical.definition) for vertical in all_verticals()}


def _shown(row: Default, said: Overrides, verticals: Mapping[str, Mapping[str, Value]]) -> Shown:
    """Tell what holds, which is not all that was said: a later word above it may have left it no room."""
    holds = setting(row.key, exchange=said.exchange)
    countries = {
        code: value for code, words in sorted(said.countries.items())
        if (value := setting(row.key, country=words, exchange=said.exchange)) != holds
    }  # fmt: skip
    differing = {slug: words[row.key] for slug, words in verticals.items() if words.get(row.key, holds) != holds}
    return Shown(row, None if holds == row.value else holds, countries, differing, REACHES[row.key])
