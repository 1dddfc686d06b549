"""Mail is handed to a real SMTP server or a folder, whole, and can carry nothing but itself."""

import email
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from email import policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from flask import Flask

from core.mail import MOST_BYTES, Mailer, NotSent, mailer

SENDER = "Leadbourse <exchange@market.example>"


class Postbox:
    """What a mail server of a test does: it takes everything but for some names."""

    def __init__(self) -> None:
        self.taken: list[Any] = []

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: N802  # aiosmtpd's name
        if address.startswith("nobody"):
            return "550 5.1.1 no such person"
        if address.startswith("full"):
            return "452 4.2.2 mailbox full"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        self.taken.append(envelope)
        return "554 5.7.1 spam" if b"buy now" in envelope.content else "250 OK"


@contextmanager
def serving(**options: Any) -> Iterator[tuple[Postbox, int]]:
    postbox = Postbox()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    controller = Controller(postbox, hostname="127.0.0.1", port=port, **options)
    controller.start()
    try:
        yield postbox, port
    finally:
        controller.stop()


def mail(to: str = "ada@example.com", text: str = "Hello Ada, grüße.\n") -> EmailMessage:
    message = EmailMessage()
    message["To"], message["Subject"] = to, "A grüße"
    message.set_content(text)
    return message


def by_server(tmp_path: Path, port: int, credentials: str = "") -> Mailer:
    return Mailer(tmp_path / "mail", f"smtp://{credentials}127.0.0.1:{port}", SENDER)


def test_without_a_server_mail_lies_in_a_folder(tmp_path: Path) -> None:
    post = Mailer(tmp_path / "mail", None, SENDER)
    sent = post.send(mail("ada@example.com, bob@example.com"), "del01")
    (file,) = (tmp_path / "mail").iterdir()
    kept = email.message_from_bytes(file.read_bytes(), policy=policy.default)
    assert file.suffix == ".eml" and kept["Message-ID"] == sent.message_id and kept["Date"]
    assert kept["Return-Path"] == "<exchange+del01@market.example>"
    assert kept["Delivered-To"] == "ada@example.com, bob@example.com"
    assert (kept["From"], kept["Subject"]) == (SENDER, "A grüße") and "grüße" in kept.get_content()


def test_a_server_gets_the_mail_with_an_address_for_what_comes_back(tmp_path: Path) -> None:
    with serving() as (postbox, port):
        message = mail()
        message["Bcc"] = "eve@example.com"
        by_server(tmp_path, port).send(message, "del01")
    (taken,) = postbox.taken
    assert taken.mail_from == "exchange+del01@market.example"
    assert taken.rcpt_tos == ["ada@example.com", "eve@example.com"] and b"eve@example.com" not in taken.content
    assert not (tmp_path / "mail").exists()


def test_a_recipient_who_is_refused_is_named_and_the_others_get_it(tmp_path: Path) -> None:
    with serving() as (postbox, port):
        sent = by_server(tmp_path, port).send(mail("nobody@example.com, ada@example.com"))
    assert sent.refused == {"nobody@example.com": "550 5.1.1 no such person"}
    assert postbox.taken[0].rcpt_tos == ["ada@example.com"]


@pytest.mark.parametrize(
    ("to", "text", "code"),
    [("nobody@example.com", "x", "refused"), ("full@example.com", "x", "later"), ("a@b.example", "buy now", "refused")],
)
def test_a_refusal_says_whether_to_try_again(tmp_path: Path, to: str, text: str, code: str) -> None:
    with serving() as (_, port), pytest.raises(NotSent) as none:
        by_server(tmp_path, port).send(mail(to, text))
    assert none.value.code == code


def test_a_server_that_is_away_can_be_tried_again(tmp_path: Path) -> None:
    with serving() as (_, port):
        pass
    with pytest.raises(NotSent) as none:
        by_server(tmp_path, port).send(mail())
    assert none.value.code == "connection"


def test_the_password_is_taken_from_the_setting(tmp_path: Path) -> None:
    said = []

    def know(_: Any, __: Any, ___: Any, mechanism: str, data: Any) -> AuthResult:
        said.append((data.login, data.password))
        return AuthResult(success=data.password == b"p@ss", handled=False)

    with serving(authenticator=know, auth_require_tls=False) as (postbox, port):
        by_server(tmp_path, port, "me:p%40ss@").send(mail())
        with pytest.raises(NotSent, match="password"):
            by_server(tmp_path, port, "me:wrong@").send(mail())
    assert len(postbox.taken) == 1 and said[0] == (b"me", b"p@ss")


@pytest.mark.parametrize(
    "to", ["", "no address", "ada@example.com\nBcc: eve@example.com", "a@b@c", "<script>", ", ".join(f"a{n}@b.example" for n in range(51))]
)  # fmt: skip
def test_a_mail_to_nobody_or_with_a_second_header_is_not_sent(tmp_path: Path, to: str) -> None:
    with pytest.raises((NotSent, ValueError)):
        Mailer(tmp_path / "mail", None, SENDER).send(mail(to))
    assert not (tmp_path / "mail").exists()


def test_a_subject_cannot_become_two_headers(tmp_path: Path) -> None:
    message = EmailMessage()
    message["To"] = "ada@example.com"
    with pytest.raises(ValueError):
        message["Subject"] = "Hello\r\nBcc: eve@example.com"
    message._headers.append(("Subject", "Hello\r\nBcc: eve@example.com"))  # type: ignore[attr-defined]
    with pytest.raises((NotSent, ValueError)):
        Mailer(tmp_path / "mail", None, SENDER).send(message)


def test_a_mail_has_a_largest_size_and_a_token_its_letters(tmp_path: Path) -> None:
    post = Mailer(tmp_path / "mail", None, SENDER)
    with pytest.raises(NotSent, match="larger"):
        post.send(mail(text="x" * 70 + "\n" + ("y" * 70 + "\n") * (MOST_BYTES // 70)))
    with pytest.raises(ValueError, match="token"):
        post.send(mail(), "a@b")


def test_the_application_has_a_mailer_of_its_own(app: Flask, tmp_path: Path) -> None:
    assert mailer() is mailer()
    mailer().send(mail())
    assert len(list((tmp_path / "mail").glob("*.eml"))) == 1
