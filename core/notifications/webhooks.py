"""Webhooks: added, changed and removed by the account that they belong to."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, select, update

from core.clock import REAL_TIME
from core.crypto import Vault, secret_generations
from core.db import db
from core.errors import Conflict, Fault, Invalid, NotFound
from core.http import kept_by_app
from core.ids import new_id
from core.notifications.models import Delivery, Webhook
from core.notifications.news import news
from core.outbound import NoAnswer, outbound
from core.signatures import is_secret, make_secret

MOST_WEBHOOKS = 20  # of one account
OLD_SECRET_SIGNS = timedelta(hours=24)  # by real time, as signatures are


def add_webhook(account_id: UUID, url: str, events: Sequence[str] | None, secret: str | None, at: datetime) -> Webhook:
    """Add a webhook, with a secret made here when none is given; Invalid names every bad field."""
    faults = [*_url_faults(url), *_event_faults(events)]
    if secret is not None and not is_secret(secret):
        faults.append(Fault("secret", "bad_secret", "Send whsec_ and 24 to 64 random bytes in base64, or null."))
    if faults:
        raise Invalid("invalid_webhook", "The webhook cannot be added.", faults)
    count = select(func.count()).where(Webhook.account_id == account_id, Webhook.deleted_at.is_(None))
    if (db.session.scalar(count) or 0) >= MOST_WEBHOOKS:
        raise Conflict("too_many_webhooks", f"An account has at most {MOST_WEBHOOKS} webhooks; delete one first.")
    webhook = Webhook(id=new_id(), account_id=account_id, url=url, events=_listed(events), created_at=at)
    _seal(webhook, secret or make_secret())
    db.session.add(webhook)
    db.session.flush()
    return webhook


def change_webhook(
    webhook: Webhook, url: str | None, events: Sequence[str] | None, enabled: bool | None, at: datetime
) -> None:
    """Change what is not None; an empty list of events means all. Enabling it again forgets its failures."""
    faults = [*(_url_faults(url) if url is not None else ()), *_event_faults(events)]
    if faults:
        raise Invalid("invalid_webhook", "The webhook cannot be changed.", faults)
    webhook.url = url if url is not None else webhook.url
    webhook.events = _listed(events) if events is not None else webhook.events
    if enabled is True:
        webhook.disabled_at = webhook.disabled_reason = webhook.failing_since = None
    elif enabled is False and webhook.disabled_at is None:
        disable(webhook, "by_hand", at)
    db.session.flush()


def rotate_secret(webhook: Webhook) -> None:
    """Make a new secret; the one before signs beside it for a day."""
    webhook.old_secret, webhook.old_secret_generation = webhook.secret, webhook.secret_generation
    webhook.old_secret_until = REAL_TIME.now() + OLD_SECRET_SIGNS
    _seal(webhook, make_secret())
    db.session.flush()


def delete_webhook(webhook: Webhook, at: datetime) -> None:
    """Delete a webhook; what waits for it is dropped, its log stays."""
    webhook.deleted_at = at
    _drop_waiting(webhook, "deleted")
    db.session.flush()


def disable(webhook: Webhook, reason: str, at: datetime) -> None:
    """Send nothing more to a locked webhook; what waits is dropped, and may be replayed when it is enabled again."""
    webhook.disabled_at, webhook.disabled_reason = at, reason
    _drop_waiting(webhook, "disabled")


def get_webhook(account_id: UUID, webhook_id: UUID) -> Webhook:
    """Return one of the account's webhooks, locked until the transaction ends; NotFound otherwise."""
    found = select(Webhook).where(
        Webhook.id == webhook_id, Webhook.account_id == account_id, Webhook.deleted_at.is_(None)
    )
    webhook = db.session.scalar(found.with_for_update(key_share=True))
    if webhook is None:
        raise NotFound(detail="There is no webhook with this id.")
    return webhook


def webhooks_of(account_id: UUID) -> list[Webhook]:
    """Return the account's webhooks, the newest first."""
    mine = select(Webhook).where(Webhook.account_id == account_id, Webhook.deleted_at.is_(None))
    return list(db.session.scalars(mine.order_by(Webhook.id.desc())))


def secrets_of(webhook: Webhook) -> list[str]:
    """Return the secrets that sign now: the present one, then the one before while it still does."""
    sealed = [(webhook.secret, webhook.secret_generation)]
    if webhook.old_secret_until is not None and webhook.old_secret_until > REAL_TIME.now():
        assert webhook.old_secret is not None and webhook.old_secret_generation is not None
        sealed.append((webhook.old_secret, webhook.old_secret_generation))
    return [_vault().open(secret, generation, webhook.id).decode() for secret, generation in sealed]


def _vault() -> Vault:
    return kept_by_app("leadbourse_webhook_vault", lambda: Vault(secret_generations("webhook")))


def _seal(webhook: Webhook, secret: str) -> None:
    vault = _vault()
    webhook.secret, webhook.secret_generation = vault.seal(secret.encode(), webhook.id), vault.generation


def _drop_waiting(webhook: Webhook, reason: str) -> None:
    waiting = update(Delivery).where(Delivery.webhook_id == webhook.id, Delivery.state == "waiting")
    db.session.execute(waiting.values(state="dropped", reason=reason, next_attempt_at=None))


def _url_faults(url: str) -> list[Fault]:
    try:
        outbound().check(url)
    except NoAnswer as none:
        return [Fault("url", "target_refused", str(none))]
    return []


def _event_faults(events: Sequence[str] | None) -> list[Fault]:
    known = news().all_events
    says = f"Choose from {', '.join(known)}."
    return [
        Fault(f"events.{place}", "not_allowed_value", says)
        for place, event in enumerate(events or ())
        if event not in known
    ]


def _listed(events: Sequence[str] | None) -> list[str] | None:
    return list(dict.fromkeys(events)) if events else None
