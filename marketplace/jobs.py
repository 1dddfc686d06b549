"""What falls due in the market, done whenever somebody asks: the clock every minute, or `run-due`."""

import logging
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from functools import partial
from uuid import UUID

from affiliates import draft_due_payouts
from billing import erase_card_news, forget_prints, run_due_cards, run_due_payouts, warn_low
from core.bounces import bounce_mailbox, take_bounces
from core.db import transaction
from core.http import business_clock
from core.idempotency import forget
from core.job_faults import forget_faults
from core.jobs import forget_slots, job
from core.notifications import NOTICE_KIND, NOTICES, forget_deliveries, queue_digests, send_due
from core.outbound import outbound
from core.rates import forget_rates
from marketplace.audit_runs import JOB as AUDIT
from marketplace.audit_runs import STEP as AUDIT_STEP
from marketplace.audit_runs import begin_audit, take_step
from marketplace.bank_moves import announce_suspense
from marketplace.credit.overdue import MAIL as CREDIT_MAIL
from marketplace.credit.overdue import collect_batch, mail_overdue, stop_batch
from marketplace.deals.due import STEPS as DEAL_STEPS
from marketplace.documents.months import issue_next
from marketplace.documents.telling import MAIL as DOCUMENTS_MAIL
from marketplace.documents.telling import mail_documents
from marketplace.leads.again.due import STEPS as AGAIN_STEPS
from marketplace.leads.contact_watch import pause_negligent, start_clocks, tell_follow_ups, tell_late
from marketplace.leads.delivery.courier import deliver_due
from marketplace.leads.delivery.files.runner import deliver_files
from marketplace.leads.delivery.mail.bounced import SENDERS
from marketplace.leads.disputes.due import STEPS as DISPUTE_STEPS
from marketplace.leads.rests import end_rest
from marketplace.leads.settlement import mature_batch, net_batch, settle_batch
from marketplace.leads.source_breaker import look_at_sources
from marketplace.leads.sources.fetching import fetch_due
from marketplace.leads.uploads.posting import post_chunks, wake_uploads
from marketplace.leads.uploads.register import JOB as UPLOAD_JOB
from marketplace.leads.uploads.register import erase_files
from marketplace.leads.wallet_paces import count_paces
from marketplace.market.due import STEPS as MARKET_STEPS
from marketplace.payout_acts import NEWS as PAYOUTS_WAIT
from marketplace.payout_acts import announce_waiting
from marketplace.people_wanted import MAIL as PEOPLE_MAIL
from marketplace.people_wanted import mail_people_wanted, tell_people_wanted
from marketplace.terms.due import STEPS as TERMS_STEPS
from marketplace.terms.telling import MAIL as TERMS_MAIL
from marketplace.terms.telling import mail_terms
from marketplace.what_if.recorded import read_only
from marketplace.what_if.runs import JOB as WHAT_IF
from marketplace.what_if.runs import erase_runs, keep_report, note_progress, report_for

log = logging.getLogger(__name__)


# The watch over first contacts, in the order in which one needs the other.
WATCH: dict[str, Callable[[datetime], int]] = {
    "contact_clocks": start_clocks,
    "contacts_late": tell_late,
    "orders_paused": pause_negligent,
    "follow_ups_due": tell_follow_ups,
}
# Disputes first, since a decision may let a sale be settled in the same run; then money, then terms.
DUE: dict[str, Callable[[datetime], int]] = {
    **DISPUTE_STEPS,
    "settlements": settle_batch,
    "reserves": mature_batch,
    "debts_netted": net_batch,
    **TERMS_STEPS,
    **DEAL_STEPS,
    "debts_collected": collect_batch,
    "wallets_stopped": stop_batch,
    "payouts_drafted": draft_due_payouts,
    "people_told": tell_people_wanted,
    "sources_looked_at": look_at_sources,
    **WATCH,
    "orders_rested": end_rest,
    **AGAIN_STEPS,
    "wallet_paces": count_paces,
    "wallets_low": warn_low,
    "upload_files_erased": erase_files,
    "card_news_erased": erase_card_news,
    "what_if_runs_erased": erase_runs,
    "months_looked_at": issue_next,
}


def run_due(as_of: datetime) -> dict[str, int]:
    """Do all that is due by then and return how many of each; of deliveries and notifications, the attempts made.

    Daily mails are put on the queue.
    """
    done = run_due_cards(as_of)
    done |= {"bounces": take_returned(as_of), "deliveries": deliver_due(as_of), "files": deliver_files(as_of)}
    done |= settle_due(as_of)
    for name, count in run_due_payouts(as_of).items():  # of what was drafted just now
        done[name] = done.get(name, 0) + count
    done |= settle_due(as_of, MARKET_STEPS)
    return done | {"notifications": send_due(as_of), "daily_mails": _drain(queue_digests, as_of)}


def settle_due(as_of: datetime, steps: Mapping[str, Callable[[datetime], int]] = DUE) -> dict[str, int]:
    """Do what is due by then in the books and the market, or some steps of it; each batch is a transaction."""
    return {name: _drain(batch, as_of) for name, batch in steps.items()}


def _drain(batch: Callable[[datetime], int], as_of: datetime) -> int:
    total = 0
    while True:
        with transaction():
            done = batch(as_of)
        if not done:
            return total
        total += done


@job("market.due", every=timedelta(minutes=1))
def settle_what_is_due() -> None:
    """Do what is due by the business clock."""
    settle_due(business_clock().now())


@job("market.data", every=timedelta(minutes=5))
def count_the_market() -> None:
    """Count what is due of the market's data by the business clock."""
    settle_due(business_clock().now(), MARKET_STEPS)


def take_returned(at: datetime) -> int:
    """Take in the mail that came back to us, and return how much of it told of something new."""
    return take_bounces(bounce_mailbox(), {NOTICE_KIND: NOTICES, **SENDERS}, at)


@job(CREDIT_MAIL)
def tell_of_overdue(account: str, currency: str) -> None:
    """Write to a buyer's people that their debts stop their orders; tried again when mail cannot be sent."""
    mail_overdue(UUID(account), currency, business_clock().now())


@job(PEOPLE_MAIL)
def mail_what_waits(account: str) -> None:
    """Write to an operator's people what waits for somebody to agree; tried again when mail cannot be sent."""
    mail_people_wanted(UUID(account))


@job(DOCUMENTS_MAIL)
def tell_of_documents(account: str, period: str) -> None:
    """Write to an account's people which documents of a month are issued; tried again when mail cannot be sent."""
    mail_documents(UUID(account), date.fromisoformat(period))


@job(TERMS_MAIL)
def tell_of_terms(account: str, version: int) -> None:
    """Write to a publisher's people that their terms changed; tried again when mail cannot be sent."""
    mail_terms(UUID(account), version)


@job("market.bounces", every=timedelta(minutes=1))
def read_bounces() -> None:
    """Take in the mail that came back to us."""
    take_returned(business_clock().now())


@job("market.meta_leads", every=timedelta(seconds=30))
def fetch_meta_leads() -> None:
    """Fetch the leads that Meta announced and that are due by the business clock."""
    fetch_due(outbound(), business_clock().now())


@job(UPLOAD_JOB)
def post_upload(upload: str) -> None:
    """Post the next rows of an upload."""
    post_chunks(UUID(upload), business_clock().now())


@job("market.uploads", every=timedelta(minutes=1))
def wake_quiet_uploads() -> None:
    """Go on with uploads whose next chunk was lost."""
    with transaction():
        wake_uploads(datetime.now(UTC))


@job("bank.suspense")
def tell_of_suspense(import_id: str) -> None:
    """Tell operators of a bank's file of which something is nobody's."""
    with transaction():
        announce_suspense(UUID(import_id), business_clock().now())


@job(PAYOUTS_WAIT)
def tell_of_waiting_payouts() -> None:
    """Tell operators that payouts wait for the balance at the processor."""
    with transaction():
        announce_waiting(business_clock().now())


@job(AUDIT, every=timedelta(days=1))
def prove_the_books(asked_by: str = "system:clock") -> None:
    """Begin an audit of the books, every night and whenever an operator asks."""
    with transaction():
        begin_audit(asked_by, business_clock().now())


@job(AUDIT_STEP)
def prove_a_part(audit: str, number: int) -> None:
    """Take one step of an audit; what is wrong at its end is logged by name and told to every operator."""
    with transaction():
        wrong = take_step(UUID(audit), number, business_clock().now())
    if wrong:
        log.critical("the books do not hold: %s", "; ".join(wrong))


@job("core.tidy", every=timedelta(hours=1))
def tidy() -> None:
    """Forget answers and rates older than a day, slots older than two, prints of long documents after 30, and, after
    90, notifications that ended and why jobs failed.
    """
    now = datetime.now(UTC)
    with transaction():
        forget(now - timedelta(hours=24))
        forget_slots(now - timedelta(days=2))
        forget_deliveries(now - timedelta(days=90))
        forget_faults(now - timedelta(days=90))
        forget_rates(now - timedelta(days=1))
        forget_prints(business_clock().now() - timedelta(days=30))


@job(WHAT_IF)
def run_what_if(run: str) -> None:
    """Run days again as an operator asked, reading only, and keep the report."""
    with transaction():
        read_only()
        report = report_for(UUID(run), partial(note_progress, UUID(run)))
    with transaction():
        keep_report(UUID(run), report, business_clock().now())
