"""Both sides are heard, and where somebody stays silent the rules decide at the instant that was told."""

from datetime import timedelta

import pytest

from marketplace.jobs import run_due
from tests.conftest import START, SetClock
from tests.deals import COMPENSATED, RELEASE, RETURNED, SETTLED, SOLD, Deal, saved, upload
from tests.factories import Market

MOMENT = timedelta(microseconds=1)
HEARD = START + timedelta(hours=48)  # a Tuesday
SILENT = HEARD + timedelta(days=7)  # five business days and a weekend


def answer(deal: Deal, opened, accept: bool, note: str = ""):
    return deal.publisher.request("POST", f"/disputes/{opened['id']}/answer", {"accept": accept, "note": note})


def test_a_publisher_who_accepts_returns_the_price_at_once(deal: Deal) -> None:
    opened = deal.dispute()
    accepted = answer(deal, opened, accept=True, note="our form was attacked")
    assert (accepted.status_code, accepted.json["state"], accepted.json["paid_by"]) == (200, "upheld", "publisher")
    assert (accepted.json["hearing"]["accepts"], accepted.json["decided_by"]) == (True, "publisher")
    assert (deal.state(), deal.money()) == ("returned", RETURNED)


def test_both_sides_and_operators_read_the_same_file(deal: Deal) -> None:
    opened = deal.dispute(sub_reason="robot", note="wrote nonsense")
    answer(deal, opened, accept=False, note="he called us")
    upload(deal.buyer, opened, b"the log of our form")
    shown = [member.get("/disputes")["items"] for member in (deal.buyer, deal.publisher, deal.operator)]
    assert shown[0] == shown[1] == shown[2]
    [one] = shown[0]
    assert (one["sub_reason"], one["hearing"]["note"]) == ("robot", "he called us")
    assert [file["name"] for file in one["files"]] == ["proof.txt"]


def test_a_publisher_is_heard_until_the_hearing_ends_and_once(deal: Deal, clock: SetClock) -> None:
    opened = deal.dispute()
    clock.instant = HEARD
    assert answer(deal, opened, accept=True).json["code"] == "hearing_over"
    clock.instant = HEARD - MOMENT
    assert answer(deal, opened, accept=False).status_code == 200
    assert answer(deal, opened, accept=True).json["code"] == "already_answered"
    assert deal.money() == SOLD


def test_nobody_answers_for_the_publisher(deal: Deal, market: Market) -> None:
    opened = deal.dispute()
    path = f"/disputes/{opened['id']}/answer"
    assert market.make_publisher().request("POST", path, {"accept": True}).status_code == 404
    assert deal.buyer.request("POST", path, {"accept": True}).status_code == 403


def test_a_silent_publisher_accepts_a_claim_whose_evidence_is_complete(deal: Deal) -> None:
    deal.dispute(note="the number is dead")
    run_due(HEARD - MOMENT)
    assert deal.money() == SOLD
    assert run_due(HEARD)["hearings_closed"] == 1
    assert (deal.now()["decided_by"], deal.now()["paid_by"]) == ("silence", "publisher")
    assert (deal.state(), deal.money()) == ("returned", RETURNED)


def test_a_file_completes_the_evidence(deal: Deal) -> None:
    opened = deal.dispute()
    assert upload(deal.buyer, opened, b"a recording of nothing").status_code == 201
    run_due(HEARD)
    assert deal.state() == "returned"


@pytest.mark.parametrize("contested", [True, False])
def test_where_the_operator_is_silent_the_buyer_is_credited_and_the_platform_pays(deal: Deal, contested: bool) -> None:
    opened = deal.dispute(note="the number is dead" if contested else "")
    if contested:
        answer(deal, opened, accept=False)
    run_due(SILENT - MOMENT)
    assert deal.money() == SOLD
    assert run_due(SILENT)["disputes_decided"] == 1
    assert deal.now()["paid_by"] == "platform"
    assert (deal.state(), deal.money()) == ("returned", COMPENSATED)
    assert run_due(SILENT)["disputes_decided"] == 0


def test_an_operator_may_decide_before_the_hearing_is_over(deal: Deal) -> None:
    opened = deal.dispute()
    assert deal.decide(opened, "reject").status_code == 200
    run_due(SILENT)
    assert (deal.state(), deal.money()) == ("delivered", SOLD)


def test_a_rejected_buyer_appeals_once_and_the_money_waits(deal: Deal, clock: SetClock) -> None:
    opened = deal.dispute()
    deal.decide(opened, "reject")
    clock.advance(days=4)
    appealed = deal.buyer.post(f"/disputes/{opened['id']}/appeal", {"note": "here is the log"})
    assert (appealed["state"], appealed["appeal"]["side"], deal.state()) == ("appealed", "buyer", "disputed")
    assert deal.decide(opened, "uphold").json["appeal"]["outcome"] == "changed"
    assert (deal.state(), deal.money()) == ("returned", RETURNED)
    again = deal.publisher.request("POST", f"/disputes/{opened['id']}/appeal", {"note": "no"})
    assert (again.status_code, again.json["code"]) == (409, "already_appealed")


def test_a_publisher_who_wins_an_appeal_is_paid_by_the_platform(deal: Deal) -> None:
    opened = deal.dispute()
    deal.decide(opened, "uphold")
    deal.publisher.post(f"/disputes/{opened['id']}/appeal", {"note": "he bought a course"})
    assert deal.decide(opened, "partial", share_bp=5000).json["code"] == "not_now"
    decided = deal.decide(opened, "reject").json
    assert (decided["state"], decided["paid_by"], decided["appeal"]["outcome"]) == ("rejected", "platform", "changed")
    assert (deal.state(), deal.money()) == ("returned", COMPENSATED)
    assert deal.decide(opened, "reject").status_code == 200
    assert deal.money() == COMPENSATED


def test_an_appeal_that_nobody_decides_lets_the_decision_stand(deal: Deal, clock: SetClock) -> None:
    opened = deal.dispute()
    deal.decide(opened, "reject")
    deal.buyer.post(f"/disputes/{opened['id']}/appeal", {"note": "look again"})
    assert run_due(START + timedelta(days=3))["appeals_decided"] == 1  # Sunday to Wednesday
    assert (deal.now()["state"], deal.now()["appeal"]["outcome"]) == ("rejected", "stands")
    assert run_due(RELEASE)["settlements"] == 1
    assert deal.money() == SETTLED


def test_only_the_side_that_lost_appeals_and_in_time(deal: Deal, clock: SetClock, market: Market) -> None:
    opened = deal.dispute()
    path = f"/disputes/{opened['id']}/appeal"
    assert deal.buyer.request("POST", path, {"note": "now"}).json["code"] == "not_now"
    deal.decide(opened, "reject")
    assert deal.publisher.request("POST", path, {"note": "no"}).json["code"] == "nothing_lost"
    assert market.make_buyer("0").request("POST", path, {"note": "no"}).status_code == 404
    clock.advance(days=5)
    assert deal.buyer.request("POST", path, {"note": "late"}).json["code"] == "appeal_closed"


def test_who_accepted_a_claim_does_not_appeal(deal: Deal) -> None:
    opened = deal.dispute()
    answer(deal, opened, accept=True)
    refused = deal.publisher.request("POST", f"/disputes/{opened['id']}/appeal", {"note": "no"})
    assert refused.json["code"] == "nothing_lost"


def test_a_file_of_a_decided_dispute_is_still_read(deal: Deal) -> None:
    opened = deal.dispute()
    link = upload(deal.publisher, opened, b"our log").json["link"]
    deal.decide(opened, "uphold")
    assert saved(deal.buyer, link).data == b"our log"
    assert upload(deal.buyer, opened, b"more").json["code"] == "not_now"
