"""Registering sources, changing and closing them, and finding the one that a post is meant for."""

import hashlib
import hmac
import secrets
from datetime import datetime
from uuid import UUID

import msgspec
from msgspec import UNSET
from sqlalchemy import select

from core.crypto import Vault, secret_generations
from core.db import db
from core.errors import Fault, Invalid, NotAllowed, NotFound, NotSignedIn
from core.http import kept_by_app
from core.identity import get_account
from core.ids import new_id
from core.schemas import convert, learned
from marketplace.catalog.shelf import get_vertical
from marketplace.leads.dialects import META, Posted
from marketplace.leads.sources.announced import revive_leads
from marketplace.leads.sources.models import LeadSource
from marketplace.leads.sources.terms import TERMS, MetaAccess, SourceBody, SourcePatch, SourceTerms, check_terms

_SECRET = "source"


def register_source(publisher_id: UUID, body: SourceBody, at: datetime) -> tuple[LeadSource, str]:
    """Add a source and return it with its key, which cannot be had again; Invalid names every fault of its terms."""
    _check_access(body)
    _, vertical = get_vertical(body.vertical, lock=True)
    terms = SourceTerms(**{name: getattr(body, name) for name in TERMS})
    check_terms(body.dialect, body.name, terms, vertical)
    key = secrets.token_hex(16)
    row = LeadSource(
        id=new_id(), publisher_id=publisher_id, dialect=body.dialect, name=body.name, vertical=body.vertical,
        status="active", terms=msgspec.to_builtins(terms), key_hash=_hash_of(key), created_at=at, changed_at=at,
    )  # fmt: skip
    if body.meta is not None:
        _seal(row, body.meta)
    db.session.add(row)
    db.session.flush()
    return row, key


def change_source(publisher_id: UUID, source_id: UUID, patch: SourcePatch, at: datetime) -> LeadSource:
    """Change a source for every post whose request begins after the answer; Invalid as when it is registered."""
    row = get_source(publisher_id, source_id)
    said = {name: value for name in patch.__struct_fields__ if (value := getattr(patch, name)) is not UNSET}
    name = said.get("name", row.name)
    terms = msgspec.structs.replace(terms_of(row), **{each: said[each] for each in TERMS if each in said})
    check_terms(row.dialect, name, terms, get_vertical(row.vertical, lock=True)[1])
    if "meta" in said:
        if row.dialect != META:
            raise Invalid("invalid_source", "The source cannot be changed so.", [_NO_ACCESS])
        _seal(row, said["meta"])
        revive_leads(row.id, at)
    row.name, row.terms, row.status = name, msgspec.to_builtins(terms), said.get("status", row.status)
    row.changed_at = at
    db.session.flush()
    return row


def close_source(publisher_id: UUID, source_id: UUID, at: datetime) -> LeadSource:
    """Close a source for good: posts to it are those of a stranger from now on."""
    row = get_source(publisher_id, source_id)
    row.status, row.changed_at = "closed", at
    db.session.flush()
    return row


def get_source(publisher_id: UUID, source_id: UUID) -> LeadSource:
    """Return one of the publisher's sources; NotFound for anybody else's and for a closed one."""
    row = db.session.get(LeadSource, source_id)
    if row is None or row.publisher_id != publisher_id or row.status == "closed":
        raise NotFound(detail="There is no source with this id.")
    return row


def sources_of(publisher_id: UUID, after: UUID | None, limit: int) -> list[LeadSource]:
    """Return the publisher's sources that are not closed, the newest first."""
    query = select(LeadSource).where(LeadSource.publisher_id == publisher_id, LeadSource.status != "closed")
    query = query.order_by(LeadSource.id.desc()).limit(limit)
    return list(db.session.scalars(query.where(LeadSource.id < after) if after else query))


def terms_of(row: LeadSource) -> SourceTerms:
    """Read what is kept of a source besides its columns."""
    return convert(row.terms, SourceTerms)


# -- a post comes in ---------------------------------------------------------------------------------------------------


def find_source(dialect: str, source_id: UUID) -> LeadSource:
    """Return the source that is posted to, detached so that it outlives the transaction; NotFound for a closed one."""
    row = db.session.get(LeadSource, source_id)
    if row is None or row.dialect != dialect or row.status == "closed":
        raise NotFound(detail="There is no source at this address.")
    db.session.expunge(row)
    return row


def admit(source: LeadSource, posted: Posted) -> None:
    """Let a post in that brings the source's own credentials; NotSignedIn otherwise, NotAllowed while it is paused."""
    is_key = is_key_of(source, posted.key)
    if not is_key or any(number != str(source.number) for number in posted.numbers):
        raise NotSignedIn("unknown_source_key", "The credentials of this post are missing or unknown.")
    check_standing(source)


def is_key_of(source: LeadSource, key: str) -> bool:
    """Tell in constant time whether this is the source's key."""
    return hmac.compare_digest(source.key_hash, _hash_of(key))


def check_standing(source: LeadSource) -> None:
    """Refuse posts to a source that is paused, or whose account is suspended: NotAllowed."""
    if source.status != "active" or get_account(source.publisher_id).standing != "active":
        raise NotAllowed("source_paused", "This source takes no leads for the moment.")


def access_of(source: LeadSource) -> MetaAccess:
    """Return what Meta gave the publisher, in the clear."""
    assert source.sealed is not None and source.sealed_key is not None  # the database keeps it so for Meta's
    plain = _vault().open(source.sealed, source.sealed_key, source.id)
    return msgspec.json.decode(plain, type=learned(MetaAccess))


_NO_ACCESS = Fault("meta", "not_for_dialect", "Leave it out: only the dialect meta has it.")


def _check_access(body: SourceBody) -> None:
    if (body.dialect == META) is (body.meta is not None):
        return
    missing = Fault("meta", "required", "Send the app_secret and the access_token that Meta gave you.")
    fault = _NO_ACCESS if body.meta is not None else missing
    raise Invalid("invalid_source", "The source cannot be used so; each fault is named.", [fault])


def _seal(row: LeadSource, access: MetaAccess) -> None:
    vault = _vault()
    row.sealed, row.sealed_key = vault.seal(msgspec.json.encode(access), row.id), vault.generation


def _vault() -> Vault:
    return kept_by_app("leadbourse_source_vault", lambda: Vault(secret_generations(_SECRET)))


def _hash_of(key: str) -> bytes:
    """SHA-256 suffices, since the key has 128 random bits."""
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()
