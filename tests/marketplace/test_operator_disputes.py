"""An operator's disputes on pages: the queue, one file, a decision, and a verdict on a source with its preview."""

from datetime import timedelta
from typing import Any

import pytest

from core.clock import as_rfc3339
from tests.conftest import START, SetClock
from tests.deals import Deal, upload
from tests.factories import Market, Member
from tests.marketplace.test_portal_pages import MOST_QUERIES, queries, visitor_of
from tests.visitor import Visitor, words_of

GROUPS = "/operator/dispute-groups"


def decide(visitor: Visitor, dispute: Any, decision: str, **said: str) -> Any:
    """Send the form as it stands on the dispute's page."""
    path = f"/operator/disputes/{dispute['id']}"
    seen = visitor.read(path).xpath("//input[@name='seen']/@value")
    fields = {"decision": decision, "note": "looked into", "seen": seen[0] if seen else "open"} | said
    return visitor.send(path, "/account", **fields)


def test_the_queue_shows_what_waits_the_oldest_first_and_is_narrowed(market: Market, clock: SetClock) -> None:
    publisher, buyer, operator = market.make_publisher(), market.make_buyer(), market.make_operator()
    market.make_order(buyer)
    for reason in ("bot", "prank"):
        [sale] = publisher.post("/leads", market.lead())["sales"]
        buyer.post(f"/sales/{sale['id']}/disputes", {"reason": reason})
        clock.advance(hours=1)
    visitor = visitor_of(market, operator)
    assert visitor.read("/operator/disputes").xpath("//td/code/text()") == ["bot", "prank"]
    for narrowed in ("reason=prank", "sort=-opened&reason=prank&vertical=education", f"buyer={buyer.id}&reason=prank",
                     f"publisher={publisher.id}&reason=prank&state=open"):  # fmt: skip
        assert visitor.read(f"/operator/disputes?{narrowed}").xpath("//td/code/text()") == ["prank"], narrowed
    for empty in (f"buyer={publisher.id}", "vertical=legal", "vertical=%3Cx%3E", "state=upheld"):
        assert "No dispute of this kind" in words_of(visitor.open(f"/operator/disputes?{empty}"))
    assert visitor.open("/operator/disputes?reason=dear").status_code == 400
    assert visitor.open("/operator/disputes?buyer=acc_x").status_code == 404


def test_a_dispute_is_one_file_of_both_sides_in_few_queries(deal: Deal, market: Market) -> None:
    opened = deal.dispute(sub_reason="robot", note="<b>nonsense</b> \u202eשלום")
    deal.publisher.post(f"/disputes/{opened['id']}/answer", {"accept": False, "note": "he called us"})
    upload(deal.buyer, opened, b"the log of our form")
    visitor = visitor_of(market, deal.operator)
    with queries(market.app) as said:
        answer = visitor.open(f"/operator/disputes/{opened['id']}")
    assert answer.status_code == 200 and len(said) <= MOST_QUERIES, said
    page = words_of(answer)
    for part in ("<b>nonsense</b>", "Does not accept the claim. he called us", "proof.txt", "1 sales, 0 claims upheld",
                 "€80.00 available, €20.00 held", "business", "Back to the buyer €0.00 To the publisher €14.00"):  # fmt: skip
        assert part in page, part
    [link] = visitor.read(f"/operator/disputes/{opened['id']}").xpath("//a[contains(@href, '/evidence/')]/@href")
    file = visitor.open(link)
    assert file.data == b"the log of our form" and file.headers["Content-Disposition"].startswith("attachment")


@pytest.mark.parametrize(
    ("decision", "said", "state", "back"),
    [("uphold", {}, "upheld", "100.00"), ("reject", {}, "rejected", "80.00"), ("partial", {"amount": "5.00"}, "partial", "80.00"),
     ("reprice", {"amount": "12.00"}, "repriced", "80.00")],
)  # fmt: skip
def test_a_dispute_is_decided_where_it_is_read(
    deal: Deal, market: Market, decision: str, said: dict[str, str], state: str, back: str
) -> None:
    opened = deal.dispute("out_of_criteria" if decision == "reprice" else "bot")
    visitor = visitor_of(market, deal.operator)
    assert decide(visitor, opened, decision, **said).status_code == 302
    assert (deal.now()["state"], deal.now()["decision_note"], deal.money()[0]) == (state, "looked into", back)
    assert "Decided. Both sides were told." in words_of(visitor.open(f"/operator/disputes/{opened['id']}"))
    again = decide(visitor, opened, decision, **said)
    assert again.status_code == 302 and deal.money()[0] == back


@pytest.mark.parametrize(
    ("decision", "said", "fault"),
    [("partial", {"amount": "twenty"}, "Send an amount in EUR"), ("partial", {}, "Send the amount"),
     ("partial", {"amount": "20.00"}, "less than the price"), ("uphold", {"amount": "1.00"}, "Leave amount"),
     ("", {}, "Choose how to decide"), ("sideways", {}, "Not a valid choice"), ("reject", {"note": " "}, "Say why"),
     ("reject", {"note": "x" * 4001}, "at most 4000"), ("reprice", {"amount": "1.00"}, "Reprice only")],
)  # fmt: skip
def test_a_decision_that_makes_no_sense_keeps_what_was_typed(
    deal: Deal, market: Market, decision: str, said: dict[str, str], fault: str
) -> None:
    opened = deal.dispute()
    answer = decide(visitor_of(market, deal.operator), opened, decision, **({"note": "typed here"} | said))
    assert answer.status_code == 200 and fault in words_of(answer), words_of(answer)
    assert said.get("note", "typed here") in answer.text and deal.now()["state"] == "open"


def test_who_read_an_older_state_decides_nothing(deal: Deal, market: Market) -> None:
    opened = deal.dispute()
    deal.decide(opened, "reject")
    deal.buyer.post(f"/disputes/{opened['id']}/appeal", {"note": "no"})
    answer = decide(visitor_of(market, deal.operator), opened, "uphold", seen="open")
    assert "Somebody decided meanwhile: the dispute is appealed" in words_of(answer)
    assert deal.now()["state"] == "appealed" and "looked into" in answer.text


def test_an_appeal_is_decided_on_the_same_page(deal: Deal, market: Market) -> None:
    opened = deal.dispute()
    deal.decide(opened, "reject")
    deal.buyer.post(f"/disputes/{opened['id']}/appeal", {"note": "the log shows it"})
    visitor = visitor_of(market, deal.operator)
    assert "the log shows it" in words_of(visitor.open(f"/operator/disputes/{opened['id']}"))
    assert decide(visitor, opened, "uphold").status_code == 302 and deal.now()["state"] == "upheld"


@pytest.fixture
def farm(market: Market) -> tuple[Member, Member, Member]:
    """Sell three leads of one source and one of another."""
    publisher, buyer = market.make_publisher(), market.make_buyer("200.00")
    market.make_order(buyer)
    for name in ("farm", "farm", "farm", "fair"):
        publisher.post("/leads", market.lead(source={"name": name}))
    return publisher, buyer, market.make_operator()


def asked(member: Member, **said: str) -> dict[str, str]:
    """Write the form of a verdict."""
    week = {"since": "2026-11-22T00:00", "until": "2026-11-29T00:00"}
    return {"publisher": member.id, "by": "source", "value": "farm", "decision": "uphold", "reason": "bot",
            "note": "a bot farm", "seen": ""} | week | said  # fmt: skip


def test_a_verdict_shows_what_it_would_do_before_it_does_it(market: Market, farm: tuple[Member, ...]) -> None:
    publisher, buyer, operator = farm
    visitor = visitor_of(market, operator)
    preview = visitor.send(GROUPS, **asked(publisher, preview="1"))
    assert "Decides 3 of 3 sales. Back to buyers: €60.00" in words_of(preview)
    assert buyer.get("/wallet")["available"]["amount"] == "120.00"
    seen = preview.text.split('name="seen"')[1].split('value="')[1].split('"')[0]
    assert visitor.send(GROUPS, **asked(publisher, decide="1", seen=seen)).status_code == 302
    assert buyer.get("/wallet")["available"]["amount"] == "180.00"
    assert "This very verdict was given" in words_of(visitor.send(GROUPS, **asked(publisher, preview="1")))


def test_a_verdict_whose_preview_is_not_true_any_more_decides_nothing(market: Market, farm: tuple[Member, ...]) -> None:
    publisher, buyer, operator = farm
    visitor = visitor_of(market, operator)
    seen = visitor.send(GROUPS, **asked(publisher, preview="1")).text.split('name="seen"')[1].split('value="')[1][:64]
    publisher.post("/leads", market.lead(source={"name": "farm"}))
    for mark in (seen, ""):
        answer = visitor.send(GROUPS, **asked(publisher, decide="1", seen=mark))
        assert "is not what the preview showed" in words_of(answer)
    assert buyer.get("/wallet")["available"]["amount"] == "100.00"


def test_a_preview_names_what_it_passes_over(market: Market, farm: tuple[Member, ...]) -> None:
    publisher, _, operator = farm
    page = words_of(visitor_of(market, operator).send(GROUPS, **asked(publisher, decision="reject", preview="1")))
    assert "3 passed over: Nobody disputed it" in page and "Decide these sales" not in page


@pytest.mark.parametrize(
    ("said", "fault"),
    [({"until": "2026-11-21T00:00"}, "Let the period end after it begins"), ({"publisher": "acc_x"}, "acc_ and 26 letters"),
     ({"by": "network", "value": "nowhere"}, "Send a network"), ({"since": "yesterday"}, "Not a valid datetime"),
     ({"value": ""}, "Name the source"), ({"decision": ""}, "Choose how to decide"), ({"note": ""}, "Say why")],
)  # fmt: skip
def test_a_verdict_that_makes_no_sense_keeps_what_was_typed(
    market: Market, farm: tuple[Member, ...], said: dict[str, str], fault: str
) -> None:
    publisher, _, operator = farm
    answer = visitor_of(market, operator).send(GROUPS, **asked(publisher, preview="1", **said))
    assert answer.status_code == 200 and fault in words_of(answer), words_of(answer)
    assert said.get("note", "a bot farm") in answer.text


def test_the_period_begins_with_the_last_month(market: Market, farm: tuple[Member, ...]) -> None:
    page = visitor_of(market, farm[2]).read(f"{GROUPS}?publisher={farm[0].id}&value=farm")
    assert page.xpath("//input[@name='since']/@value") == ["2026-10-23T10:00"]
    assert as_rfc3339(START - timedelta(days=30)).startswith("2026-10-23T10:00")
    assert page.xpath("//input[@name='value']/@value") == ["farm"]
