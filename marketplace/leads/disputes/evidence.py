"""Evidence files: what each side shows, kept outside the web's reach, read by the two sides and operators only."""

import base64
import hashlib
import os
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from uuid import UUID

from sqlalchemy import func, select

from core.db import db
from core.errors import Conflict, Fault, Invalid, NotFound
from core.ids import new_id
from marketplace.catalog.dispute_rules import dispute_rules
from marketplace.leads.dispute_rows import Dispute, EvidenceFile
from marketplace.leads.disputes.appeal import side_of
from marketplace.leads.disputes.decision import lock_dispute
from marketplace.leads.disputes.filetypes import SUFFIX_OF, clean_name, type_of

FOLDER = "evidence"
UNDECIDED = ("open", "appealed")


def add_file(
    account_id: UUID, dispute_id: UUID, name: str, data: bytes, data_folder: Path, actor: str, at: datetime
) -> EvidenceFile:
    """Keep a file that one side shows while its dispute is undecided.

    Invalid `invalid_evidence` for a type, size or emptiness that is refused; Conflict `too_many_files` above the
    side's number, `not_now` once it is decided. The file is on the disk before the row can be committed; one whose
    row is not committed is nobody's and may be deleted.
    """
    _, dispute = lock_dispute(dispute_id)
    side = side_of(dispute, account_id)
    if dispute.state not in UNDECIDED:
        raise Conflict("not_now", f"The dispute is {dispute.state}; evidence is taken until it is decided.")
    most = dispute_rules().files_a_side
    if len([file for file in files_of([dispute_id])[dispute_id] if file.side == side]) >= most:
        raise Conflict("too_many_files", f"Each side shows at most {most} files.")
    media_type = _accepted_type(data)
    file = EvidenceFile(
        id=new_id(), dispute_id=dispute_id, side=side, name=clean_name(name, media_type), media_type=media_type,
        size_bytes=len(data), sha256=hashlib.sha256(data).digest(), uploaded_by=actor, uploaded_at=at,
    )  # fmt: skip
    _write(_path_of(file, data_folder), data)
    db.session.add(file)
    db.session.flush()
    return file


def discard_bytes(file: EvidenceFile, data_folder: Path) -> None:
    """Delete the bytes of a file whose row will not be committed."""
    _path_of(file, data_folder).unlink(missing_ok=True)


def bytes_of(base64_text: str) -> bytes:
    """Return the bytes of a file that came in Base64; Invalid `invalid_evidence` for other text."""
    try:
        return base64.b64decode(base64_text, validate=True)
    except ValueError:
        fault = Fault("file.base64", "bad_format", "Send the bytes of the file in Base64 (RFC 4648 section 4).")
        raise Invalid("invalid_evidence", "The file cannot be kept.", [fault]) from None


def get_file(account_id: UUID | None, dispute_id: UUID, file_id: UUID) -> EvidenceFile:
    """Return a file of a dispute that concerns the account, of any for None (an operator); NotFound otherwise."""
    dispute, file = db.session.get(Dispute, dispute_id), db.session.get(EvidenceFile, file_id)
    if dispute is None or file is None or file.dispute_id != dispute_id:
        raise NotFound(detail="There is no file with this id.")
    if account_id is not None:
        side_of(dispute, account_id)
    return file


def read_file(file: EvidenceFile, data_folder: Path) -> bytes:
    """Return the bytes of a file; NotFound when they are gone or are not those that were uploaded."""
    path = _path_of(file, data_folder)
    data = path.read_bytes() if path.is_file() else b""
    if hashlib.sha256(data).digest() != file.sha256:
        raise NotFound(detail="The bytes of this file are lost; ask the side that uploaded it.")
    return data


def files_of(dispute_ids: Iterable[UUID]) -> dict[UUID, list[EvidenceFile]]:
    """Return the files of each of these disputes, the oldest first."""
    found: dict[UUID, list[EvidenceFile]] = {dispute_id: [] for dispute_id in dispute_ids}
    query = select(EvidenceFile).where(EvidenceFile.dispute_id.in_(found)).order_by(EvidenceFile.id)
    for file in db.session.scalars(query):
        found[file.dispute_id].append(file)
    return found


def shows_file(dispute_id: UUID, side: str) -> bool:
    """Tell whether a side has shown a file."""
    query = select(func.count()).where(EvidenceFile.dispute_id == dispute_id, EvidenceFile.side == side)
    return bool(db.session.scalar(query))


def _accepted_type(data: bytes) -> str:
    most = dispute_rules().file_bytes
    if len(data) > most:
        fault = Fault("file", "too_long", f"Send a file of at most {most} bytes.")
        raise Invalid("invalid_evidence", "The file cannot be kept.", [fault])
    media_type = type_of(data)
    if media_type is None:
        known = ", ".join(sorted(suffix.removeprefix(".") for suffix in SUFFIX_OF.values()))
        says = f"Send one whole file of a kind that cannot run: {known}."
        raise Invalid("invalid_evidence", "The file cannot be kept.", [Fault("file", "file_type_refused", says)])
    return media_type


def _path_of(file: EvidenceFile, data_folder: Path) -> Path:
    """Return where a file lies: under its id, since nothing that somebody sent may name a path."""
    return data_folder / FOLDER / file.id.hex


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as written:
        written.write(data)
        written.flush()
        os.fsync(written.fileno())
