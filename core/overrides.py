"""What operators say otherwise than the shipped defaults, for the exchange or a country: kept for good, the last holds.

Whoever resolves a setting reads all of it in one statement (there are few), once a transaction.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, cast

from sqlalchemy import CheckConstraint, DateTime, Integer, Text, select, text
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Model, db
from core.defaults import NOTHING, Said, Value, faults_in_exchange, faults_in_said, find_default, setting
from core.errors import Conflict, Fault, Invalid, NotFound

EXCHANGE = ""  # the place that stands above all countries


class Reach(NamedTuple):
    """At which levels a setting is resolved (exchange, vertical, country, order), and why at no other."""

    levels: Collection[str]
    why_not: str


Reaches = Mapping[str, Reach]
"""The reach of each setting by its key."""

_SAID = text("SELECT key, country, value, at FROM core.overrides ORDER BY key, country, version")
_KEPT = "overrides"  # in the session, with the transaction in which they were read


class OverrideVersion(Model):
    """One word of an operator on a setting, for the exchange (an empty country) or a country; null takes it back."""

    __tablename__ = "overrides"
    __table_args__ = (
        CheckConstraint("length(key) BETWEEN 3 AND 100", name="overrides_key_check"),
        CheckConstraint("version > 0", name="overrides_version_check"),
        CheckConstraint("country ~ '^([A-Z]{2})?$'", name="overrides_country_check"),
        CheckConstraint("jsonb_typeof(value) IN ('number', 'boolean')", name="overrides_value_check"),
        CheckConstraint("length(btrim(reason)) BETWEEN 1 AND 1000", name="overrides_reason_check"),
        {"schema": "core"},
    )

    key: Mapped[str] = mapped_column(Text, primary_key=True)
    version: Mapped[int] = mapped_column(Integer, primary_key=True)
    country: Mapped[str] = mapped_column(Text)
    value: Mapped[Any] = mapped_column(JSONB(none_as_null=True), nullable=True)
    actor: Mapped[str] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


@dataclass(frozen=True, slots=True)
class Overrides:
    """What holds now: of the exchange, and of each country that says something."""

    exchange: Said
    countries: Mapping[str, Said]

    def of_country(self, country: str) -> Said:
        """Return what a country says."""
        return self.countries.get(country, NOTHING)

    def setting(self, key: str) -> int:
        """Return the number of a setting that neither verticals nor countries change."""
        value = setting(key, exchange=self.exchange)
        assert isinstance(value, int), f"{key} is a list"
        return value


@dataclass(frozen=True, slots=True)
class Word:
    """What somebody wants to say: `value` None takes back what was said; `seen` is the last version they looked at."""

    key: str
    country: str
    value: Value | None
    seen: int
    reason: str


def overrides(at: datetime | None = None) -> Overrides:
    """Return what holds now, or what held at an instant; read in one statement the first time in a transaction."""
    said: dict[str, dict[str, Value]] = {}
    for key, country, value, since in _all_said():
        if at is not None and since > at:
            continue
        if value is None:
            said.get(country, {}).pop(key, None)
        else:
            said.setdefault(country, {})[key] = value
    return Overrides(said.pop(EXCHANGE, {}), said)


def _all_said() -> Sequence[Any]:
    begun, kept = db.session.info.get(_KEPT, (None, ()))
    if begun is not None and begun is db.session().get_transaction():
        return cast("Sequence[Any]", kept)
    rows = db.session.execute(_SAID).all()
    db.session.info[_KEPT] = (db.session().get_transaction(), rows)
    return rows


def words_on(key: str) -> Sequence[OverrideVersion]:
    """Return everything that was said on a setting, the newest first."""
    query = select(OverrideVersion).where(OverrideVersion.key == key).order_by(OverrideVersion.version.desc())
    return db.session.scalars(query).all()


def say(word: Word, reaches: Reaches, actor: str, at: datetime) -> None:
    """Say otherwise from the commit on, or take it back; what holds already is not said again.

    Invalid `invalid_override` for a setting that nothing resolves there, or a value that its limits or what stands
    above do not permit; NotFound for an unknown key; Conflict `version_changed` when somebody said something meanwhile.
    """
    if find_default(word.key) is None:
        raise NotFound(detail="There is no such setting; `leadbourse defaults` lists them.")
    holds = overrides()
    stands = holds.exchange if word.country == EXCHANGE else holds.of_country(word.country)
    if faults := _faults(word, reaches[word.key], holds.exchange):
        raise Invalid("invalid_override", "The setting stays as it is.", faults)
    if stands.get(word.key) == word.value:
        return
    row = insert(OverrideVersion).values(
        key=word.key, version=word.seen + 1, country=word.country, value=word.value, actor=actor, reason=word.reason,
        at=at,
    )  # fmt: skip
    last = words_on(word.key)
    is_last = word.seen == (last[0].version if last else 0)
    if not is_last or db.session.scalar(row.on_conflict_do_nothing().returning(OverrideVersion.version)) is None:
        raise Conflict("version_changed", "Somebody said something else meanwhile. Look at it below, then send again.")
    db.session.info.pop(_KEPT, None)


def _faults(word: Word, reach: Reach, exchange: Said) -> list[Fault]:
    level = "exchange" if word.country == EXCHANGE else "country"
    if "exchange" not in reach.levels:
        return [Fault("key", "not_resolved", reach.why_not)]
    if level not in reach.levels:
        return [Fault("country", "not_settable_here", reach.why_not)]
    if word.value is None:
        return []
    said = {word.key: word.value}
    faults = faults_in_exchange(said) if level == "exchange" else faults_in_said("country", said, exchange)
    return [Fault("value", fault.code, fault.message) for fault in faults]
