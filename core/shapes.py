"""Sentences whose holes are filled, found again by their shape: what the domain said in English, in another language.

A refusal, an event and a verdict are kept and sent as plain text. What the catalogue of a language has under the
context `sentence` is compared with such a text, the one with the most words of its own first.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from babel.messages.catalog import Message

_HOLE = re.compile(r"%\((\w+)\)s")


@dataclass(frozen=True, slots=True)
class Shape:
    """A sentence with holes, as a pattern of its English and in another language."""

    pattern: re.Pattern[str]
    says: str

    def holes_in(self, text: str) -> dict[str, str] | None:
        """Return what stands in the holes of a text that has this shape, None for any other."""
        found = self.pattern.fullmatch(text)
        return found and found.groupdict()

    def filled(self, holes: dict[str, str]) -> str:
        """Write the sentence in the other language."""
        return self.says % holes


def shapes_of(messages: Iterable[Message], context: str) -> list[Shape]:
    """Return the translated sentences of a context, the longest first."""
    known = [one for one in messages if one.context == context and one.string and isinstance(one.id, str)]
    known.sort(key=lambda one: -len(_HOLE.sub("", str(one.id))))
    return [Shape(_pattern_of(str(one.id)), str(one.string)) for one in known]


def _pattern_of(sentence: str) -> re.Pattern[str]:
    """Make a pattern in which a hole that comes again holds the same again."""
    parts: list[str] = []
    seen: set[str] = set()
    for place, part in enumerate(_HOLE.split(sentence)):
        if place % 2 == 0:
            parts.append(re.escape(part.replace("%%", "%")))
        else:
            parts.append(f"(?P={part})" if part in seen else f"(?P<{part}>.+?)")
            seen.add(part)
    return re.compile("".join(parts), re.DOTALL)
