"""The buyer's disputes on pages: opened for what is allowed now, with files, listed, saved, appealed, and nobody else's."""

import csv
import io
from typing import Any

import pytest

from core.ids import new_id, show_id
from marketplace.catalog.dispute_rules import dispute_rules
from marketplace.reports import buyer_disputes
from tests.conftest import SetClock
from tests.deals import Deal, make_deal, upload
from tests.factories import Market
from tests.marketplace.test_claim_guard import Trade
from tests.marketplace.test_dispute_rules import apply, vertical
from tests.marketplace.test_portal_pages import queries, visitor_of
from tests.visitor import Visitor, words_of

RTL = "\u202e<b>\u05e9\u05dd</b>"


def file(data: bytes = b"he called himself Mickey", name: str = "proof.txt") -> Any:
    return (io.BytesIO(data), name)


def form_of(sale: str) -> str:
    return f"/buyer/leads/{sale}/dispute"


@pytest.fixture
def claimant(market: Market, deal: Deal) -> Visitor:
    """Sign in as the buyer of the deal."""
    return visitor_of(market, deal.buyer)


def usable(visitor: Visitor, sale: str) -> list[str]:
    """Return the reasons that the form lets a buyer choose."""
    return [str(one) for one in visitor.read(form_of(sale)).xpath("//input[@name='reason'][not(@disabled)]/@value")]


def test_the_form_offers_what_is_allowed_now_and_says_why_the_rest_is_not(
    market: Market, deal: Deal, claimant: Visitor, clock: SetClock
) -> None:
    with queries(market.app) as said:
        words = words_of(claimant.open(form_of(deal.sale)))
    assert len(said) <= 12, said
    assert "Not available: it is no reason in this vertical." in words and "Open until" in words
    assert "unreachable" not in usable(claimant, deal.sale) and "mistyped" in usable(claimant, deal.sale)
    clock.advance(hours=72)
    assert "mistyped" not in usable(claimant, deal.sale) and "duplicate" in usable(claimant, deal.sale)
    assert "its window closed" in words_of(claimant.open(form_of(deal.sale)))
    clock.advance(days=26)
    assert usable(claimant, deal.sale) == ["no_consent"]
    clock.advance(days=1)
    words = words_of(claimant.open(form_of(deal.sale)))
    assert usable(claimant, deal.sale) == [] and "nothing that this lead can be disputed for now" in words


def test_a_claim_is_opened_from_the_lead_with_its_words_and_files(deal: Deal, claimant: Visitor) -> None:
    [link] = claimant.read(f"/buyer/leads/{deal.sale}").xpath("//a[text()='Dispute this lead']/@href")
    done = claimant.send(link, reason="bot", sub_reason="robot", note=RTL, file=[file(), file(b"a log", "log.txt")])
    opened = deal.now()
    assert (done.status_code, done.location) == (302, f"/buyer/disputes/{opened['id']}")
    assert (opened["reason"], opened["sub_reason"], opened["note"]) == ("bot", "robot", RTL)
    assert [one["name"] for one in opened["files"]] == ["proof.txt", "log.txt"]
    story = claimant.read(done.location)
    assert RTL in story.text_content() and not story.xpath("//article//b")
    [saved, _] = story.xpath("//a[contains(@href, '/files/')]/@href")
    assert claimant.open(saved).data == b"he called himself Mickey"
    assert claimant.read(f"/buyer/leads/{deal.sale}").xpath(f"//a[@href='{done.location}']")


def test_the_form_sent_twice_opens_one_dispute_and_leads_to_it(deal: Deal, claimant: Visitor) -> None:
    token = claimant.token(form_of(deal.sale))
    sent = {"csrf_token": token, "reason": "bot", "note": "a robot"}
    places = {claimant.open(form_of(deal.sale), "POST", dict(sent)).location for _ in range(2)}
    assert places == {f"/buyer/disputes/{deal.now()['id']}"}
    assert claimant.open(form_of(deal.sale)).location in places


@pytest.mark.parametrize(
    ("sent", "says"),
    [({}, "Choose what is wrong with the lead."), ({"reason": "bored"}, "Choose one of mistyped"),
     ({"reason": "bot", "sub_reason": "dead_number"}, "Choose one of robot, or leave it out."),
     ({"reason": "unreachable"}, "unreachable is no reason in this vertical."),
     ({"reason": "bot", "note": "kept" + "x" * 4000}, "Write at most 4000 letters."),
     ({"reason": "bot", "file": [file(), file(b"MZ\x90\0", "run.exe")]}, "run.exe: Send one whole file of a kind"),
     ({"reason": "bot", "file": [file(b"", "empty.txt")]}, "empty.txt: Send one whole file"),
     ({"reason": "bot", "file": [file() for _ in range(6)]}, "Each side shows at most 5 files.")],
)  # fmt: skip
def test_a_claim_that_cannot_be_taken_opens_nothing_and_keeps_what_was_typed(
    deal: Deal, claimant: Visitor, sent: dict[str, Any], says: str
) -> None:
    for one in sent.get("file", []):
        one[0].seek(0)
    answer = claimant.send(form_of(deal.sale), **({"note": "kept words"} | sent))
    assert answer.status_code == 200 and says in words_of(answer) and "kept" in answer.text
    assert deal.state() == "delivered"


def test_a_file_that_is_too_long_is_refused_at_its_field(deal: Deal, claimant: Visitor) -> None:
    text = {"csrf_token": claimant.token(form_of(deal.sale)), "reason": "bot", "note": "kept"}
    parts = [f'Content-Disposition: form-data; name="{name}"\r\n\r\n{said}' for name, said in text.items()]
    parts.append('Content-Disposition: form-data; name="file"; filename="big.txt"\r\n\r\n')
    body = ("--edge\r\n" + "\r\n--edge\r\n".join(parts)).encode() + b"x" * (dispute_rules().file_bytes + 1)
    kind = "multipart/form-data; boundary=edge"
    answer = claimant.open(form_of(deal.sale), "POST", body + b"\r\n--edge--\r\n", Content_Type=kind)
    [fault] = [line for line in answer.text.split("\n") if 'id="file-fault"' in line]
    assert "big.txt: Send a file of at most 10000000 bytes." in fault and deal.state() == "delivered"


def test_unreachable_shows_the_calls_that_were_reported_and_takes_more(market: Market, clock: SetClock) -> None:
    apply(vertical({"disputes": {"unreachable": {"enabled": True}}}))
    deal = make_deal(market)
    visitor, path = visitor_of(market, deal.buyer), form_of(deal.sale)
    assert "Not available yet: from" in words_of(visitor.open(path))
    clock.advance(hours=97)
    for hour in ("24T09", "24T15", "25T09", "26T09"):
        report = {"status": "attempted", "at": f"2026-11-{hour}:00:00Z"}
        deal.buyer.post(f"/sales/{deal.sale}/disposition", report)
    [calls] = visitor.read(path).xpath("//textarea[@name='calls']/text()")
    assert calls.split() == ["2026-11-24", "09:00", "2026-11-24", "15:00", "2026-11-25", "09:00", "2026-11-26", "09:00"]
    refused = visitor.send(path, reason="unreachable", calls="yesterday\n2026-11-24 09:00", zone="UTC")
    assert "as 2026-11-28 10:00." in refused.text and "yesterday" in refused.text
    assert "at least 5 calls on 3 days" in visitor.send(path, reason="unreachable", calls=calls, zone="UTC").text
    visitor.send(path, reason="unreachable", calls=f"{calls}\n2026-11-26 19:00", zone="Europe/Paris")
    assert deal.now()["evidence"][-1] == {"attempted_at": "2026-11-26T18:00:00Z"} and deal.state() == "disputed"


def test_a_guarded_buyer_reads_what_a_claim_needs_and_costs_and_sends_it(market: Market) -> None:
    trade = Trade(market, 14)
    trade.rejected(10, 3)
    visitor, path = visitor_of(market, trade.buyer), form_of(trade.sales[10])
    words = words_of(visitor.open(path))
    assert "Of your 10 claims decided in 30 days 3 were rejected" in words and "it costs €5.00" in words
    assert "Needs a file." in words
    assert "too many of your claims were rejected lately" in visitor.send(path, reason="bot", note="believe me").text
    done = visitor.send(path, reason="bot", note="look", file=file())
    assert "€5.00, charged if the claim is rejected" in words_of(visitor.open(done.location))
    trade.decide({"id": done.location.rpartition("/")[2]}, "reject")
    page = words_of(visitor.open(done.location))
    assert "charged, as the claim was rejected" in page and "Together €25.00" in page


def test_above_the_cap_only_what_a_machine_proves_is_offered(market: Market) -> None:
    trade = Trade(market, 21)
    visitor = visitor_of(market, trade.buyer)
    for number in range(3):
        trade.claim(number)
    assert "One more claim puts you above the cap" in words_of(visitor.open(form_of(trade.sales[4])))
    trade.claim(3)
    assert usable(visitor, trade.sales[4]) == ["out_of_criteria", "duplicate"]
    assert "only claims that stored facts prove are heard" in words_of(visitor.open(form_of(trade.sales[4])))
    refused = visitor.send(form_of(trade.sales[4]), reason="bot", note="kept")
    assert "only claims that a machine can prove" in refused.text and "kept" in refused.text


def test_the_list_is_narrowed_continued_and_saved_whole(market: Market, monkeypatch: pytest.MonkeyPatch) -> None:
    trade = Trade(market, 6)
    for number, reason in enumerate(("bot", "bot", "prank", "hired", "bot")):
        trade.claim(number, reason)
    visitor, shown = visitor_of(market, trade.buyer), []
    monkeypatch.setattr("core.keyset.Asked.__init__.__defaults__", (None, 2))
    monkeypatch.setattr(buyer_disputes, "READ_AT_ONCE", 2)
    path = "/buyer/disputes"
    while path:
        page = visitor.read(path)
        shown += page.xpath("//table//a[@class='opens']/@title")
        path = next(iter(page.xpath("//nav[@class='pager']/a[@rel='next']/@href")), "")
    assert len(shown) == len(set(shown)) == 5
    assert len(visitor.read("/buyer/disputes?reason=prank").xpath("//table//a[@class='opens']")) == 1
    assert "No dispute is of this kind." in words_of(visitor.open("/buyer/disputes?state=upheld"))
    rows = list(csv.DictReader(io.StringIO(visitor.open("/buyer/disputes.csv").text)))
    assert [row["id"] for row in rows] == shown and rows[0]["price"] == "20.00"
    assert len(visitor.open("/buyer/disputes.csv?reason=bot").text.splitlines()) == 4
    assert visitor.open("/buyer/disputes?state=nothing").status_code == 400
    other = visitor_of(market, market.make_buyer())
    assert "You disputed nothing" in words_of(other.open("/buyer/disputes"))
    assert len(other.open("/buyer/disputes.csv").text.splitlines()) == 1


def test_a_story_tells_the_hearing_the_decision_and_the_money_and_takes_an_appeal(
    deal: Deal, claimant: Visitor, clock: SetClock
) -> None:
    opened = deal.dispute(note="a robot")
    path = f"/buyer/disputes/{opened['id']}"
    upload(deal.publisher, opened, b"his call", "call.txt")
    deal.publisher.post(f"/disputes/{opened['id']}/answer", {"accept": False, "note": "he is real"})
    assert "Undecided: 1" in words_of(claimant.open("/buyer/disputes"))
    page = words_of(claimant.open(path))
    for part in ("Contested", "he is real", "call.txt", "from the publisher", "An operator decides.", "€20.00"):
        assert part in page, part
    assert "14.00" not in page and claimant.open(f"{path}/appeal").status_code == 200
    deal.decide(opened, "reject", note="he answered")
    assert "he answered" in words_of(claimant.open(path))
    assert "Say what was judged wrong." in claimant.send(f"{path}/appeal", note=" ").text
    assert claimant.send(f"{path}/appeal", note="listen again").location == path
    page = words_of(claimant.open(path))
    assert "listen again" in page and f'href="{path}/appeal"' not in claimant.open(path).text
    assert "appealed" in claimant.send(f"{path}/appeal", note="typed twice").text
    assert claimant.send(f"{path}/evidence", file=[file(), file(name="b.txt")]).location == path
    deal.decide(opened, "uphold", note="it was a robot")
    assert "Given back -€20.00 Together €0.00" in words_of(claimant.open(path))
    late = claimant.send(f"{path}/evidence", file=file())
    assert late.status_code == 200 and "evidence is taken until it is decided" in late.text


def test_what_is_somebody_elses_is_not_there(market: Market, deal: Deal) -> None:
    opened = deal.dispute()
    stranger = visitor_of(market, market.make_buyer())
    for path in (f"/buyer/disputes/{opened['id']}", f"/buyer/disputes/{show_id('dsp', new_id())}", "/buyer/disputes/x"):
        for page in ("", "/evidence", "/appeal"):
            assert stranger.open(path + page).status_code == 404
    assert stranger.open(form_of(deal.sale)).status_code == 404
    token = stranger.token("/tf-setup")
    sent = {"csrf_token": token, "reason": "bot"}
    assert stranger.open(form_of(deal.sale), "POST", sent).status_code == 404


def test_a_lost_token_keeps_the_words_of_a_claim(deal: Deal, claimant: Visitor) -> None:
    answer = claimant.open(form_of(deal.sale), "POST", {"reason": "bot", "note": "long work"})
    assert answer.status_code == 400 and "long work" in answer.text and deal.state() == "delivered"
