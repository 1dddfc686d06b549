"""The pages of saved cards and automatic top-up: what was typed stays, and a sentence says what will happen."""

import re

import pytest

from billing.funding.recharge.charging import recharge_due
from tests.billing.funding.conftest import Till, sql
from tests.billing.funding.saved import LATER, PROVES, charges, save_card, switch_on, work
from tests.marketplace.test_portal_pages import visitor_of
from tests.visitor import Visitor, words_of

FORM, CARDS = "/buyer/wallet/recharge", "/buyer/wallet/cards"
WISH = {"is_on": "y", "threshold": "100,00", "size": "target", "target": "300.00", "daily_limit": "900", "card": ""}


@pytest.fixture
def visitor(till: Till) -> Visitor:
    return visitor_of(till.market, till.buyer)


def keep(visitor: Visitor, **changes: str) -> str:
    """Send the form with the version that the page carries; return the page that follows, or is shown again."""
    version = str(visitor.read(FORM).xpath("//input[@name='version']/@value")[0])
    answer = visitor.send(FORM, **({"version": version} | WISH | changes))
    return words_of(visitor.open(FORM) if answer.status_code == 303 else answer)


def test_a_card_is_saved_shown_and_removed(till: Till, visitor: Visitor) -> None:
    assert "No card is saved" in words_of(visitor.open(CARDS))
    answer = visitor.send(f"{CARDS}/new", CARDS)
    assert answer.status_code == 303
    [way] = visitor.read(answer.headers["Location"]).xpath("//a[text()='Go on to the card processor']/@href")
    assert till.pay(way) == 303
    back = visitor.open(f"{CARDS}?saved=1")
    assert "takes a moment" in words_of(back) and 'http-equiv="refresh"' in back.text
    till.look()
    shown = visitor.open(f"{CARDS}?saved=1")
    assert "Visa •• 4242" in words_of(shown) and "12/2034" in shown.text and 'http-equiv="refresh"' not in shown.text

    [remove] = re.findall(rf"{CARDS}/card_\w+/remove", shown.text)
    assert "Remove Visa •• 4242?" in words_of(visitor.open(remove))
    other = visitor_of(till.market, till.market.make_buyer("0"))
    assert other.open(remove).status_code == 302
    assert other.send(remove, FORM).status_code == 404
    assert visitor.send(remove).status_code == 303
    assert visitor.open(remove).status_code == 302
    assert "No card is saved" in words_of(visitor.open(CARDS))


def test_one_sentence_says_what_will_be_charged_when_and_what_of_the_day_is_used(till: Till, visitor: Visitor) -> None:
    assert "Automatic top-up is off." in words_of(visitor.open(FORM))
    save_card(till)
    said = keep(visitor)
    assert "Will charge €200.00 to Visa •• 4242 when less than €100.00 is left; today €0.00 of €900.00." in said
    work(till)
    assert "today €300.00 of €900.00" in words_of(visitor.open(FORM))
    assert "in the wallet" in words_of(visitor.open(FORM)) and charges() == [("paid", 30_000)]
    assert "Automatic top-up is off." in keep(visitor, is_on="")


@pytest.mark.parametrize(("field", "typed", "says"), [
    ("threshold", "0", "more than 0"), ("threshold", "-5", "more than 0"), ("threshold", "1.001", "whole cents"),
    ("target", "99", "above the threshold"), ("daily_limit", "", "how much may be charged"),
    ("daily_limit", "50000.01", "Send from"), ("target", "<b>1</b>", "whole cents"),
])  # fmt: skip
def test_a_wish_that_cannot_be_stays_and_is_told_at_its_field(
    till: Till, visitor: Visitor, field: str, typed: str, says: str
) -> None:
    save_card(till)
    version = str(visitor.read(FORM).xpath("//input[@name='version']/@value")[0])
    answer = visitor.send(FORM, **(WISH | {"version": version, field: typed}))

    assert answer.status_code == 200 and f'id="{field}-fault"' in answer.text and says in words_of(answer)
    assert not typed or visitor.app.jinja_env.from_string('value="{{ typed }}"').render(typed=typed) in answer.text
    assert till.count("recharges") == 0


def test_a_fixed_amount_has_to_be_said(till: Till, visitor: Visitor) -> None:
    save_card(till)
    assert "whole cents" in keep(visitor, size="amount", amount="")
    assert "Will charge €50.00 to" in keep(visitor, size="amount", amount="50")


def test_without_a_card_it_cannot_be_switched_on(till: Till, visitor: Visitor) -> None:
    assert "Save a card first." in keep(visitor)


@pytest.mark.parametrize("version", ["0", "", "x", "99999999999"])
def test_a_page_that_is_older_than_what_holds_changes_nothing(till: Till, visitor: Visitor, version: str) -> None:
    save_card(till)
    keep(visitor)
    answer = visitor.send(FORM, **(WISH | {"version": version, "daily_limit": "901"}))

    assert answer.status_code == 200 and sql("SELECT version FROM billing.recharges") == [(1,)]
    assert 'value="901"' in answer.text


def test_a_chosen_card_that_is_nobodys_is_refused(till: Till, visitor: Visitor) -> None:
    save_card(till)
    assert "Choose one of the saved cards." in keep(visitor, card="card_00000000000000000000000000")
    assert "Choose one of the saved cards." in keep(visitor, card="anything")


def test_a_bank_that_asks_is_answered_from_the_page(till: Till, visitor: Visitor) -> None:
    save_card(till, PROVES)
    switch_on(till)
    work(till)
    page = visitor.read(FORM)
    [way] = page.xpath("//a[contains(text(), 'Pay')]/@href")
    form = visitor.open(way)
    assert 'value="300.00"' in form.text and "checked" in form.text
    assert "Paused until you pay" in words_of(visitor.open(FORM))


def test_a_declined_card_is_tried_again_by_a_button(till: Till, visitor: Visitor) -> None:
    save_card(till, LATER)
    switch_on(till)
    work(till)
    assert "the next try is" in words_of(visitor.open(FORM))
    assert visitor.send("/buyer/wallet/recharge/resume", FORM).status_code == 303
    work(till)
    assert len(charges()) == 2


def test_an_automatic_top_up_is_read_like_any_other(till: Till, visitor: Visitor) -> None:
    save_card(till)
    switch_on(till)
    recharge_due(till.clock.now())
    [top_up] = till.buyer.get("/wallet/top-ups")["items"]
    page = f"/buyer/wallet/top-ups/{top_up['id']}"
    assert (top_up["state"], top_up["checkout_url"]) == ("opening", None)
    assert "The saved card is being charged." in words_of(visitor.open(page))
    work(till)
    assert "Paid, and in the wallet." in words_of(visitor.open(page))


def test_a_top_up_saves_the_card_where_that_is_ticked(till: Till, visitor: Visitor) -> None:
    answer = visitor.send("/buyer/wallet/top-up", amount="100", save="y")
    [way] = visitor.read(answer.headers["Location"]).xpath("//a[text()='Pay by card']/@href")
    assert till.pay(way) == 303
    till.look()

    assert "Visa •• 4242" in words_of(visitor.open(CARDS))
