"""How disputes look from outside, in the shapes of `answers_disputes`."""

from collections.abc import Callable, Sequence
from datetime import datetime
from uuid import UUID

from core.ids import show_id
from marketplace.catalog.rules_in_force import rules_in_force
from marketplace.leads.dispute_rows import Appeal, Dispute, DisputeGroup, EvidenceFile
from marketplace.leads.disputes.cap import bought_and_returned, is_above
from marketplace.leads.disputes.file import DisputeFile, files_about
from marketplace.leads.disputes.guard import decided_and_rejected, is_guarded
from marketplace.leads.sources.models import SourceStanding
from marketplace.web.api.answers_disputes import (
    AppealShown,
    DisputeShown,
    FeeShown,
    FileShown,
    GroupShown,
    HearingShown,
    SourceStandingShown,
    StandingShown,
)
from marketplace.web.api.shown import amount, instant, instant_or_none


def presenter(rows: Sequence[Dispute]) -> Callable[[Dispute], DisputeShown]:
    """Return what shows any of these disputes, with all that belongs to them read at once."""
    found = files_about(rows)
    return lambda row: dispute(row, found[row.id])


def one(row: Dispute) -> DisputeShown:
    """Show one dispute."""
    return presenter([row])(row)


def dispute(row: Dispute, about: DisputeFile) -> DisputeShown:
    """Show a dispute with its files and its appeal."""
    return DisputeShown(
        id=show_id("dsp", row.id), sale=show_id("sale", row.sale_id), reason=row.reason, sub_reason=row.sub_reason,
        note=row.note, evidence=row.evidence, files=[evidence_file(file) for file in about.files], state=row.state,
        opened_at=instant(row.opened_at), hearing=_hearing(row), decide_by=instant(row.decide_by),
        decided_at=instant_or_none(row.decided_at), decided_by=_decider(row), decision_note=row.decision_note,
        credited=amount(row.credited_minor, about.currency) if row.credited_minor else None, paid_by=row.paid_by,
        appeal_until=instant_or_none(row.appeal_until), appeal=_appeal(about.appeal) if about.appeal else None,
        group=show_id("grp", row.group_id) if row.group_id else None, opened_by=row.opened_by,
        after_settlement=row.late, fee=_fee(row, about.currency),
    )  # fmt: skip


def group(row: DisputeGroup) -> GroupShown:
    """Show what became of a verdict on many sales."""
    returned = [amount(minor, currency) for currency, minor in sorted(row.report["returned"].items())]
    return GroupShown(id=show_id("grp", row.id), **(row.report | {"returned": returned}))


def standing(at: datetime, buyer_id: UUID) -> StandingShown:
    """Show how a buyer stands as one who claims."""
    rules, (bought, back), claims = (
        rules_in_force(),
        bought_and_returned(buyer_id, at),
        decided_and_rejected(buyer_id, at),
    )
    guarded = is_guarded(rules.false_claims, *claims)
    fees = [amount(rules.false_claims.fee_minor, code) for code in rules.false_claims.currencies] if guarded else []
    return StandingShown(
        bought=bought, sent_back=back, return_cap_percent=rules.return_cap.share_bp // 100,
        return_cap_reached=is_above(rules.return_cap, bought, back), decided=claims[0], rejected=claims[1],
        file_required=guarded, fee=fees,
    )  # fmt: skip


def source_standing(row: SourceStanding) -> SourceStandingShown:
    """Show how a source stands."""
    return SourceStandingShown(
        publisher=show_id("acc", row.publisher_id), source=row.source_name, standing=row.standing,
        since=instant(row.since), changed_at=instant(row.changed_at), why=row.why,
    )  # fmt: skip


def evidence_file(row: EvidenceFile) -> FileShown:
    """Show a file without its bytes."""
    own, about = show_id("file", row.id), show_id("dsp", row.dispute_id)
    return FileShown(
        id=own, side=row.side, name=row.name, media_type=row.media_type, size_bytes=row.size_bytes,
        sha256=row.sha256.hex(), uploaded_at=instant(row.uploaded_at),
        link=f"/api/v1/disputes/{about}/evidence/{own}",
    )  # fmt: skip


def _decider(row: Dispute) -> str | None:
    """Say who decided without naming staff; a publisher decides by accepting, at the instant of his answer."""
    if row.decided_by is None or row.decided_by.startswith("system:"):
        return row.decided_by and row.decided_by.removeprefix("system:")
    return "publisher" if row.accepts and row.decided_at == row.heard_at else "operator"


def _fee(row: Dispute, currency: str) -> FeeShown | None:
    return FeeShown(amount=amount(row.fee_minor, currency), state=row.fee_state) if row.fee_state else None


def _hearing(row: Dispute) -> HearingShown:
    return HearingShown(until=instant(row.hear_until), accepts=row.accepts, note=row.answer_note)


def _appeal(row: Appeal) -> AppealShown:
    return AppealShown(
        side=row.side, against=row.against, note=row.note, appealed_at=instant(row.appealed_at),
        decide_by=instant(row.decide_by), decided_at=instant_or_none(row.decided_at),
        decision_note=row.decision_note, outcome=row.outcome,
    )  # fmt: skip
