"""Postal codes as they compare, and lists of their prefixes: read line by line, judged, and folded.

A prefix bears its country, since 28 is Eure-et-Loir in France and Madrid in Spain. Spaces, hyphens and the case of
letters do not count: `NL 1012 AB`, `nl:1012ab` and `NL:1012-AB` are one.
"""

import re
from collections.abc import Iterable, Sequence

from core.errors import Fault
from marketplace.catalog.regions import is_region

MOST_PREFIXES = 50_000
MOST_FAULTS = 100  # of a list: who pasted the wrong column needs no fifty thousand sentences
MOST_CODE = 10
_LINE = re.compile(r"(?:([A-Z]{2})(?:\s*:\s*|\s+))?([A-Z0-9](?:[A-Z0-9 \-]{0,14}[A-Z0-9])?)\s*\*?")
# What a whole code looks like, where it is known: 9 a digit, A a letter. Elsewhere letters and digits up to ten.
_SHAPES = {
    **dict.fromkeys(("BA", "DE", "ES", "FI", "FR", "HR", "IT", "ME", "RS"), ("99999",)),
    **dict.fromkeys(("AT", "BE", "CH", "DK", "HU", "LU", "NO", "SI"), ("9999",)),
    **dict.fromkeys(("CZ", "GR", "SE", "SK"), ("99999",)),
    "NL": ("9999AA",), "PL": ("99999",), "PT": ("9999999",), "RO": ("999999",), "US": ("999999999",),
    "VN": ("999999",),
}  # fmt: skip


def comparable(country: str, code: str) -> str:
    """Write a postal code as codes compare: FR:75011; without letters and digits it is the country alone."""
    return f"{country}:{code.upper().replace(' ', '').replace('-', '')}"


def read_prefixes(
    lines: Sequence[str], country: str | None, field: str = "postal_prefixes"
) -> tuple[tuple[str, ...], list[Fault]]:
    """Return the folded prefixes of a list and its faults, each at `field.N` with the number of its line.

    `country` is that of lines which name none; without it they must. Empty lines are passed over.
    """
    if sum(not line.isspace() and line != "" for line in lines) > MOST_PREFIXES:
        return (), [Fault(field, "too_many", f"Name at most {MOST_PREFIXES} prefixes; shorter ones cover more.")]
    found, faults, bad = set[str](), list[Fault](), 0
    for place, line in enumerate(lines):
        text = line.strip().upper()
        if not text or text in found:
            continue
        read = _read(text, country)
        if isinstance(read, str):
            found.add(read)
            continue
        bad += 1
        if bad <= MOST_FAULTS:
            faults.append(Fault(f"{field}.{place}", read[0], f"Line {place + 1}: {read[1]}"))
    if bad > MOST_FAULTS:
        message = f"{bad} lines cannot be read, of which the first {MOST_FAULTS} are named; mend the list."
        faults.append(Fault(field, "bad_prefix", message))
    return folded(found), faults


def folded(prefixes: Iterable[str]) -> tuple[str, ...]:
    """Return the prefixes in order, each once, without those that a shorter one covers."""
    kept: list[str] = []
    for prefix in sorted(prefixes):
        if not kept or not prefix.startswith(kept[-1]):
            kept.append(prefix)
    return tuple(kept)


def _read(text: str, country: str | None) -> str | tuple[str, str]:
    """Return one prefix as it compares, or the code and sentence of what is wrong with it."""
    match = _LINE.fullmatch(text)
    if match is None:
        shown = repr(text[:40])
        return "bad_prefix", f"{shown} is no beginning of a postal code; write one such as 75 or FR:75."
    named, code = match[1] or country, match[2].replace(" ", "").replace("-", "")
    if named is None:
        return "country_needed", f"Write the country before it, such as FR:{code[:MOST_CODE]}."
    if not is_region(named):
        return "unknown_region", f"{named} is no country; use an ISO 3166-1 code such as FR."
    if not any(_begins(code, shape) for shape in _SHAPES.get(named, ())) and named in _SHAPES:
        return "bad_prefix", f"{code[:20]} begins no postal code of {named}, which look like {_SHAPES[named][0]}."
    return f"{named}:{code}" if len(code) <= MOST_CODE else ("bad_prefix", f"Write at most {MOST_CODE} characters.")


def _begins(code: str, shape: str) -> bool:
    return len(code) <= len(shape) and all(
        char.isdigit() if kind == "9" else char.isalpha() for char, kind in zip(code, shape, strict=False)
    )
