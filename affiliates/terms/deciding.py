"""Which tier a publisher has earned, by figures of the ledger alone: one step up at a time, down as far as it takes.

Nobody flaps. A tier that was earned is kept until the upheld share is beyond the limit by a margin; age and settled
sales only lift; and whoever was lowered waits before he rises again.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from affiliates.terms.fields import TIER_NAMES
from core.defaults import NOTHING, Said, setting

_BP = 10_000
_RULES = {
    "until_days": "tier.new.until_days",
    "until_sales": "tier.new.until_sales",
    "trusted_sales": "tier.trusted.from_sales",
    "trusted_below_bp": "tier.trusted.upheld_below_bp",
    "top_sales": "tier.top.from_sales",
    "top_below_bp": "tier.top.upheld_below_bp",
    "least_judged": "tier.review.least_judged",
    "judged_days": "tier.review.judged_days",
    "kept_beyond_bp": "tier.review.kept_beyond_bp",
    "wait_days": "tier.review.wait_days",
}
RULE_KEYS = tuple(_RULES.values())


@dataclass(frozen=True, slots=True)
class Rules:
    """From where a publisher is on which tier; `judged_days` is the time whose ended sales are judged."""

    until_days: int
    until_sales: int
    trusted_sales: int
    trusted_below_bp: int
    top_sales: int
    top_below_bp: int
    least_judged: int
    judged_days: int
    kept_beyond_bp: int
    wait_days: int


@dataclass(frozen=True, slots=True)
class Figures:
    """A publisher by the ledger: his age, all sales that were settled, and of the judged ones those that went back."""

    age_days: int
    settled: int
    judged: int
    upheld: int

    @property
    def upheld_bp(self) -> int:
        """Return the upheld share, rounded up, so that it never looks better than it is."""
        return -(-self.upheld * _BP // self.judged) if self.judged else 0


@dataclass(frozen=True, slots=True)
class Condition:
    """One thing that a tier asks for: what it counts, what there is, what is needed, and whether that is enough."""

    code: str
    has: int
    needs: int
    is_met: bool


@dataclass(frozen=True, slots=True)
class Progress:
    """What a publisher still lacks for the next tier; `waits_days` is above 0 after he was lowered."""

    tier: str
    conditions: Sequence[Condition]
    waits_days: int = 0

    @property
    def is_earned(self) -> bool:
        """Tell whether the next review will raise him, if nothing changes."""
        return not self.waits_days and all(condition.is_met for condition in self.conditions)


@dataclass(frozen=True, slots=True)
class Verdict:
    """The tier from now on, and why: `promoted`, `demoted`, `kept`, `waits` or `pinned`."""

    tier: str
    code: str


def rules_in(said: Said = NOTHING) -> Rules:
    """Return the rules that hold, by what the operator says for the exchange."""
    found = {name: setting(key, exchange=said) for name, key in _RULES.items()}
    return Rules(**{name: value for name, value in found.items() if isinstance(value, int)})


def verdict_on(
    tier: str, seen: Figures, rules: Rules, lowered_days: int | None = None, is_pinned: bool = False
) -> Verdict:  # fmt: skip
    """Decide on which tier a publisher is from now on; `lowered_days` is how long ago he was lowered last, if ever."""
    if is_pinned:
        return Verdict(tier, "pinned")
    kept = tier
    while not _is_kept(kept, seen, rules):
        kept = TIER_NAMES[TIER_NAMES.index(kept) - 1]
    if kept != tier:
        return Verdict(kept, "demoted")
    ahead = progress_of(tier, seen, rules, lowered_days)
    if ahead is None or not all(condition.is_met for condition in ahead.conditions):
        return Verdict(tier, "kept")
    return Verdict(tier, "waits") if ahead.waits_days else Verdict(ahead.tier, "promoted")


def progress_of(tier: str, seen: Figures, rules: Rules, lowered_days: int | None = None) -> Progress | None:
    """Tell what is still lacking for the next tier; None for the highest."""
    if tier == TIER_NAMES[-1]:
        return None
    above = TIER_NAMES[TIER_NAMES.index(tier) + 1]
    waits = 0 if lowered_days is None else max(rules.wait_days - lowered_days, 0)
    return Progress(above, _conditions(above, seen, rules), waits)


def _conditions(tier: str, seen: Figures, rules: Rules) -> list[Condition]:
    if tier == "standard":
        return [_at_least("age_days", seen.age_days, rules.until_days),
                _at_least("settled_sales", seen.settled, rules.until_sales)]  # fmt: skip
    sales, below = _limits(tier, rules)
    return [
        _at_least("settled_sales", seen.settled, sales),
        _at_least("judged_sales", seen.judged, rules.least_judged),
        Condition("upheld_share", seen.upheld_bp, below, seen.upheld * _BP < seen.judged * below),
    ]


def _at_least(code: str, has: int, needs: int) -> Condition:
    return Condition(code, has, needs, has >= needs)


def _is_kept(tier: str, seen: Figures, rules: Rules) -> bool:
    """Tell whether a tier is kept; few judged sales show nothing, and the lower two are never lost."""
    if tier in ("new", "standard") or seen.judged < rules.least_judged:
        return True
    return seen.upheld * _BP < seen.judged * (_limits(tier, rules)[1] + rules.kept_beyond_bp)


def _limits(tier: str, rules: Rules) -> tuple[int, int]:
    return (rules.top_sales, rules.top_below_bp) if tier == "top" else (rules.trusted_sales, rules.trusted_below_bp)
