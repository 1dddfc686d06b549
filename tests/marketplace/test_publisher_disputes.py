"""Disputes about a publisher's leads on pages: read with their evidence, answered in time, appealed, and nobody else's."""

import io
from typing import Any

import pytest

from core.ids import new_id, show_id
from tests.conftest import SetClock
from tests.deals import Deal, upload
from tests.factories import Market
from tests.marketplace.test_portal_pages import queries, visitor_of
from tests.visitor import Visitor, words_of

RTL = "\u202e<b>\u05e9\u05dd</b>"


def place_of(opened: Any) -> str:
    """Return the address of a dispute's page."""
    return f"/publisher/disputes/{opened['id']}"


@pytest.fixture
def reader(market: Market, deal: Deal) -> Visitor:
    """Sign in as the publisher of the deal."""
    return visitor_of(market, deal.publisher)


def test_the_list_says_what_waits_and_a_dispute_shows_its_evidence(
    market: Market, deal: Deal, reader: Visitor, clock: SetClock
) -> None:
    assert "No buyer disputed a lead of yours" in words_of(reader.open("/publisher/disputes"))
    opened = deal.dispute(sub_reason="robot", note=RTL)
    upload(deal.buyer, opened, b"the log of our form")
    page = words_of(reader.open("/publisher/disputes"))
    assert "Waiting for your answer: 1. The first hearing ends in 2 days." in page and "Robot" in page
    assert "No dispute is in this state" in words_of(reader.open("/publisher/disputes?state=upheld"))
    with queries(market.app) as said:
        story = reader.read(place_of(opened))
    assert len(said) <= 12
    assert RTL in story.text_content() and "proof.txt" in story.text_content()
    [file] = story.xpath("//a[contains(@href, '/files/')]/@href")
    saved = reader.open(file)
    assert saved.data == b"the log of our form" and "attachment" in saved.headers["Content-Disposition"]


def test_a_contested_claim_keeps_the_note_and_the_file(deal: Deal, reader: Visitor) -> None:
    opened = deal.dispute()
    path = place_of(opened)
    done = reader.send(f"{path}/answer", accept="no", note=RTL, file=(io.BytesIO(b"he called us"), "log.txt"))
    assert (done.status_code, done.location) == (302, path)
    page = words_of(reader.open(path))
    assert "Contested" in page and RTL in page and "log.txt" in page
    assert deal.state() == "disputed"
    again = reader.send(f"{path}/answer", accept="yes", note="typed twice")
    assert again.status_code == 200 and "an answer is given once" in again.text and "typed twice" in again.text


def test_an_accepted_claim_gives_the_money_back(deal: Deal, reader: Visitor) -> None:
    opened = deal.dispute()
    reader.send(f"{place_of(opened)}/answer", accept="yes")
    assert deal.state() == "returned"
    assert "at your cost" in words_of(reader.open(place_of(opened)))


@pytest.mark.parametrize(
    ("sent", "says"),
    [({"note": "kept"}, "Choose one of the two."), ({"accept": "maybe", "note": "kept"}, "Not a valid choice"),
     ({"accept": "no", "note": "kept" + "x" * 4000}, "Write at most 4000 letters."),
     ({"accept": "no", "note": "kept", "file": (io.BytesIO(b"MZ\x90\0"), "run.exe")}, "of a kind that cannot run")],
)  # fmt: skip
def test_an_answer_that_cannot_be_taken_keeps_what_was_typed(
    deal: Deal, reader: Visitor, sent: dict[str, Any], says: str
) -> None:
    opened = deal.dispute()
    answer = reader.send(f"{place_of(opened)}/answer", **sent)
    assert answer.status_code == 200 and says in answer.text and "kept" in answer.text
    assert deal.now()["hearing"]["accepts"] is None and deal.now()["files"] == []


def test_the_hearing_ends_at_its_instant(deal: Deal, reader: Visitor, clock: SetClock) -> None:
    opened = deal.dispute()
    path = f"{place_of(opened)}/answer"
    clock.advance(hours=48)
    assert "The hearing ended at" in reader.send(path, accept="no", note="late").text
    assert f'href="{path}"' not in reader.open(place_of(opened)).text


def test_a_lost_dispute_is_appealed_once(deal: Deal, reader: Visitor) -> None:
    opened = deal.dispute()
    deal.decide(opened, "uphold", note="it was a robot")
    path = place_of(opened)
    assert f'href="{path}/appeal"' in reader.open(path).text
    assert "Say what was judged wrong." in reader.send(f"{path}/appeal", note=" ").text
    assert reader.send(f"{path}/appeal", note="it was no robot").status_code == 302
    assert f'href="{path}/appeal"' not in reader.open(path).text and "it was no robot" in reader.open(path).text
    assert reader.send(f"{path}/appeal", note="again").status_code == 200


def test_a_file_is_shown_until_the_dispute_is_decided(deal: Deal, reader: Visitor) -> None:
    opened = deal.dispute()
    path = place_of(opened)
    assert "Choose a file." in reader.send(f"{path}/evidence").text
    assert reader.send(f"{path}/evidence", file=(io.BytesIO(b"a log"), "log.txt")).status_code == 302
    deal.decide(opened, "reject")
    late = reader.send(f"{path}/evidence", file=(io.BytesIO(b"a log"), "log.txt"))
    assert late.status_code == 200 and "evidence is taken until it is decided" in late.text


def test_a_dispute_of_somebody_else_is_not_there(market: Market, deal: Deal) -> None:
    opened = deal.dispute()
    stranger = visitor_of(market, market.make_publisher())
    for path in (place_of(opened), f"/publisher/disputes/{show_id('dsp', new_id())}", "/publisher/disputes/x"):
        for page in ("", "/answer", "/evidence", "/appeal"):
            assert stranger.open(path + page).status_code == 404
    token = stranger.token("/tf-setup")
    for page, sent in (("answer", {"accept": "yes"}), ("appeal", {"note": "x"})):
        answer = stranger.open(f"{place_of(opened)}/{page}", "POST", {"csrf_token": token, **sent})
        assert answer.status_code == 404
    assert deal.state() == "disputed"


def test_a_lost_token_keeps_what_was_typed(deal: Deal, reader: Visitor) -> None:
    answer = reader.open(f"{place_of(deal.dispute())}/answer", "POST", {"accept": "no", "note": "long work"})
    assert answer.status_code == 400 and "long work" in answer.text


def test_a_form_without_end_is_refused(deal: Deal, reader: Visitor) -> None:
    path = f"{place_of(deal.dispute())}/evidence"
    kind = "multipart/form-data; boundary=edge"
    head = b'--edge\r\nContent-Disposition: form-data; name="file"; filename="log.txt"\r\n\r\n'
    answer = reader.open(path, "POST", head + bytes(32_000_001) + b"\r\n--edge--\r\n", Content_Type=kind)
    assert (answer.status_code, answer.mimetype) == (413, "text/html")
