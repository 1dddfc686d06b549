"""Payouts to look at on pages: one by file that did not arrive, and one that waits; with the ids of their pages."""

from datetime import date

from sqlalchemy import text

from billing import (
    PayoutDebtor,
    PayoutDraft,
    RailWish,
    compensate,
    draft_payout,
    find_rail,
    make_payout_file,
    open_payout_run,
    say_rail,
    take_payout_results,
)
from core.db import db, transaction
from core.ids import new_id, show_id
from core.money import Money
from tests.conftest import START

DEBTOR = PayoutDebtor("Leadbourse GmbH", "FR7630006000011234567890189", "AGRIFRPP")
HOLDER, LONG = "<b>Ada</b> & Sons", "AC01 <script>no such account</script> " + "0123456789" * 12


def shown_payouts(email: str) -> dict[str, str]:
    """Pay somebody's account by file and return the ids by which pages are named: of a payout, its file and results."""
    query = "SELECT m.account_id FROM core.memberships m JOIN core.users u ON u.id = m.user_id WHERE u.email = :email"
    account_id = db.session.scalars(text(query), {"email": email}).one()
    db.session.rollback()
    with transaction():
        compensate(account_id, Money(30_000, "EUR"), str(new_id()), "for a test", "tester", START)
        say_rail(account_id, RailWish("sepa", HOLDER, "DE", "DE89370400440532013000"), "user:test", START)
        rail = find_rail(account_id)
        assert rail is not None
        run = open_payout_run(f"shown:{account_id}", "EUR", date(2026, 11, 16), "tester", START)
        wanted = PayoutDraft(account_id, Money(10_000, "EUR"), rail.id)
        payout_id = draft_payout(run, wanted, "tester", START).id
        file = make_payout_file("sepa", "EUR", DEBTOR, "user:test", START)
        assert file is not None
        file_id = file.id
    sheet = f"reference,status,reason\n{payout_id.hex},failed,{LONG}\n<i>{'x' * 60}</i>,maybe,\n"
    with transaction():
        kept, _ = take_payout_results(sheet.encode(), "sepa", "<b>results</b> of Monday.csv", "user:test", START)
        result_id = kept.id
    with transaction():
        say_rail(account_id, RailWish("wise", HOLDER, "VN", "ada@example.com"), "user:test", START)
        rail = find_rail(account_id)
        assert rail is not None
        later = open_payout_run(f"later:{account_id}", "EUR", date(2026, 11, 23), "tester", START)
        waiting = PayoutDraft(account_id, Money(20_000, "EUR"), rail.id, "came_back", needs_review=True)
        draft_payout(later, waiting, "tester", START)
    return {
        "payout": show_id("pay", payout_id), "file": show_id("pfl", file_id), "result": show_id("prs", result_id),
        "publisher": show_id("acc", account_id),
    }  # fmt: skip
