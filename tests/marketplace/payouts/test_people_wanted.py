"""What operators are told when somebody has to agree, how often, and the pages of debts that are given up."""

import pytest

from billing import PayoutDraft, draft_payout, find_rail, open_payout_run
from core.db import transaction
from core.money import Money
from marketplace.jobs import settle_due
from marketplace.people_wanted import mail_people_wanted, what_waits_for_people
from tests.billing.funding.conftest import at_once
from tests.billing.payouts.conftest import House, account_of, sql, told
from tests.billing.payouts.test_write_offs import debtor
from tests.factories import Market, Member
from tests.marketplace.payouts.test_payouts import items, operator
from tests.marketplace.test_portal_pages import visitor_of
from tests.visitor import Visitor, words_of

__all__ = ["debtor", "operator"]


def mails() -> int:
    return int(sql("SELECT count(*) FROM public.procrastinate_jobs WHERE task_name = 'market.people_wanted'")[0][0])


def wait_for_somebody(house: House) -> Member:
    newcomer = house.earner(150_000)
    house.sepa(newcomer)
    settle_due(house.now)
    assert items(newcomer)[0]["state"] == "drafted"
    return newcomer


def test_operators_are_told_at_once_and_then_once_a_day_while_something_waits(house: House, operator: Visitor) -> None:
    wait_for_somebody(house)
    assert told("people.wanted") == [{"payouts": 1}] and mails() == 1

    for _ in range(23):
        settle_due(house.till.clock.advance(hours=1))
    assert len(told("people.wanted")) == 1
    settle_due(house.till.clock.advance(hours=1))

    assert len(told("people.wanted")) == 2


def test_nobody_is_told_of_nothing(house: House, operator: Visitor) -> None:
    settle_due(house.now)
    assert told("people.wanted") == [] and mails() == 0
    assert sql("SELECT count(*) FROM marketplace.people_told")[0][0] == 0


def test_two_workers_at_once_tell_once(house: House, operator: Visitor) -> None:
    newcomer = house.earner(600_000)
    house.sepa(newcomer)
    with transaction():
        rail = find_rail(account_of(newcomer))
        assert rail is not None
        run = open_payout_run("test", "EUR", house.now.date(), "tester", house.now)
        draft_payout(run, PayoutDraft(account_of(newcomer), Money(600_000, "EUR"), rail.id), "tester", house.now)
        assert what_waits_for_people() == {"payouts": 1}

    at_once(house.till, lambda: settle_due(house.now), lambda: settle_due(house.now))

    assert len(told("people.wanted")) == 1


def test_the_mail_says_what_waits_and_where_and_none_is_sent_when_it_was_decided(
    house: House, operator: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[tuple[str, str]] = []
    monkeypatch.setattr("marketplace.people_wanted.mail_account", lambda _, subject, text: sent.append((subject, text)))
    boss = account_of(house.till.market.make_operator())
    mail_people_wanted(boss)
    assert sent == []
    wait_for_somebody(house)

    mail_people_wanted(boss)

    [(subject, words)] = sent
    assert subject == "1 waiting for somebody to agree" and "payouts to agree to: " in words
    assert "/operator/payouts" in words


def test_a_debt_is_written_off_by_two_operators_on_its_page(
    house: House, market: Market, debtor: Member, operator: Visitor
) -> None:
    page = f"/operator/owed/{debtor.id}/EUR"
    assert "Netted against what is earned" in words_of(operator.open("/operator/payouts"))
    assert "Ask to write it off" not in words_of(operator.open(page))
    house.till.clock.advance(days=90)
    assert "Receivable" in words_of(operator.open("/operator/payouts"))

    assert operator.send(page, page, reason="he is gone").status_code == 303
    [(wish,)] = sql("SELECT id FROM billing.write_offs")
    assert words_of(operator.open(page)).count("Agree") == 0
    with transaction():
        assert what_waits_for_people() == {"write_offs": 1}
    other = visitor_of(market, market.make_operator())
    [agree] = other.read(page).xpath("//form[contains(@action, '/agree')]/@action")
    assert other.send(agree, page).status_code == 303

    assert house.till.account(5200) == 3_000 and "Written off" in words_of(other.open(page))
    assert "write off" in words_of(other.open("/operator/log")) or wish
    assert other.open(f"/operator/owed/{debtor.id}/XXXX").status_code == 404
    assert other.open(f"/operator/owed/{debtor.id}/EUR").status_code == 200
