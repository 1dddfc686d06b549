"""The rows of uploads: the upload itself, its sealed file, and what became of each row of it."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, ForeignKey, Index, LargeBinary, SmallInteger, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Model

Instant = DateTime(timezone=True)


class Upload(Model):
    """A file that a publisher uploaded; rows up to `next_line` are done, each of them accepted or refused."""

    __tablename__ = "uploads"
    __table_args__ = (
        Index("uploads_publisher_id_idx", "publisher_id", "id"),
        Index("uploads_beat_at_idx", "beat_at", postgresql_where=text("state = 'running'")),
        {"schema": "marketplace"},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    publisher_id: Mapped[UUID]
    source_name: Mapped[str] = mapped_column(Text)
    vertical: Mapped[str] = mapped_column(ForeignKey("marketplace.verticals.slug"))
    file_name: Mapped[str] = mapped_column(Text)
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[bytes] = mapped_column(LargeBinary)
    encoding: Mapped[str] = mapped_column(Text)
    delimiter: Mapped[str] = mapped_column(Text)
    file_rows: Mapped[int]
    answers: Mapped[Any | None] = mapped_column(JSONB(none_as_null=True))
    version: Mapped[int] = mapped_column(default=0, server_default="0")
    state: Mapped[str] = mapped_column(Text, default="ready", server_default="ready")
    next_line: Mapped[int] = mapped_column(default=1, server_default="1")
    accepted: Mapped[int] = mapped_column(default=0, server_default="0")
    sold: Mapped[int] = mapped_column(default=0, server_default="0")
    refused: Mapped[int] = mapped_column(default=0, server_default="0")
    cancel_asked: Mapped[bool] = mapped_column(default=False, server_default="false")
    why: Mapped[str | None] = mapped_column(Text)
    uploaded_by: Mapped[str] = mapped_column(Text)
    uploaded_at: Mapped[datetime] = mapped_column(Instant)
    erase_at: Mapped[datetime] = mapped_column(Instant)
    started_at: Mapped[datetime | None] = mapped_column(Instant)
    ended_at: Mapped[datetime | None] = mapped_column(Instant)
    beat_at: Mapped[datetime | None] = mapped_column(Instant)

    @property
    def handled(self) -> int:
        """Return how many rows are done."""
        return self.accepted + self.refused

    @property
    def not_reached(self) -> int:
        """Return how many rows are not done."""
        return self.file_rows - self.handled


class UploadFile(Model):
    """The bytes of a file, sealed until they are erased."""

    __tablename__ = "upload_files"
    __table_args__ = (Index("upload_files_erase_at_idx", "erase_at"), {"schema": "marketplace"})

    upload_id: Mapped[UUID] = mapped_column(ForeignKey("marketplace.uploads.id"), primary_key=True)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    sealed_key: Mapped[int] = mapped_column(SmallInteger)
    erase_at: Mapped[datetime] = mapped_column(Instant)


class UploadRow(Model):
    """What became of one row of a file: the lead, or why it is none; the first reason, as an import reports it."""

    __tablename__ = "upload_rows"
    __table_args__ = (Index("upload_rows_code_idx", "upload_id", "code", "line"), {"schema": "marketplace"})

    upload_id: Mapped[UUID] = mapped_column(ForeignKey("marketplace.uploads.id"), primary_key=True)
    line: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    outcome: Mapped[str] = mapped_column(Text)
    lead_id: Mapped[UUID | None]
    code: Mapped[str | None] = mapped_column(Text)
    field: Mapped[str | None] = mapped_column(Text)
    message: Mapped[str | None] = mapped_column(Text)
