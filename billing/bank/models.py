"""Money in by bank transfer as mapped rows: accounts, pro-formas, imports with their lines, entries, suspense."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Date,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Model

SCHEMA = {"schema": "billing"}
INSTANT = DateTime(timezone=True)
IS_PART = text("whole <> ''")


class BankAccount(Model):
    """A bank account of the exchange; the newest of a currency is where transfers go."""

    __tablename__ = "bank_accounts"
    __table_args__ = (
        PrimaryKeyConstraint("id", name="bank_accounts_pkey"),
        CheckConstraint(
            "length(currency) = 3 AND length(payee) BETWEEN 1 AND 70 AND iban ~ "
            "'^[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}$' AND bic ~ '^[A-Z0-9]{8}([A-Z0-9]{3})?$'",
            name="bank_accounts_check",
        ),
        UniqueConstraint("wish_id", name="bank_accounts_wish_id_key"),
        Index("bank_accounts_currency_idx", "currency", "said_at"),
        SCHEMA,
    )

    id: Mapped[UUID]
    currency: Mapped[str] = mapped_column(Text)
    payee: Mapped[str] = mapped_column(Text)
    iban: Mapped[str] = mapped_column(Text)
    bic: Mapped[str] = mapped_column(Text)
    actor: Mapped[str] = mapped_column(Text)
    said_at: Mapped[datetime] = mapped_column(INSTANT)
    wish_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("billing.bank_account_wishes.id", name="bank_accounts_wish_id_fkey")
    )


class BankAccountWish(Model):
    """An account that somebody wants named: `waiting` until another person has it `named`, or it is `refused`."""

    __tablename__ = "bank_account_wishes"
    __table_args__ = (
        PrimaryKeyConstraint("id", name="bank_account_wishes_pkey"),
        CheckConstraint(
            "state IN ('waiting', 'named', 'refused') AND (state = 'waiting') = (decided_at IS NULL) AND (decided_at "
            "IS NULL) = (decided_by IS NULL) AND starts_with(asked_by, 'user:') AND (state = 'named') <= (decided_by "
            "<> asked_by AND starts_with(decided_by, 'user:'))",
            name="bank_account_wishes_check",
        ),
        Index("bank_account_wishes_waiting_idx", "currency", unique=True, postgresql_where=text("state = 'waiting'")),
        SCHEMA,
    )

    id: Mapped[UUID]
    currency: Mapped[str] = mapped_column(Text)
    payee: Mapped[str] = mapped_column(Text)
    iban: Mapped[str] = mapped_column(Text)
    bic: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text, server_default="waiting")
    asked_by: Mapped[str] = mapped_column(Text)
    asked_at: Mapped[datetime] = mapped_column(INSTANT)
    decided_by: Mapped[str | None] = mapped_column(Text)
    decided_at: Mapped[datetime | None] = mapped_column(INSTANT)


class ProForma(Model):
    """Money that somebody means to transfer, what came of it, and the reference by which it is known again."""

    __tablename__ = "pro_formas"
    __table_args__ = (
        PrimaryKeyConstraint("id", name="pro_formas_pkey"),
        CheckConstraint(
            "amount_minor > 0 AND received_minor >= 0 AND length(currency) = 3 AND reference ~ '^RF[0-9]{14}$'",
            name="pro_formas_check",
        ),
        UniqueConstraint("reference", name="pro_formas_reference_key"),
        Index("pro_formas_account_id_idx", "account_id", "asked_at"),
        SCHEMA,
    )

    id: Mapped[UUID]
    account_id: Mapped[UUID]
    currency: Mapped[str] = mapped_column(Text)
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    received_minor: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    reference: Mapped[str] = mapped_column(Text)
    bank_account_id: Mapped[UUID] = mapped_column(
        ForeignKey("billing.bank_accounts.id", name="pro_formas_bank_account_id_fkey")
    )
    actor: Mapped[str] = mapped_column(Text)
    asked_at: Mapped[datetime] = mapped_column(INSTANT)
    cancelled_at: Mapped[datetime | None] = mapped_column(INSTANT)

    @property
    def state(self) -> str:
        """Return `cancelled`, else by what came: `open`, `partly`, `paid`, or `over`."""
        if self.cancelled_at is not None:
            return "cancelled"
        if not self.received_minor:
            return "open"
        if self.received_minor == self.amount_minor:
            return "paid"
        return "partly" if self.received_minor < self.amount_minor else "over"


class BankImport(Model):
    """A file that was imported: `read`, then `done`; `asked` while a second person is wanted; or `refused` whole.

    `alone_minor` is what it credited on the word of one person, without a balance that proves it.
    """

    __tablename__ = "bank_imports"
    __table_args__ = (
        PrimaryKeyConstraint("id", name="bank_imports_pkey"),
        CheckConstraint(
            "form IN ('camt.053', 'csv') AND state IN ('read', 'asked', 'done', 'refused') AND (state IN ('read', "
            "'asked')) = (ended_at IS NULL) AND (state = 'refused') = (why IS NOT NULL) AND lines >= 0 AND next_line "
            ">= 1 AND alone_minor >= 0 AND (alone_minor = 0) = (alone_at IS NULL) AND (vouched_by IS NULL OR "
            "starts_with(vouched_by, 'user:')) AND (confirmed_by IS NULL OR vouched_by IS NOT NULL AND confirmed_by <> "
            "vouched_by AND starts_with(confirmed_by, 'user:'))",
            name="bank_imports_check",
        ),
        Index("bank_imports_sent_at_idx", "sent_at", "id"),
        Index("bank_imports_alone_idx", "alone_at", postgresql_where=text("alone_minor > 0")),
        Index("bank_imports_asked_idx", "id", postgresql_where=text("state = 'asked'")),
        SCHEMA,
    )

    id: Mapped[UUID]
    form: Mapped[str] = mapped_column(Text)
    file_name: Mapped[str] = mapped_column(Text)
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    state: Mapped[str] = mapped_column(Text, server_default="read")
    lines: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    next_line: Mapped[int] = mapped_column(Integer, server_default=text("1"))
    why: Mapped[str | None] = mapped_column(Text)
    actor: Mapped[str] = mapped_column(Text)
    sent_at: Mapped[datetime] = mapped_column(INSTANT)
    ended_at: Mapped[datetime | None] = mapped_column(INSTANT)
    vouched_by: Mapped[str | None] = mapped_column(Text)
    confirmed_by: Mapped[str | None] = mapped_column(Text)
    alone_minor: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    alone_at: Mapped[datetime | None] = mapped_column(INSTANT)


class BankStatement(Model):
    """One statement of a file: its balances, and by how much it does not begin where the one before it ended."""

    __tablename__ = "bank_statements"
    __table_args__ = (
        PrimaryKeyConstraint("import_id", "number", name="bank_statements_pkey"),
        Index("bank_statements_iban_idx", "iban", "currency", "sent_at", "number"),
        SCHEMA,
    )

    import_id: Mapped[UUID] = mapped_column(
        ForeignKey("billing.bank_imports.id", name="bank_statements_import_id_fkey")
    )
    number: Mapped[int] = mapped_column(Integer, autoincrement=False)
    iban: Mapped[str] = mapped_column(Text)
    currency: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    opening_minor: Mapped[int | None] = mapped_column(BigInteger)
    closing_minor: Mapped[int | None] = mapped_column(BigInteger)
    is_proven: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))
    gap_minor: Mapped[int | None] = mapped_column(BigInteger)
    sent_at: Mapped[datetime] = mapped_column(INSTANT)


class BankLine(Model):
    """One line of a file as it was read, and what became of it.

    `ordinal` is which it is of those of its mark and day in its statement; of a part of a batch `whole` is the mark of
    the unsplit one, with its own ordinal and amount, and `batch` the line on which it begins.
    """

    __tablename__ = "bank_lines"
    __table_args__ = (
        PrimaryKeyConstraint("import_id", "number", name="bank_lines_pkey"),
        CheckConstraint(
            "outcome IN ('waits', 'credited', 'suspense', 'settled', 'payout', 'repeated', 'skipped', 'refused') AND "
            "(entry_id IS NULL) = (outcome IN ('waits', 'skipped', 'refused'))",
            name="bank_lines_check",
        ),
        Index("bank_lines_mark_idx", "import_id", "mark", "number"),
        Index("bank_lines_whole_idx", "whole", postgresql_where=IS_PART),
        Index("bank_lines_entry_id_idx", "entry_id", postgresql_where=text("entry_id IS NOT NULL")),
        SCHEMA,
    )

    import_id: Mapped[UUID] = mapped_column(ForeignKey("billing.bank_imports.id", name="bank_lines_import_id_fkey"))
    number: Mapped[int] = mapped_column(Integer, autoincrement=False)
    statement: Mapped[int] = mapped_column(Integer)
    line: Mapped[int] = mapped_column(Integer)
    booked_on: Mapped[date | None] = mapped_column(Date)
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    mark: Mapped[str] = mapped_column(Text)
    bank_reference: Mapped[str] = mapped_column(Text)
    reference: Mapped[str] = mapped_column(Text)
    said: Mapped[str] = mapped_column(Text)
    counterparty: Mapped[str] = mapped_column(Text)
    counterparty_iban: Mapped[str] = mapped_column(Text)
    is_reversal: Mapped[bool] = mapped_column(Boolean)
    doubt: Mapped[str] = mapped_column(Text)
    outcome: Mapped[str] = mapped_column(Text)
    code: Mapped[str] = mapped_column(Text)
    says: Mapped[str] = mapped_column(Text)
    entry_id: Mapped[UUID | None]
    ordinal: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    whole: Mapped[str] = mapped_column(Text, server_default="")
    whole_ordinal: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    whole_minor: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    batch: Mapped[int] = mapped_column(Integer, server_default=text("0"))


class BankEntry(Model):
    """An entry of a bank account under its identity; the transaction `bank:{id}` books it.

    Of a part of a batch `whole` is the identity of the unsplit one, which is booked never or instead of all its parts.
    """

    __tablename__ = "bank_entries"
    __table_args__ = (
        PrimaryKeyConstraint("id", name="bank_entries_pkey"),
        CheckConstraint(
            "amount_minor <> 0 AND outcome IN ('credited', 'suspense', 'settled', 'payout') AND (outcome = 'credited') "
            "= (pro_forma_id IS NOT NULL) AND (outcome = 'payout') = (payout_id IS NOT NULL) AND "
            "(outcome = 'suspense') = (reason <> '') AND (outcome <> 'credited' OR "
            "amount_minor > 0) AND (outcome <> 'settled' OR amount_minor < 0)",
            name="bank_entries_check",
        ),
        UniqueConstraint("iban", "currency", "identity", name="bank_entries_identity_key"),
        ForeignKeyConstraint(
            ["import_id", "number"],
            ["billing.bank_lines.import_id", "billing.bank_lines.number"],
            name="bank_entries_line_fkey",
        ),
        Index("bank_entries_pro_forma_id_idx", "pro_forma_id", postgresql_where=text("pro_forma_id IS NOT NULL")),
        Index(
            "bank_entries_paid_idx",
            "payout_id",
            unique=True,
            postgresql_where=text("payout_id IS NOT NULL AND amount_minor < 0"),
        ),
        Index(
            "bank_entries_came_back_idx",
            "payout_id",
            unique=True,
            postgresql_where=text("payout_id IS NOT NULL AND amount_minor > 0"),
        ),
        Index("bank_entries_day_idx", "iban", "currency", "booked_on", "amount_minor"),
        Index("bank_entries_mark_idx", "iban", "currency", "mark"),
        Index("bank_entries_whole_idx", "iban", "currency", "whole", postgresql_where=IS_PART),
        Index("bank_entries_whole_mark_idx", "iban", "currency", "whole_mark", postgresql_where=IS_PART),
        Index("bank_entries_whole_day_idx", "iban", "currency", "booked_on", "whole_minor", postgresql_where=IS_PART),
        SCHEMA,
    )

    id: Mapped[UUID]
    iban: Mapped[str] = mapped_column(Text)
    currency: Mapped[str] = mapped_column(Text)
    identity: Mapped[str] = mapped_column(Text)
    import_id: Mapped[UUID]
    number: Mapped[int] = mapped_column(Integer)
    booked_on: Mapped[date] = mapped_column(Date)
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    outcome: Mapped[str] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(Text)
    pro_forma_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("billing.pro_formas.id", name="bank_entries_pro_forma_id_fkey")
    )
    payout_id: Mapped[UUID | None] = mapped_column(ForeignKey("billing.payouts.id", name="bank_entries_payout_id_fkey"))
    mark: Mapped[str] = mapped_column(Text, server_default="")
    whole: Mapped[str] = mapped_column(Text, server_default="")
    whole_mark: Mapped[str] = mapped_column(Text, server_default="")
    whole_minor: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))


class SuspenseItem(Model):
    """What is left of one amount in suspense; the row is made when a part of it is first moved."""

    __tablename__ = "suspense_items"
    __table_args__ = (
        PrimaryKeyConstraint("transaction_id", name="suspense_items_pkey"),
        CheckConstraint(
            "amount_minor <> 0 AND left_minor BETWEEN least(amount_minor, 0) AND greatest(amount_minor, 0)",
            name="suspense_items_check",
        ),
        SCHEMA,
    )

    transaction_id: Mapped[UUID] = mapped_column(
        ForeignKey("billing.transactions.id", name="suspense_items_transaction_id_fkey")
    )
    currency: Mapped[str] = mapped_column(Text)
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    left_minor: Mapped[int] = mapped_column(BigInteger)


class SuspenseMove(Model):
    """What an operator does about a part of suspense: `proposed`, `owed`, `done`, or `withdrawn`."""

    __tablename__ = "suspense_moves"
    __table_args__ = (
        PrimaryKeyConstraint("id", name="suspense_moves_pkey"),
        CheckConstraint(
            "kind IN ('assign', 'return', 'fees', 'fx', 'charge', 'payouts') AND amount_minor <> 0 AND (kind IN "
            "('fees', 'fx', 'payouts') OR (amount_minor < 0) = (kind = 'charge')) AND (kind IN ('assign', 'charge')) = "
            "(account_id IS NOT NULL) AND (kind = 'return') = (reference IS NOT NULL) AND state IN ('proposed', "
            "'owed', 'done', 'withdrawn') AND (state <> 'owed' OR kind = 'return') AND (state IN ('done', "
            "'withdrawn')) = (ended_at IS NOT NULL) AND confirmed_by <> actor AND against_id <> transaction_id AND "
            "num_nonnulls(entry_id, against_id) <= CASE WHEN kind = 'return' AND state = 'done' THEN 1 ELSE 0 END AND "
            "length(btrim(reason)) BETWEEN 1 AND 1000",
            name="suspense_moves_check",
        ),
        UniqueConstraint("reference", name="suspense_moves_reference_key"),
        UniqueConstraint("entry_id", name="suspense_moves_entry_id_key"),
        Index("suspense_moves_transaction_id_idx", "transaction_id"),
        Index("suspense_moves_actor_idx", "asked_at", "actor"),
        Index("suspense_moves_account_id_idx", "account_id", postgresql_where=text("account_id IS NOT NULL")),
        Index("suspense_moves_open_idx", "asked_at", postgresql_where=text("state IN ('proposed', 'owed')")),
        SCHEMA,
    )

    id: Mapped[UUID]
    transaction_id: Mapped[UUID] = mapped_column(
        ForeignKey("billing.suspense_items.transaction_id", name="suspense_moves_transaction_id_fkey")
    )
    kind: Mapped[str] = mapped_column(Text)
    currency: Mapped[str] = mapped_column(Text)
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    account_id: Mapped[UUID | None]
    reference: Mapped[str | None] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(Text)
    actor: Mapped[str] = mapped_column(Text)
    asked_at: Mapped[datetime] = mapped_column(INSTANT)
    confirmed_by: Mapped[str | None] = mapped_column(Text)
    ended_at: Mapped[datetime | None] = mapped_column(INSTANT)
    ended_by: Mapped[str | None] = mapped_column(Text)
    ended_why: Mapped[str | None] = mapped_column(Text)
    entry_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("billing.bank_entries.id", name="suspense_moves_entry_id_fkey")
    )
    against_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("billing.suspense_items.transaction_id", name="suspense_moves_against_id_fkey")
    )
