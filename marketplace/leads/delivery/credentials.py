"""Credentials among the settings of a delivery: which values are secret, and how they are sealed, opened and shown.

They stay where they stand in the settings, `{"sealed": …, "key": …}` in place of the value, so that each version of an
order keeps its own. Sealed for the buyer's account: nobody else's order can use them.
"""

import re
from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any, NamedTuple
from urllib.parse import urlsplit
from uuid import UUID

import msgspec

from core.crypto import Vault
from core.errors import Fault
from marketplace.leads.delivery.settings import by_name

MASK = "…"  # what is shown of a secret, and what keeps it when it is sent back
_SECRET_HEADER = re.compile(r"auth|key|token|secret|password|cookie|credential", re.IGNORECASE)
_SECRET_FIELD = re.compile(r"(?:key|token|secret|password|passwd|pwd)$", re.IGNORECASE)

Document = dict[str, Any]


class _Place(NamedTuple):
    """Where one value stands: `holder[key]`, and whether it is secret, by its mark or its name."""

    name: str
    holder: Document
    key: str
    is_secret: bool

    @property
    def value(self) -> Any:
        return self.holder[self.key]


def sealed(document: Document, before: Document | None, vault: Vault, buyer_id: UUID) -> Document:
    """Return settings as they are kept, their secrets sealed; what did not change keeps its ciphertext."""
    kept, known = deepcopy(document), _by_name(before)
    for place in _secrets(kept):
        earlier = known.get(place.name)
        same = (
            earlier is not None and _is_sealed(earlier.value) and _open(earlier.value, vault, buyer_id) == place.value
        )
        place.holder[place.key] = earlier.value if same and earlier else _seal(place.value, vault, buyer_id)
    return kept


def opened(document: Mapping[str, Any], vault: Vault, buyer_id: UUID) -> Document:
    """Return kept settings with their secrets in the clear; those of before they were sealed stay as they are."""
    plain = by_name(deepcopy(dict(document)))
    for place in _places(plain):
        if _is_sealed(place.value):
            place.holder[place.key] = _open(place.value, vault, buyer_id)
    return plain


def masked(document: Mapping[str, Any]) -> Document:
    """Return settings as their owner sees them: `…` in place of each secret."""
    shown = by_name(deepcopy(dict(document)))
    for place in _secrets(shown):
        place.holder[place.key] = MASK
    return shown


def secrets_in(document: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the secrets of opened settings as text, the longest first."""
    return tuple(sorted({str(place.value) for place in _secrets(deepcopy(dict(document)))}, key=len, reverse=True))


def restored(
    document: Mapping[str, Any], before: Document | None, vault: Vault, buyer_id: UUID
) -> tuple[Document, list[Fault]]:
    """Return settings as they were sent with the kept secret in place of each mask, and the masks that keep nothing.

    A secret is kept for the place that it was given for, as it was written there, and not once its mark is taken away:
    whoever may change an order could read it otherwise, or piece by piece.
    """
    plain, known, faults = by_name(deepcopy(dict(document))), _by_name(before), []
    earlier_document = by_name(deepcopy(before)) if before else {}
    stays = before is not None and _goes_to(plain) == _goes_to(earlier_document)
    for place in _places(plain):
        earlier = known.get(place.name)
        if earlier is not None and _is_sealed(place.value) and place.value == earlier.value:
            place.holder[place.key] = _open(earlier.value, vault, buyer_id)  # an order's other terms are changed
        elif (
            place.value == MASK and earlier is not None and stays and place.is_secret
            and (place.name.startswith("headers.") or _writes_alike(plain, place, earlier_document, earlier))
        ):  # fmt: skip
            value = earlier.value
            place.holder[place.key] = _open(value, vault, buyer_id) if _is_sealed(value) else value
        elif place.value == MASK:
            faults.append(Fault(f"delivery.{place.name}", "masked_value", f"Send the value itself: {_WHY}"))
    return plain, faults


_WHY = "a masked one keeps the secret of this field as long as it is one, goes to the same host and is written alike."


def _goes_to(document: Mapping[str, Any]) -> Any:
    """Return the host that a delivery is sent to, or whom it is mailed to."""
    url = document.get("url")
    try:
        return urlsplit(url).netloc.lower() if isinstance(url, str) else document.get("to")
    except ValueError:
        return None


def _writes_alike(after: Document, place: _Place, before: Document, earlier: _Place) -> bool:
    """Tell whether a constant is written as it was; another format or template could show a part of it, unhidden."""
    same_rule = all(place.holder.get(name) == earlier.holder.get(name) for name in ("format", "values"))
    templates = ((after.get(name), before.get(name)) for name in ("body", "text"))
    return same_rule and all(now == then or "fields" not in str(now) for now, then in templates)


def _places(document: Document) -> Iterator[_Place]:
    """Yield every header and constant of plain values, whatever is wrong with them otherwise."""
    for name, value in _members(document, "headers"):
        inner = isinstance(value, dict) and "value" in value
        holder, key = (value, "value") if inner else (document["headers"], name)
        marked = (inner and value.get("secret") is True) or bool(_SECRET_HEADER.search(name))
        yield _Place(f"headers.{name}", holder, key, marked)
    for part in ("fields", "query"):
        for name, rule in _members(document, part):
            if isinstance(rule, dict) and rule.get("constant") is not None:
                marked = rule.get("secret") is True or bool(_SECRET_FIELD.search(name))
                yield _Place(f"{part}.{name}", rule, "constant", marked)


def _members(document: Document, part: str) -> list[tuple[str, Any]]:
    members = document.get(part)
    return list(members.items()) if isinstance(members, dict) else []


def _secrets(document: Document) -> Iterator[_Place]:
    return (place for place in _places(document) if place.is_secret)


def _by_name(document: Document | None) -> dict[str, _Place]:
    return {place.name: place for place in _places(by_name(deepcopy(document)))} if document else {}


def _is_sealed(value: Any) -> bool:
    return isinstance(value, dict) and set(value) == {"sealed", "key"}


def _seal(value: Any, vault: Vault, buyer_id: UUID) -> Document:
    text = b64encode(vault.seal(msgspec.json.encode(value), buyer_id)).decode()
    return {"sealed": text, "key": vault.generation}


def _open(value: Document, vault: Vault, buyer_id: UUID) -> Any:
    return msgspec.json.decode(vault.open(b64decode(value["sealed"]), value["key"], buyer_id))
