"""Keys and webhooks on pages, for every kind of account: secrets shown once, questions before what cannot be undone."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from flask import Flask
from flask.sessions import SecureCookieSessionInterface
from lxml import html
from werkzeug.test import TestResponse

from core.db import db
from core.ids import parse_id
from core.notifications import send_due
from core.outbound import Outbound
from core.signatures import is_secret
from marketplace.web.programs import webhooks
from tests.conftest import START, SetClock
from tests.core.endpoints import Endpoint, answers, running
from tests.factories import Market, Member
from tests.marketplace.test_portal_pages import queries, visitor_of
from tests.visitor import Visitor, words_of

URL = "https://hooks.example.com/in"
PLACE = "/programs"


@pytest.fixture(params=["publisher", "buyer", "operator"])
def member(request: pytest.FixtureRequest, market: Market) -> Member:
    return market.make(request.param)


@pytest.fixture
def visitor(market: Market, member: Member) -> Visitor:
    return visitor_of(market, member)


@pytest.fixture
def buyer(market: Market) -> Member:
    return market.make_buyer()


@pytest.fixture
def desk(market: Market, buyer: Member) -> Visitor:
    return visitor_of(market, buyer)


@pytest.fixture
def endpoint(app: Flask) -> Iterator[Endpoint]:
    app.extensions["leadbourse_outbound"] = Outbound(allow_private=True)
    with running(answers(200, b"<b>thanks</b>")) as made:
        yield made


def made_key(visitor: Visitor, **fields: object) -> str:
    """Make a key on the pages and return its secret."""
    answer = visitor.send("/programs/keys/new", **{"name": "CRM"} | fields)
    assert answer.status_code == 302, answer.text
    return str(visitor.read(answer.location).xpath("//button/@data-copy")[0])


def faults(answer: TestResponse) -> str:
    return " ".join(part.partition("<")[0] for part in answer.text.split('class="fault"')[1:])


def test_a_key_is_made_with_what_is_ticked_and_lets_a_program_in(
    market: Market, member: Member, visitor: Visitor
) -> None:
    ticked = visitor.read("/programs/keys/new").xpath("//input[@name='scopes'][@checked]/@value")
    assert "keys:manage" in ticked and len(ticked) >= 3
    secret = made_key(visitor, name="<b>CRM</b>", scopes=["keys:manage"])
    program = Member(market.app, member.id, secret)
    listed = program.get("/keys")["items"]
    assert (listed[0]["name"], listed[0]["scopes"]) == ("<b>CRM</b>", ["keys:manage"])
    page = visitor.open(PLACE).text
    assert "&lt;b&gt;CRM&lt;/b&gt;" in page and f"…{secret[-4:]}" in page and secret not in page


def test_a_secret_is_shown_once_and_neither_reloading_nor_coming_back_shows_or_makes_another(
    buyer: Member, desk: Visitor
) -> None:
    answer = desk.send("/programs/keys/new", name="CRM", scopes=["orders:read"])
    first = desk.open(answer.location)
    assert first.headers["Cache-Control"] == "private, no-store" and "shows it once" in first.text
    secret = first.text.split('data-copy="')[1].split('"')[0]
    for _ in range(2):
        again = desk.open(answer.location)
        assert again.location == PLACE and secret not in again.text
    assert "A key is shown once" in words_of(desk.open(PLACE))
    assert len(buyer.get("/keys")["items"]) == 2


def test_the_secret_on_its_way_is_sealed_in_the_cookie(desk: Visitor) -> None:
    answer = desk.send("/programs/keys/new", name="CRM", scopes=["orders:read"])
    [cookie] = [one for one in answer.headers.getlist("Set-Cookie") if one.startswith("leadbourse=")]
    signer = SecureCookieSessionInterface().get_signing_serializer(desk.app)
    assert signer is not None
    kept = signer.loads(cookie.split("leadbourse=")[1].split(";")[0])
    assert "shown_once" in kept and "lb_" not in str(kept["shown_once"])


def test_a_secret_is_not_shown_to_another_account_of_the_same_person(
    market: Market, buyer: Member, desk: Visitor
) -> None:
    other = market.make_publisher()
    db.session.execute(db.text("INSERT INTO core.memberships (user_id, account_id, role) SELECT user_id, CAST(:other AS uuid), role"
                               " FROM core.memberships m JOIN core.api_keys k USING (account_id) WHERE k.hint = :hint"),
                       {"other": _uuid(other), "hint": buyer.key[-4:]})  # fmt: skip
    db.session.commit()
    answer = desk.send("/programs/keys/new", name="CRM", scopes=["orders:read"])
    desk.send("/account/switch", "/account", account=other.id)
    assert desk.open(answer.location).status_code == 302


def _uuid(member: Member) -> str:
    return str(parse_id("acc", member.id))


@pytest.mark.parametrize(
    ("fields", "says"),
    [({"name": ""}, "Name the key"), ({"name": "x" * 101}, "at most 100"), ({"name": "a\0b"}, "printable"),
     ({"scopes": []}, "Choose from"), ({"scopes": ["operate"]}, "Choose from")],
)  # fmt: skip
def test_a_key_that_cannot_be_made_says_why_at_its_field(
    buyer: Member, desk: Visitor, fields: dict[str, object], says: str
) -> None:
    answer = desk.send("/programs/keys/new", **{"name": "kept", "scopes": ["orders:read"]} | fields)
    assert answer.status_code == 200 and says in faults(answer) and len(buyer.get("/keys")["items"]) == 1
    ticked = html.fromstring(answer.text).xpath("//input[@name='scopes'][@checked]/@value")
    assert ticked == ([] if "scopes" in fields else ["orders:read"])


def test_a_key_is_revoked_only_after_the_question(market: Market, buyer: Member, desk: Visitor) -> None:
    secret = made_key(desk, scopes=["orders:read"])
    program = Member(market.app, buyer.id, secret)
    [link] = desk.read(PLACE).xpath("//a[contains(@aria-label, 'CRM')]/@href")
    assert "never works again" in desk.open(link).text and program.request("GET", "/orders").status_code == 200
    assert desk.send(link).location == PLACE
    assert program.request("GET", "/orders").status_code == 401
    assert "Revoked" in desk.open(PLACE).text and desk.send(link).location == PLACE


def test_a_key_says_when_it_was_last_used(market: Market, buyer: Member, desk: Visitor) -> None:
    made = buyer.post("/keys", {"name": "idle"})
    assert made["last_used_on"] is None
    desk.open(PLACE)  # the end of any request writes what was used until then
    said = {one["name"]: one["last_used_on"] for one in buyer.get("/keys")["items"]}
    assert said.pop("idle") is None and list(said.values()) == [datetime.now(UTC).date().isoformat()]
    text = desk.open(PLACE).text
    assert "Last used" in text and "never" in text


def test_keys_and_webhooks_of_somebody_else_are_not_there(market: Market, buyer: Member, desk: Visitor) -> None:
    hook = buyer.post("/webhooks", {"url": URL})["id"]
    [key] = [one["id"] for one in buyer.get("/keys")["items"]]
    stranger = visitor_of(market, market.make_buyer())
    token = {"csrf_token": stranger.token("/programs/keys/new"), "url": URL}
    hooks = [f"/programs/webhooks/{hook}{end}" for end in ("", "/made", "/change", "/delete")]
    for path in (f"/programs/keys/{key}/revoke", *hooks, "/programs/webhooks/x", "/programs/keys/%00/revoke"):
        assert stranger.open(path).status_code == 404
    posts = [f"/programs/webhooks/{hook}/{end}" for end in ("change", "delete", "disable", "test", "secret")]
    for path in (f"/programs/keys/{key}/revoke", *posts):
        assert stranger.open(path, "POST", token).status_code == 404
    assert buyer.get("/webhooks")["items"][0]["enabled"] and desk.open(f"/programs/webhooks/{hook}").status_code == 200


def test_a_webhook_is_added_changed_disabled_and_deleted(member: Member, visitor: Visitor) -> None:
    answer = visitor.send("/programs/webhooks/new", url=URL, events=["wallet.low"])
    [made] = member.get("/webhooks")["items"]
    assert made["events"] == ["wallet.low"] and is_secret(made["secret"])
    assert made["secret"] in visitor.open(answer.location).text
    path = f"/programs/webhooks/{made['id']}"
    assert visitor.open(answer.location).location == path and made["secret"] not in visitor.open(path).text
    assert visitor.send(f"{path}/change", url=f"{URL}/new").location == path
    assert visitor.send(f"{path}/disable", path).location == path
    [now] = member.get("/webhooks")["items"]
    assert (now["url"], now["events"], now["disabled_reason"]) == (f"{URL}/new", None, "by_hand")
    assert visitor.send(f"{path}/test", path).location == path
    assert "Enable the webhook first" in visitor.open(path).text
    visitor.send(f"{path}/enable", path)
    assert visitor.send(f"{path}/secret", path).location == f"{path}/made"
    [now] = member.get("/webhooks")["items"]
    assert now["enabled"] and now["secret"] != made["secret"] and now["secret"] in visitor.open(f"{path}/made").text
    assert "dropped" in visitor.open(f"{path}/delete").text and member.get("/webhooks")["items"]
    assert visitor.send(f"{path}/delete").location == PLACE
    assert member.get("/webhooks")["items"] == [] and visitor.open(path).status_code == 404


@pytest.mark.parametrize(
    ("fields", "says"),
    [({"url": ""}, ""), ({"url": "http://127.0.0.1/"}, ""), ({"url": "https://user:pass@example.com/"}, ""),
     ({"url": "nonsense\0"}, ""), ({"events": ["lead.eaten"]}, "Choose from")],
)  # fmt: skip
def test_a_webhook_that_cannot_be_added_says_why_at_its_field(
    buyer: Member, desk: Visitor, fields: dict[str, object], says: str
) -> None:
    answer = desk.send("/programs/webhooks/new", **{"url": URL, "events": ["wallet.low"]} | fields)
    assert answer.status_code == 200 and faults(answer) and says in faults(answer)
    assert 'value="wallet.low"' in answer.text and buyer.get("/webhooks")["items"] == []
    hook = buyer.post("/webhooks", {"url": URL})["id"]
    assert faults(desk.send(f"/programs/webhooks/{hook}/change", **{"url": URL} | fields))
    assert buyer.get("/webhooks")["items"][0]["url"] == URL


def test_what_was_sent_stands_in_the_log_and_is_sent_again(buyer: Member, desk: Visitor, endpoint: Endpoint) -> None:
    hook = buyer.post("/webhooks", {"url": endpoint.url})["id"]
    path = f"/programs/webhooks/{hook}"
    desk.send(f"{path}/test", path)
    send_due(START)
    page = desk.open(path)
    assert "webhook.test" in page.text and "Delivered" in words_of(page) and "&lt;b&gt;thanks" in page.text
    assert desk.read(f"{path}?state=failed").xpath("//tbody/tr") == []
    [again] = desk.read(path).xpath("//form[contains(@action, 'replay')]/@action")
    assert desk.send(again, path).location == path
    send_due(START)
    assert len(endpoint.heard) == 2
    assert desk.open(f"{path}/deliveries/del_x/replay", "POST", {"csrf_token": desk.token(path)}).status_code == 404


def test_the_log_is_continued_without_losing_a_message(
    buyer: Member, desk: Visitor, monkeypatch: pytest.MonkeyPatch, market: Market
) -> None:
    hook = buyer.post("/webhooks", {"url": URL})["id"]
    for _ in range(5):
        buyer.post(f"/webhooks/{hook}/test")
    for rows in (1, 2, 5, 50):
        monkeypatch.setattr(webhooks, "ROWS", rows)
        path, seen = f"/programs/webhooks/{hook}", []
        while path:
            with queries(market.app) as said:
                page = desk.read(path)
            assert len(said) <= 12, said
            seen += page.xpath("//tbody/tr/td[1]//code/@title")
            path = next(iter(page.xpath("//nav[@class='pager']/a[@rel='next']/@href")), "")
        assert len(seen) == len(set(seen)) == 5
    assert desk.open(f"/programs/webhooks/{hook}?cursor=x").status_code == 404
    assert desk.open(f"/programs/webhooks/{hook}?state=x").status_code == 400


def test_the_daily_mail_is_begun_and_stopped(member: Member, visitor: Visitor, clock: SetClock) -> None:
    for wanted in (True, False):
        [form] = visitor.read(PLACE).xpath("//form[@action='/programs/mail']")
        fields = {one.get("name"): one.get("value") for one in form.xpath(".//input")}
        assert visitor.open("/programs/mail", "POST", fields).location == PLACE
        assert member.get("/notifications") == {"daily_mail": wanted}
    assert clock.now() == START
