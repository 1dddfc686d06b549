"""Sign-in: registering, confirming, passwords, second factors and sessions, and that no answer tells who is known."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask
from passlib.totp import TOTP

from core.config import Settings
from core.db import db, pool_of, transaction
from core.errors import NotFound
from core.identity import add_member, drop_second_factor
from core.ids import new_id, parse_id
from core.mail import send_queued
from marketplace.app import create_app
from tests.conftest import SetClock
from tests.factories import Market
from tests.visitor import PASSWORD, Visitor, words_of


@pytest.fixture
def visitor(app: Flask) -> Visitor:
    return Visitor(app)


def mails(to: str) -> list[dict[str, str]]:
    """Return the mail that waits to be sent to somebody, the oldest first."""
    rows = db.session.scalars(db.text("SELECT args FROM procrastinate_jobs WHERE task_name = 'core.mail' ORDER BY id"))
    found = [row for row in rows if row["to"] == to]
    db.session.rollback()
    return found


def link_in(mail: dict[str, str], word: str) -> str:
    """Return the path of the link in a mail that holds a word."""
    url = re.search(rf"https?://\S+/{word}/\S+", mail["text"])
    assert url is not None, mail["text"]
    return urlsplit(url[0]).path


def register(visitor: Visitor, email: str, kind: str = "publisher") -> Any:
    return visitor.send("/register", kind=kind, account="A newcomer", email=email, password=PASSWORD)


def is_signed_in(visitor: Visitor) -> bool:
    return visitor.open("/account").status_code == 200


def email_of(market: Market, kind: str) -> str:
    member = market.make(kind)
    account = parse_id("acc", member.id)
    email = db.session.scalar(
        db.text("SELECT email FROM core.users u JOIN core.memberships m ON m.user_id = u.id WHERE m.account_id = :a"),
        {"a": account},
    )
    db.session.rollback()
    return str(email)


def test_whoever_registers_confirms_the_address_and_then_signs_in(visitor: Visitor, app: Flask) -> None:
    register(visitor, "New@Example.com")
    assert "open the link in the mail first" in words_of(visitor.sign_in("new@example.com"))
    [mail] = mails("new@example.com")
    assert visitor.open(link_in(mail, "confirm")).location == "/login"
    assert visitor.sign_in("NEW@example.com ").location == "/"
    assert "A newcomer" in words_of(visitor.open("/account"))
    assert visitor.open("/start").location == "/publisher/today"
    assert visitor.open("/publisher/today").status_code == 200
    terms = db.session.execute(db.text("SELECT share_bp, tier FROM affiliates.publishers")).all()
    assert [tuple(row) for row in terms] == [(7000, "new")]


def test_a_queued_mail_is_handed_over(visitor: Visitor, app: Flask, tmp_path: Path) -> None:
    register(visitor, "new@example.com", "buyer")
    send_queued(**mails("new@example.com")[0])
    [file] = (tmp_path / "mail").glob("*.eml")
    assert "Subject: Leadbourse: confirm your e-mail address" in file.read_text()


def test_nobody_registers_as_an_operator(visitor: Visitor) -> None:
    assert register(visitor, "boss@example.com", "operator").status_code == 200
    assert db.session.scalar(db.text("SELECT count(*) FROM core.accounts")) == 0


def test_every_bad_field_is_told_at_once_and_what_was_typed_stays(visitor: Visitor) -> None:
    answer = visitor.send("/register", kind="buyer", account="  ", email="nobody <b>", password="short")
    for fault in ("name of your organisation", "e-mail address such as", "at least 8 characters"):
        assert fault in words_of(answer)
    assert 'value="nobody &lt;b&gt;"' in answer.text and "short" not in answer.text


def test_no_answer_tells_whether_somebody_is_known(visitor: Visitor, market: Market) -> None:
    known, unknown = email_of(market, "buyer"), "nobody@example.com"

    def told(answer: Any, email: str) -> tuple[int, str | None, str]:
        shown = words_of(visitor.open("/login")) if answer.location else words_of(answer)
        return answer.status_code, answer.location, shown.replace(email, "…")

    for path in ("/login", "/reset", "/confirm"):
        answers = {
            told(visitor.send(path, email=email, password="wrong password"), email) for email in (known, unknown)
        }
        assert len(answers) == 1, path
    assert len({told(register(visitor, email), email) for email in (known, unknown)}) == 1
    assert "registered already" in mails(known)[-1]["subject"]


def test_a_reset_takes_a_link_from_a_mail_ends_every_session_and_works_once(visitor: Visitor, market: Market) -> None:
    email, elsewhere = email_of(market, "buyer"), Visitor(market.app)
    elsewhere.sign_in(email)
    visitor.send("/reset", email=email)
    path = link_in(mails(email)[0], "reset")
    changed = visitor.send(path, password="another password", password_confirm="another password")
    assert changed.location == "/login"
    assert not is_signed_in(elsewhere)
    assert visitor.open(path).location == "/reset"
    assert visitor.sign_in(email).status_code == 200
    assert visitor.sign_in(email, "another password").location == "/"
    assert "was changed" in mails(email)[-1]["subject"]


def test_changing_the_password_keeps_this_session_and_ends_the_others(visitor: Visitor, market: Market) -> None:
    email, elsewhere = email_of(market, "publisher"), Visitor(market.app)
    for each in (visitor, elsewhere):
        each.sign_in(email)
    wrong = visitor.send(
        "/change", password="not it", new_password="a new password", new_password_confirm="a new password"
    )
    assert "This is not your password" in words_of(wrong)
    visitor.send("/change", password=PASSWORD, new_password="a new password", new_password_confirm="a new password")
    assert is_signed_in(visitor) and not is_signed_in(elsewhere)


def set_up_second_factor(visitor: Visitor) -> TOTP:
    page = visitor.send("/tf-setup", setup="authenticator")
    key = re.search(r"<code>([A-Z2-7-]+)</code>", page.text)
    path = re.search(r'action="(/tf-setup/[^"]+)"', page.text)
    assert key is not None and path is not None
    code = TOTP(key[1], format="base32")
    token = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
    assert token is not None
    visitor.open(path[1], "POST", {"csrf_token": token[1], "code": code.generate().token})
    return code


def test_with_a_second_factor_a_password_alone_signs_nobody_in(visitor: Visitor, market: Market) -> None:
    email = email_of(market, "buyer")
    visitor.sign_in(email)
    code = set_up_second_factor(visitor)
    sealed = db.session.scalar(db.text("SELECT tf_totp_secret FROM core.users"))
    assert sealed and code.base32_key not in sealed
    fresh = Visitor(market.app)
    assert fresh.sign_in(email).location.startswith("/tf-validate")
    assert not is_signed_in(fresh)
    assert "does not count" in words_of(fresh.send("/tf-validate", code="000000"))
    used = code.generate().token  # the one that turned it on
    assert "does not count" in words_of(fresh.send("/tf-validate", code=used))
    db.session.execute(db.text("UPDATE core.users SET tf_last_counter = NULL"))
    db.session.commit()
    assert fresh.send("/tf-validate", code=code.generate().token).location == "/"
    assert is_signed_in(fresh)


def test_a_recovery_code_counts_once(visitor: Visitor, market: Market) -> None:
    email = email_of(market, "buyer")
    visitor.sign_in(email)
    set_up_second_factor(visitor)
    codes = re.findall(r"<li><code>([^<]+)</code>", visitor.send("/mf-recovery-codes").text)
    assert len(codes) == 10
    stored = db.session.scalar(db.text("SELECT mf_recovery_codes FROM core.users"))
    assert not set(codes) & set(stored)
    for place, expected in enumerate((True, False)):
        fresh = Visitor(market.app, f"192.0.2.{place + 2}")
        fresh.sign_in(email)
        fresh.send("/mf-recovery", code=codes[0])
        assert is_signed_in(fresh) is expected


def test_sessions_know_nothing_of_business_time(visitor: Visitor, market: Market, clock: SetClock) -> None:
    visitor.sign_in(email_of(market, "buyer"))
    clock.advance(days=4000)
    assert is_signed_in(visitor)


def test_cookies_are_kept_from_scripts_other_sites_and_plain_http(
    market: Market, database_url: str, tmp_path: Path
) -> None:
    email = email_of(market, "buyer")
    secure = Settings(data_folder=tmp_path, public_url="https://leads.example.com")
    app = create_app(secure, database_url, SetClock())
    try:
        answer = Visitor(app).open("/login")
    finally:
        pool_of(app).close()
    [cookie] = answer.headers.getlist("Set-Cookie")
    assert {"HttpOnly", "Secure", "SameSite=Lax"} <= set(cookie.split("; ")[1:])
    plain = Visitor(market.app).send("/login", email=email, password=PASSWORD, remember="y")
    for cookie in plain.headers.getlist("Set-Cookie"):
        assert {"HttpOnly", "SameSite=Lax"} <= set(cookie.split("; ")) and "Secure" not in cookie.split("; ")


def test_a_mail_leads_to_the_public_address_whatever_the_request_says(market: Market) -> None:
    email = email_of(market, "buyer")
    Visitor(market.app, site="http://evil.example").send("/reset", email=email)
    assert "http://127.0.0.1:8000/reset/" in mails(email)[0]["text"] and "evil" not in mails(email)[0]["text"]


@pytest.mark.parametrize("away", ["//evil.example/", "https://evil.example/", "/\\evil.example"])
def test_nobody_is_led_to_another_site(visitor: Visitor, market: Market, away: str) -> None:
    email = email_of(market, "buyer")
    answer = visitor.send("/login", email=email, password=PASSWORD, next=away)
    assert urlsplit(answer.location or "").netloc == ""
    back = visitor.open("/preferences", "POST", {"theme": "dark", "back": away})
    assert back.location == "/"


def test_a_form_without_its_token_is_kept_and_sent_again(visitor: Visitor, market: Market) -> None:
    email = email_of(market, "buyer")
    lost = visitor.open("/login", "POST", {"email": email, "password": PASSWORD})
    assert lost.status_code == 400 and email in words_of(lost)
    assert PASSWORD not in lost.text and "once more" in words_of(lost)
    token = re.search(r'name="csrf_token" value="([^"]+)"', lost.text)
    assert token is not None
    again = visitor.open("/login", "POST", {"csrf_token": token[1], "email": email, "password": PASSWORD})
    assert again.location == "/"


def test_what_another_site_made_the_browser_send_is_not_kept(visitor: Visitor) -> None:
    lost = visitor.open("/login", "POST", {"email": "a@example.com"}, Sec_Fetch_Site="cross-site")
    assert lost.status_code == 400 and "a@example.com" not in lost.text


def test_a_form_sent_after_the_session_ended_is_kept(visitor: Visitor, market: Market) -> None:
    visitor.sign_in(email_of(market, "buyer"))
    token = visitor.token("/account")
    db.session.execute(db.text("UPDATE core.users SET fs_uniquifier = 'another'"))
    db.session.commit()
    answer = visitor.open("/account/switch", "POST", {"csrf_token": token, "account": "acc_typed"})
    assert answer.status_code == 401 and "acc_typed" in words_of(answer) and "signed out" in words_of(answer)


def test_a_person_acts_for_each_of_their_accounts_and_for_no_other(visitor: Visitor, market: Market) -> None:
    email, other, stranger = email_of(market, "buyer"), market.make("publisher"), market.make("publisher")
    add_member(parse_id("acc", other.id), email)
    db.session.commit()
    visitor.sign_in(email)
    assert visitor.open("/publisher/today").status_code == 403
    assert visitor.send("/account/switch", "/account", account=stranger.id).status_code == 404
    assert visitor.send("/account/switch", "/account", account=other.id).location == "/start"
    assert visitor.open("/publisher/today").status_code == 200
    assert visitor.open("/buyer/wallet").status_code == 403


def test_who_belongs_to_suspended_accounts_only_is_told_so(visitor: Visitor, market: Market) -> None:
    visitor.sign_in(email_of(market, "buyer"))
    db.session.execute(db.text("UPDATE core.accounts SET standing = 'suspended'"))
    db.session.commit()
    answer = visitor.open("/buyer/wallet")
    assert answer.status_code == 403 and "suspended" in words_of(answer)


def test_signing_out_ends_the_session(visitor: Visitor, market: Market) -> None:
    visitor.sign_in(email_of(market, "buyer"))
    assert visitor.send("/logout", "/account").status_code == 302
    assert not is_signed_in(visitor)


def test_a_session_of_another_installation_is_none_here(market: Market, database_url: str, tmp_path: Path) -> None:
    email = email_of(market, "buyer")
    settings: Settings = market.app.extensions["leadbourse_settings"]
    other = create_app(replace(settings, root_key="another root key of 32 characters"), database_url, SetClock())
    try:
        here, there = Visitor(market.app), Visitor(other)
        here.sign_in(email)
        there._client._cookies = here._client._cookies
        assert is_signed_in(here) and not is_signed_in(there)
    finally:
        pool_of(other).close()


def test_a_session_opens_no_door_for_programs(visitor: Visitor, market: Market) -> None:
    visitor.sign_in(email_of(market, "buyer"))
    answer = visitor.open("/api/v1/wallet", Accept="application/json")
    assert answer.status_code == 401 and "Set-Cookie" not in answer.headers and "Vary" not in answer.headers
    assert visitor.open("/login").headers["Cache-Control"] == "private, no-store"


def test_sign_in_reads_no_programs_body(market: Market, monkeypatch: pytest.MonkeyPatch) -> None:
    publisher = market.make_publisher()

    def read(*_: object, **__: object) -> None:
        raise AssertionError("the body was read before anybody limited it")

    monkeypatch.setattr("flask.Request.get_json", read)
    assert publisher.request("POST", "/keys", {"name": "another"}).status_code == 201


def test_who_lost_phone_and_codes_is_let_in_by_the_command_line(visitor: Visitor, market: Market) -> None:
    email = email_of(market, "buyer")
    visitor.sign_in(email)
    set_up_second_factor(visitor)
    db.session.rollback()
    with transaction():
        drop_second_factor(email)
    assert not is_signed_in(visitor)
    assert Visitor(market.app).sign_in(email).location == "/"
    for refused in (
        lambda: drop_second_factor("nobody@example.com"),
        lambda: add_member(new_id(), "nobody@example.com"),
    ):
        with pytest.raises(NotFound), transaction():
            refused()


def test_a_member_is_let_in_once(market: Market) -> None:
    email, other = email_of(market, "buyer"), parse_id("acc", market.make("publisher").id)
    for _ in range(2):
        with transaction():
            add_member(other, email)
    assert db.session.scalar(db.text("SELECT count(*) FROM core.memberships")) == 3
