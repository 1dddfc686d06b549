"""A payout the whole way by the bank's file, as the product does it: said where, drafted, ordered, handed on, paid."""

from datetime import datetime
from uuid import UUID

from billing import (
    PayoutDebtor,
    PayoutDraft,
    RailWish,
    draft_payout,
    hand_on_payout_file,
    make_payout_file,
    open_payout_run,
    payouts_of_file,
    say_rail,
    take_payout_results,
    to_pay,
)
from core.ids import new_id

OURS = PayoutDebtor("Leadbourse GmbH", "FR7630006000011234567890189", "AGRIFRPP")
IBAN, OTHER_IBAN = "DE89370400440532013000", "FR7630006000011234567890189"


def pay_out(account_id: UUID, at: datetime) -> None:
    """Pay an earner all that is payable to him, in the session's transaction; nothing when that is nothing."""
    money = to_pay(account_id, "EUR").payable
    if money.minor <= 0:
        return
    rail = say_rail(account_id, RailWish("sepa", "Ada Martin", "DE", IBAN), "user:test", at)
    run = open_payout_run(f"test:{new_id()}", "EUR", at.date(), "user:test", at)
    draft_payout(run, PayoutDraft(account_id, money, rail.id), "user:test", at)
    file = make_payout_file("sepa", "EUR", OURS, "user:test", at)
    hand_on_payout_file(file.id, "user:test", at)
    take_payout_results(results(file.id, "paid"), "sepa", "results.csv", "user:test", at)


def results(file_id: UUID, status: str, reason: str = "") -> bytes:
    """Write what the bank says of all payouts of a file."""
    lines = [f"{one.payout.id.hex},{status},{reason}\n" for one in payouts_of_file(file_id)]
    return ("reference,status,reason\n" + "".join(lines)).encode()
