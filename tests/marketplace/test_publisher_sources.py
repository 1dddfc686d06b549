"""Sources on pages: how each stands, registered and changed by form, with a specification whose example really posts."""

import json
import shlex
from typing import Any

import pytest

from tests.conftest import SetClock
from tests.factories import Market, Member
from tests.marketplace.test_portal_pages import visitor_of
from tests.visitor import Visitor, words_of

NEW = {"dialect": "leadspedia", "vertical": "education", "name": "Solar <b>forms</b>", "region": "FR",
       "channel": "search", "consent_text": "Yes, schools may call me.", "timezone": "Europe/Paris"}  # fmt: skip


@pytest.fixture
def sender(market: Market) -> Member:
    """Make a publisher."""
    return market.make_publisher()


@pytest.fixture
def reader(market: Market, sender: Member) -> Visitor:
    """Sign in as the publisher."""
    return visitor_of(market, sender)


def sent_by(command: str) -> tuple[str, dict[str, str], str]:
    """Read a command of curl: the address, the headers and the body."""
    words = shlex.split(command.replace("\\\n", " "))
    headers = [words[place + 1] for place, word in enumerate(words) if word == "-H"]
    return words[1], dict(head.split(": ", 1) for head in headers), words[words.index("--data-raw") + 1]


def examples_of(page: Any) -> list[str]:
    """Return the examples that a specification shows, the one for a shell first."""
    return [pre.text_content() for pre in page.xpath("//pre")]


@pytest.mark.parametrize("vertical", ["education", "tax-audit", "car-insurance"])
def test_the_example_of_a_vertical_posts_a_test_lead(
    market: Market, sender: Member, reader: Visitor, vertical: str
) -> None:
    page = reader.read(f"/publisher/specification/{vertical}")
    shell, python, php, browser = examples_of(page)
    address, headers, body = sent_by(shell)
    assert address == "http://localhost/api/v1/leads" and "YOUR_API_KEY" in headers["Authorization"]
    lead = sender.post("/leads", json.loads(body))
    assert lead["test"] and lead["status"] == "unsold"
    assert all("http://localhost/api/v1/leads" in text for text in (python, php, browser))
    compile(python, "example", "exec")


def test_fields_that_nobody_is_asked_are_left_out(market: Market, reader: Visitor) -> None:
    text = reader.read("/publisher/specification/education").text_content()
    assert "attributes.course" in text and "Course or specialisation" in text and "computer_science" in text
    assert "seconds_on_site" not in text
    assert reader.open("/publisher/specification/nothing").status_code == 404


@pytest.mark.parametrize("dialect", ["leadspedia", "leadprosper", "leadexec", "leadbyte", "boberdoo"])
def test_a_registered_source_takes_what_its_specification_shows(
    market: Market, sender: Member, reader: Visitor, dialect: str
) -> None:
    made = reader.send("/publisher/sources/new", **(NEW | {"dialect": dialect}))
    assert made.status_code == 200 and "shown once" in made.text
    [source] = sender.get("/sources")["items"]
    page = reader.read(f"/publisher/sources/{source['id']}")
    address, headers, body = sent_by(examples_of(page)[0])
    assert address == source["url"] and "seconds_on_site" not in body
    secret = next(word for word in words_of(made).split() if len(word) == 32)
    path = address.removeprefix("http://localhost")
    answer = market.app.test_client().post(path, data=body.replace("YOUR_KEY", secret), headers=headers)
    assert answer.status_code == 200
    found = sender.get("/leads?test=true")["items"] + sender.get("/leads")["items"]
    assert len(found) == 1, answer.text


def test_a_source_is_changed_paused_and_closed(market: Market, sender: Member, reader: Visitor) -> None:
    reader.send("/publisher/sources/new", **NEW)
    [source] = sender.get("/sources")["items"]
    path = f"/publisher/sources/{source['id']}"
    assert "Solar &lt;b&gt;forms" in reader.open("/publisher/sources").text
    changed = reader.send(f"{path}/change", name="New name", region="BE", timezone="UTC", channel="",
                          consent_text="")  # fmt: skip
    assert changed.status_code == 302
    [now] = sender.get("/sources")["items"]
    assert (now["name"], now["region"], now["channel"], now["consent_text"]) == ("New name", "BE", None, None)
    for word, status in (("paused", "paused"), ("active", "active")):
        assert reader.send(f"{path}/{word}", "/publisher/sources").status_code == 302
        assert sender.get("/sources")["items"][0]["status"] == status
    assert reader.send(f"{path}/closed", "/publisher/sources").status_code == 302
    assert sender.get("/sources")["items"] == [] and reader.open(path).status_code == 404


@pytest.mark.parametrize(
    ("wrong", "says"),
    [({"region": "XX"}, "Write an ISO 3166-1 or 3166-2 code"), ({"name": ""}, "Name the source."),
     ({"name": "x" * 101}, "at most 100 letters"), ({"timezone": "Mars"}, "Name an IANA time zone"),
     ({"dialect": "morse"}, "Not a valid choice"), ({"vertical": "none"}, "Not a valid choice")],
)  # fmt: skip
def test_a_source_that_cannot_be_used_keeps_what_was_typed(
    sender: Member, reader: Visitor, wrong: dict[str, str], says: str
) -> None:
    answer = reader.send("/publisher/sources/new", **(NEW | wrong))
    assert answer.status_code == 200 and says in answer.text and "Yes, schools may call me." in answer.text
    assert sender.get("/sources")["items"] == []


def test_a_paused_source_is_shown_with_its_reason(
    market: Market, sender: Member, reader: Visitor, clock: SetClock
) -> None:
    sender.post("/leads", market.lead(source={"name": "shady"}))
    said = {"publisher": sender.id, "source": "shady", "standing": "paused", "note": "too many robots"}
    market.make_operator().post("/source-standings", said)
    page = words_of(reader.open("/publisher/sources"))
    assert "shady Paused too many robots Its leads are refused until an operator readmits it." in page


def test_a_source_of_somebody_else_is_not_there(market: Market, sender: Member, reader: Visitor) -> None:
    reader.send("/publisher/sources/new", **NEW)
    [source] = sender.get("/sources")["items"]
    stranger, path = visitor_of(market, market.make_publisher()), f"/publisher/sources/{source['id']}"
    assert stranger.open(path).status_code == stranger.open(f"{path}/change").status_code == 404
    assert stranger.send(f"{path}/closed", "/publisher/sources/new").status_code == 404
    assert sender.get("/sources")["items"][0]["status"] == "active"


@pytest.mark.parametrize("dialect", ["adf", "google"])
def test_a_dialect_without_a_form_shows_its_address_and_fields(sender: Member, reader: Visitor, dialect: str) -> None:
    reader.send("/publisher/sources/new", **(NEW | {"dialect": dialect}))
    [source] = sender.get("/sources")["items"]
    page = reader.read(f"/publisher/sources/{source['id']}")
    assert source["url"] in page.text_content() and page.xpath("//pre") == []
