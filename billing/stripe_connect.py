"""Stripe's accounts of those who are paid: opened, looked at, sent to; the gateway lends its client and its answers.

A transfer moves money from our balance to theirs at once; their own payouts to their bank are theirs, and may fail.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from core.money import Money

AccountState = Literal["pending", "ready", "blocked"]
PAGE = 100


@dataclass(frozen=True, slots=True)
class PayableAccount:
    """An account that money may be sent to once it is `ready`; otherwise `reason` and what Stripe still asks for."""

    id: str
    state: AccountState
    reason: str | None
    missing: tuple[str, ...]
    reference: str | None


@dataclass(frozen=True, slots=True)
class Transfer:
    """Money sent to such an account; `reference` is what we named it by."""

    id: str
    money: Money
    destination: str
    reference: str | None


@dataclass(frozen=True, slots=True)
class Reversal:
    """A transfer taken back, in whole or in part."""

    id: str
    money: Money
    transfer_id: str


@dataclass(frozen=True, slots=True)
class BankPayout:
    """What such an account sent to its owner's bank, or tried to."""

    id: str
    is_paid: bool
    is_failed: bool
    money: Money
    code: str
    says: str
    made_at: datetime


class ConnectDoor:
    """What is asked of Stripe about those who are paid."""

    def __init__(
        self, client: Any, ask: Callable[[Callable[[], Any]], Any], pages: Callable[..., Iterator[Any]]
    ) -> None:
        self._client, self._ask, self._pages = client, ask, pages

    def open_account(self, payload: Any, key: str) -> PayableAccount:
        """Open an account that has yet to say who it is."""
        return _account(self._ask(lambda: self._client.accounts.create(payload, {"idempotency_key": key})))

    def account(self, account_id: str) -> PayableAccount:
        """Read an account as it stands now; Refused `account_invalid` for one that was closed or is not ours."""
        return _account(self._ask(lambda: self._client.accounts.retrieve(account_id)))

    def accounts_since(self, instant: datetime) -> Iterator[PayableAccount]:
        """Read the accounts that were opened from an instant on."""
        asked = {"created": {"gte": int(instant.timestamp())}, "limit": PAGE}
        for one in self._pages(self._client.accounts.list, asked):
            yield _account(one)

    def onboarding(self, account_id: str, back: str, again: str) -> str:
        """Return the address, good for some minutes and one visit, at which an account says who it is."""
        asked = {"account": account_id, "type": "account_onboarding", "return_url": back, "refresh_url": again}
        return str(self._ask(lambda: self._client.account_links.create(asked)).url)

    def send(self, payload: Any, key: str) -> Transfer:
        """Send money to an account."""
        return _transfer(self._ask(lambda: self._client.transfers.create(payload, {"idempotency_key": key})))

    def transfer(self, transfer_id: str) -> Transfer:
        """Read a transfer."""
        return _transfer(self._ask(lambda: self._client.transfers.retrieve(transfer_id)))

    def transfers_of(self, group: str) -> list[Transfer]:
        """Read all transfers of one group."""
        asked = {"transfer_group": group, "limit": PAGE}
        return [_transfer(one) for one in self._pages(self._client.transfers.list, asked)]

    def reverse(self, payload: Any, key: str) -> Reversal:
        """Take a transfer back."""
        asked = {"amount": payload["amount"], "metadata": payload["metadata"]}
        transfer_id, named = payload["transfer"], {"idempotency_key": key}
        return _reversal(self._ask(lambda: self._client.transfers.reversals.create(transfer_id, asked, named)))

    def reversals_of(self, transfer_id: str) -> list[tuple[Reversal, str | None]]:
        """Read all reversals of a transfer, each with what we named it by."""
        pages = self._pages(lambda asked: self._client.transfers.reversals.list(transfer_id, asked), {"limit": PAGE})
        return [(_reversal(one), _reference(one.metadata)) for one in pages]

    def reversal_of_movement(self, movement_id: str) -> Reversal:
        """Read the reversal that a movement of our balance is."""
        asked = {"expand": ["source"]}
        return _reversal(self._ask(lambda: self._client.balance_transactions.retrieve(movement_id, asked)).source)

    def bank_payouts(self, account_id: str, since: datetime) -> list[BankPayout]:
        """Read what an account sent to its owner's bank from an instant on, the oldest first."""
        asked = {"created": {"gte": int(since.timestamp())}, "limit": PAGE}
        there = {"stripe_account": account_id}
        pages = self._pages(lambda page: self._client.payouts.list(page, there), asked)
        return [_bank_payout(one) for one in reversed(list(pages))]


def _reference(metadata: Any) -> str | None:
    return getattr(metadata, "leadbourse", None)


def _account(one: Any) -> PayableAccount:
    missing = tuple(one.requirements.currently_due or ()) if one.requirements else ()
    disabled = (one.requirements.disabled_reason if one.requirements else None) or ""
    may_have = getattr(one.capabilities, "transfers", None) == "active"
    state: AccountState = "ready" if may_have and one.payouts_enabled else "pending"
    reason = None
    if disabled.startswith(("rejected", "platform_paused")):
        state, reason = "blocked", "account_rejected"
    elif state == "pending":
        reason = "more_needed" if one.details_submitted else "onboarding_unfinished"
    return PayableAccount(one.id, state, reason, missing, _reference(one.metadata))


def _transfer(one: Any) -> Transfer:
    money = Money(one.amount, one.currency.upper())
    destination = one.destination if isinstance(one.destination, str) else one.destination.id
    return Transfer(one.id, money, destination, _reference(one.metadata))


def _reversal(one: Any) -> Reversal:
    transfer_id = one.transfer if isinstance(one.transfer, str) else one.transfer.id
    return Reversal(one.id, Money(one.amount, one.currency.upper()), transfer_id)


def _bank_payout(one: Any) -> BankPayout:
    money = Money(one.amount, one.currency.upper())
    made_at = datetime.fromtimestamp(one.created, UTC)
    code, says = one.failure_code or "unknown", one.failure_message or ""
    return BankPayout(one.id, one.status == "paid", one.status == "failed", money, code, says[:500], made_at)
