"""The pages of money by card: a form that keeps what was typed, a page that tells how far a payment is."""

import pytest
from sqlalchemy import text

from core.db import transaction
from tests.billing.funding.conftest import Till
from tests.marketplace.test_portal_pages import visitor_of
from tests.visitor import Visitor, words_of

FORM = "/buyer/wallet/top-up"


@pytest.fixture
def visitor(till: Till) -> Visitor:
    return visitor_of(till.market, till.buyer)


def ask(visitor: Visitor, amount: str) -> str:
    """Ask for a payment page, and return the address of the top-up's own page."""
    answer = visitor.send(FORM, amount=amount)
    assert answer.status_code == 303, words_of(answer)
    return str(answer.headers["Location"])


def test_a_person_pays_and_reads_that_it_is_in_the_wallet(till: Till, visitor: Visitor) -> None:
    page = ask(visitor, "120,50")
    [way] = visitor.read(page).xpath("//a[text()='Pay by card']/@href")
    assert way.startswith(till.stripe.url)
    assert "Test money" in words_of(visitor.open(page))

    assert till.pay(way) == 303
    with transaction() as session:
        session_id = session.execute(text("SELECT session_id FROM billing.top_ups")).scalar_one()
    back = visitor.open(f"/buyer/wallet/paid?session={session_id}")
    assert back.status_code == 302 and page in back.headers["Location"]
    waiting = visitor.open(back.headers["Location"])
    assert "takes a moment" in words_of(waiting) and 'http-equiv="refresh"' in waiting.text

    till.look()
    done = visitor.open(back.headers["Location"])
    assert "in the wallet" in words_of(done) and 'http-equiv="refresh"' not in done.text
    assert till.wallet().available.minor == 12_050


@pytest.mark.parametrize("typed", ["", "0", "-5", "1e9", "10.001", "50000.01", "<b>10</b>", "\u0661\u0660"])
def test_an_amount_that_cannot_be_paid_stays_and_is_told_at_its_field(till: Till, visitor: Visitor, typed: str) -> None:
    answer = visitor.send(FORM, amount=typed)

    assert answer.status_code == 200 and 'id="amount-fault"' in answer.text
    page = visitor.app.jinja_env.from_string('value="{{ typed }}"').render(typed=typed)
    assert not typed or page in answer.text
    assert till.count("top_ups") == 0


def test_nobody_reads_a_top_up_or_a_payment_page_of_another(till: Till, visitor: Visitor) -> None:
    page = ask(visitor, "100")
    other = visitor_of(till.market, till.market.make_buyer())
    with transaction() as session:
        session_id = session.execute(text("SELECT session_id FROM billing.top_ups")).scalar_one()

    assert other.open(page).status_code == 404
    assert other.open(f"/buyer/wallet/paid?session={session_id}").status_code == 404
    assert other.open("/buyer/wallet/paid").status_code == 404


def test_unused_money_is_sent_back_from_a_form_that_tells_what_may_go(till: Till, visitor: Visitor) -> None:
    till.paid("100.00")

    refused = visitor.send("/buyer/wallet/refund", amount="100.01")
    assert "at most 100.00 EUR" in words_of(refused)
    assert visitor.send("/buyer/wallet/refund", amount="60").status_code == 303
    till.look()
    till.look()

    assert till.wallet().available.minor == 4_000 and till.account(2200) == 0


def test_an_operator_reads_balance_and_chargebacks(till: Till) -> None:
    till.paid("100.00")
    with transaction() as session:
        query = "SELECT source_id FROM billing.balance_transactions WHERE booked_as = 'card_payment'"
        charge = session.execute(text(query)).scalar_one()
    till.stripe.open_dispute(charge)
    till.look()
    operator = visitor_of(till.market, till.market.make_operator())

    said = words_of(operator.open("/operator/card-money"))
    assert "Every movement at the card processor is explained." in said and "The bank has it" in said
