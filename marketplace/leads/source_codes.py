"""Public codes of publishers and their sources: the same for every buyer and every lead, and no name in them."""

import hashlib
from functools import lru_cache
from uuid import UUID


@lru_cache(maxsize=16_384)
def public_codes(publisher_id: UUID, source_name: str) -> tuple[str, str]:
    """Return a publisher's code and that of one of its sources; nobody gets from a code to an id or a name."""
    publisher = hashlib.blake2s(b"publisher", key=publisher_id.bytes, digest_size=6).hexdigest()
    source = hashlib.blake2s(source_name.encode(), key=publisher_id.bytes, digest_size=6).hexdigest()
    return f"pub-{publisher}", f"src-{source}"
