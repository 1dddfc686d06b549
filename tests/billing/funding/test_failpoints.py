"""Whatever step between our database and Stripe dies or errs: what is left over recovers to the same end."""

import ast
import os
from pathlib import Path

import pytest
from sqlalchemy import text

from billing.stripe_gateway import gateway
from core.db import transaction
from core.failpoints import Failed
from tests.billing.funding.conftest import Till, sql
from tests.billing.funding.saved import euros
from tests.billing.payouts.conftest import House
from tests.command_line import run_program

ROOT = Path(__file__).resolve().parents[3]
POINTS = (
    "account.read", "balance.kept", "balance.read", "call.answered", "call.recorded", "call.taken", "card.read",
    "card_page.ordered", "chargeback.read", "document.printed", "movement.booked", "movement.explained", "news.handled", "news.kept",
    "news.recorded", "news.taken", "payment.read", "payouts.covered", "payouts.ordered", "recharge.ordered",
    "refund.read", "top_up.ordered", "transfer.read",
)  # fmt: skip
ELSEWHERE = ("card_page.ordered", "document.printed", "news.kept", "top_up.ordered")
IN_THE_WORKER = [point for point in POINTS if point not in ELSEWHERE]
# Every point errs; a kill starts a process each time, so that all of them are killed at only where somebody asks for it.
KILLED = IN_THE_WORKER if os.environ.get("LEADBOURSE_ALL_KILLS") == "1" else [
    "call.answered", "call.taken", "movement.booked", "news.handled", "payouts.ordered", "recharge.ordered"]  # fmt: skip


def test_every_point_in_the_code_is_listed_here() -> None:
    found = {
        ast.literal_eval(node.args[0])
        for path in (ROOT / "billing").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "failpoint"
    }

    assert sorted(found) == sorted(POINTS)


def play(till: Till) -> None:
    """Have money on its way in every direction: paid and not yet seen, going back, charged back, charged by itself."""
    house = House(till)
    earner = house.earner(2_500)
    house.onboard(earner)
    till.paid("100.00")
    with transaction() as session:
        query = "SELECT source_id FROM billing.balance_transactions WHERE booked_as = 'card_payment'"
        charge = session.execute(text(query)).scalar_one()
    till.clock.advance(minutes=1)
    other = till.market.make_buyer("0")
    till.pay(other.post("/wallet/top-ups", {"amount": euros("60.00"), "save_card": True})["checkout_url"])
    till.paid("50.00")
    till.post("/refunds", "20.00")
    till.pay(till.ask("70.00")["checkout_url"])
    till.stripe.open_dispute(charge)
    till.pay(other.post("/wallet/card-pages")["page_url"])
    wish = {"on": True, "threshold": euros("70.00"), "target": euros("90.00"), "daily_limit": euros("30.00")}
    assert other.request("PUT", "/wallet/recharges/EUR", wish).status_code == 200
    house.draft(earner, 2_500)
    sql("UPDATE billing.payout_rails SET checked_at = NULL")


def end(till: Till) -> tuple[int, ...]:
    """Let everything settle, and return what there is in the end; what was sent is asked for again at once."""
    for _ in range(4):
        with transaction() as session:
            session.execute(text("UPDATE billing.card_calls SET next_attempt_at = now() WHERE ended_at IS NULL"))
            session.execute(text("UPDATE billing.payout_rails SET checked_at = NULL"))
        till.look()
    wallet = till.wallet()
    assert till.account(1010) == till.at_stripe(), "the books say what Stripe says"
    with transaction() as session:
        others = (
            session.execute(text("SELECT coalesce(sum(available), 0) FROM billing.wallets")).scalar_one()
            - wallet.available.minor
        )
    return (
        wallet.available.minor,
        wallet.frozen.minor,
        int(others),
        till.count("saved_cards"),
        *(till.account(code) for code in (1000, 1040, 2100, 2120, 2200, 2900)),
        len(gateway()._client.transfers.list().data),
    )


def test_without_a_fault_it_ends_so(till: Till) -> None:
    play(till)

    assert end(till) == AS_EVER


AS_EVER = (10_000, 10_000, 9_000, 2, 0, 10_000, 0, 0, 0, 0, 1)


@pytest.mark.parametrize("point", IN_THE_WORKER)
def test_a_step_of_the_worker_that_errs_is_made_up_for(till: Till, monkeypatch: pytest.MonkeyPatch, point: str) -> None:
    play(till)
    monkeypatch.setenv("FAILPOINT", f"{point}:error")
    with pytest.raises(Failed):
        till.look()
        till.look()
    monkeypatch.delenv("FAILPOINT")

    assert end(till) == AS_EVER


@pytest.mark.parametrize("point", KILLED)
def test_a_worker_killed_at_any_step_is_made_up_for(till: Till, point: str) -> None:
    play(till)
    settings = till.app.extensions["leadbourse_settings"]
    environment = os.environ | {
        "DATABASE_URL": settings.database_url, "LEADBOURSE_DATA": str(settings.data_folder),
        "STRIPE_SECRET_KEY": settings.stripe_secret_key, "STRIPE_API_BASE": settings.stripe_api_base,
        "STRIPE_WEBHOOK_SECRET": settings.stripe_webhook_secret, "FAILPOINT": f"{point}:kill",
    }  # fmt: skip
    died = run_program("run-due", environment=environment)
    assert died.returncode == -9, died.stderr

    assert end(till) == AS_EVER


@pytest.mark.parametrize("point", ["top_up.ordered", "call.taken", "call.answered", "call.recorded"])
def test_a_request_that_errs_between_order_and_page_charges_nobody_and_leaves_a_page(
    till: Till, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    monkeypatch.setenv("FAILPOINT", f"{point}:error")
    till.ask(status=500)
    monkeypatch.delenv("FAILPOINT")
    end(till)

    with transaction() as session:
        states = session.execute(text("SELECT state FROM billing.top_ups")).scalars().all()
    assert states == ["open"] and till.at_stripe() == 0


@pytest.mark.parametrize("point", ["card_page.ordered", "call.taken", "call.answered", "call.recorded"])
def test_a_request_that_errs_between_order_and_page_leaves_a_page_for_the_card(
    till: Till, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    monkeypatch.setenv("FAILPOINT", f"{point}:error")
    assert till.buyer.request("POST", "/wallet/card-pages", {}).status_code == 500
    monkeypatch.delenv("FAILPOINT")
    end(till)

    with transaction() as session:
        states = session.execute(text("SELECT state FROM billing.card_pages")).scalars().all()
    assert states == ["open"] and till.count("saved_cards") == 0


def test_a_webhook_that_errs_after_it_was_kept_is_handled_all_the_same(
    till: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    till.pay(till.ask()["checkout_url"])
    raw = till.events()[-1]
    monkeypatch.setenv("FAILPOINT", "news.kept:error")
    assert till.hook(raw) == 500
    monkeypatch.delenv("FAILPOINT")

    assert till.count("card_news") == 1
    till.look()
    assert till.wallet().available.minor == 10_000
