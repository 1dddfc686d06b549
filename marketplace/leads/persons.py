"""The keys by which one person is recognised again, without keeping or showing a phone number or an address."""

import hashlib
import hmac
from functools import lru_cache
from typing import Literal, Protocol

IdentityKind = Literal["email", "phone", "profile"]


class Identified(Protocol):
    """Whatever carries normalised identities, each None when it was not given or is unusable."""

    @property
    def email_key(self) -> str | None:
        """The e-mail address in small letters."""
        ...

    @property
    def phone_e164(self) -> str | None:
        """The phone number in E.164 with its plus sign."""
        ...

    @property
    def profile_key(self) -> str | None:
        """The profile link without what does not tell profiles apart."""
        ...


def person_keys(secret: bytes, person: Identified) -> tuple[bytes, ...]:
    """Return a 32-byte key for each identity that was given, in key order: the order in which rows are claimed."""
    identities: tuple[tuple[IdentityKind, str | None], ...] = (
        ("email", person.email_key),
        ("phone", person.phone_e164),
        ("profile", person.profile_key),
    )
    return tuple(sorted(key_of_hash(secret, kind, hash_of(value)) for kind, value in identities if value))


def hash_of(value: str) -> bytes:
    """Return the SHA-256 of a normalised identity in UTF-8: what publishers and buyers may send in its place.

    E-mail in small letters without blanks around it; phone in E.164 with its plus sign.
    """
    return hashlib.sha256(value.encode()).digest()


def key_of_hash(secret: bytes, kind: IdentityKind, digest: bytes) -> bytes:
    """Return the key of an identity that is known by its SHA-256 alone; the same as from the identity itself.

    The kind enters the HMAC and not the hash, so that a hash from outside compares, and no two kinds ever meet.
    """
    if len(digest) != hashlib.sha256().digest_size:
        raise ValueError("a SHA-256 has 32 bytes")
    keyed = _keyed(secret).copy()
    keyed.update(kind.encode() + b"\0" + digest)
    return keyed.digest()


@lru_cache(maxsize=4)
def _keyed(secret: bytes) -> hmac.HMAC:
    """Return an HMAC to copy: OpenSSL takes many times as long to set one up, and one thread at a time."""
    return hmac.new(secret, digestmod=hashlib.sha256)
