"""Mail that comes back is known by our token alone, read without being unpacked, and tells each thing once."""

import ssl
from pathlib import Path
from urllib.parse import quote
from uuid import UUID

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from core.bounces import bounced_among, forgive, read_report, read_token, take_bounces, token_for
from core.bounces.mailbox import Folder, ImapMailbox
from core.bounces.reports import MOST_BYTES
from core.bounces.taking import Returned, Sender
from core.db import transaction
from core.mail import Mailer
from core.notifications import NOTICE_KIND, NOTICES
from core.notifications.digests import mail_digest
from tests.conftest import START
from tests.core.endpoints import certificate
from tests.core.scene import Scene
from tests.fakes.bounces import plain, standard
from tests.fakes.imap import PASSWORD, USER, imap_server

SUBJECT = UUID("01900000-0000-7000-8000-000000000001")
TOKEN = "s" + "a" * 39


# -- tokens ------------------------------------------------------------------------------------------------------------


def test_a_token_is_read_back_in_letters_of_any_case(app: Flask, tmp_path: Path) -> None:
    token = token_for("s", SUBJECT)
    assert read_token(token) == read_token(token.upper()) == ("s", SUBJECT)
    assert Mailer(tmp_path, None, "x@market.example").message_id(token) == f"<{token}@market.example>"


def test_nobody_can_make_a_token_up_or_change_one(app: Flask) -> None:
    token = token_for("s", SUBJECT)
    for place in range(len(token)):
        other = token[:place] + ("b" if token[place] != "b" else "c") + token[place + 1 :]
        assert read_token(other) is None
    for text in ("", token[:-1], token + "a", "n" + token[1:], "ü" * 40, "s" + "1" * 39, TOKEN):
        assert read_token(text) is None


# -- reports -----------------------------------------------------------------------------------------------------------


def test_a_standard_report_says_whom_and_why() -> None:
    report = read_report(standard(TOKEN))
    assert report is not None and report.is_permanent
    assert (report.tokens, report.recipient, report.code) == ((TOKEN,), "sales@crm.example", "5.1.1")
    assert report.says == "smtp; 550 5.1.1 <sales@crm.example>: no such person here"


def test_a_report_of_what_may_pass_is_not_permanent_and_one_of_a_delay_is_none() -> None:
    full = read_report(standard(TOKEN, status="4.2.2"))
    assert full is not None and not full.is_permanent
    assert read_report(standard(TOKEN, action="delayed", status="4.4.1")) is None
    assert read_report(standard(TOKEN, action="relayed")) is None


@pytest.mark.parametrize(
    ("says", "code"),
    [("Sorry, no mailbox here by that name. (#5.1.1)", "5.1.1"), ("550 unknown user", "550"),
     ("host mx.old.example said: 552-mailbox is full", "552"), ("the server said 451 4.7.1 come again", "4.7.1")],
)  # fmt: skip
def test_a_daemon_s_own_words_are_read_leniently(says: str, code: str) -> None:
    report = read_report(plain(TOKEN, says))
    assert report is not None
    assert (report.code, report.recipient, report.tokens, report.says) == (code, "sales@crm.example", (TOKEN,), says)


def test_what_people_and_absent_ones_answer_is_no_report() -> None:
    away = f"From: ada@crm.example\nTo: x+{TOKEN}@localhost\nAuto-Submitted: auto-replied\n\nI am away. 550 5.1.1\n"
    quoting = plain(TOKEN, "Your mail waits for a moderator.")  # only the copy of our mail has a code
    for raw in (away.encode(), quoting, b"", b"\0" * 1000, b"From: postmaster@x.example\n\nHello 2.0.0\n"):
        assert read_report(raw) is None


def test_a_person_s_words_in_the_copy_of_our_mail_decide_nothing() -> None:
    assert read_report(standard(TOKEN, action="delayed")) is None  # the copy below says failed


@given(
    st.binary(max_size=2000) | st.text(max_size=500).map(lambda text: standard(TOKEN) + text.encode("utf-8", "replace"))
)
def test_whatever_comes_is_read_or_none(raw: bytes) -> None:
    report = read_report(raw)
    assert report is None or len(report.says) <= 300


@pytest.mark.parametrize(
    "bomb",
    [standard(TOKEN) + b"x" * 10_000_000,
     b"Content-Type: multipart/report; report-type=delivery-status\n\n"
     + b"".join(b"--b%d\nContent-Type: multipart/mixed; boundary=b%d\n\n" % (n, n + 1) for n in range(100_000)),
     b"From: postmaster@x.example\n" + b"To: " + b"a@" * 3_000_000 + b"\n\n550 no\n",
     b"From: postmaster@x.example\n\n" + b"5." * 5_000_000,
     b"Content-Type: multipart/report" + b";a" * 3_000_000 + b"\n\n"],
    ids=["10 MB", "nested parts", "a long header", "a long line", "a long content type"],
)  # fmt: skip
def test_bombs_cost_no_more_than_their_beginning(bomb: bytes) -> None:
    read_report(bomb)


# -- taking ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def told() -> list[Returned]:
    return []


@pytest.fixture
def senders(told: list[Returned]) -> dict[str, Sender]:
    return {"s": Sender(lambda _: ("Sales@crm.example", "ada@crm.example"), lambda returned, _: told.append(returned))}


def put(folder: Path, *mails: bytes) -> Folder:
    folder.mkdir(exist_ok=True)
    for number, raw in enumerate(mails):
        (folder / f"{number:03}.eml").write_bytes(raw)
    return Folder(folder)


def test_a_bounce_is_told_once_however_often_it_comes(
    app: Flask, tmp_path: Path, told: list[Returned], senders
) -> None:
    token = token_for("s", SUBJECT)
    again = put(tmp_path / "b", standard(token), standard(token), plain(token, "550 no such person"))
    assert take_bounces(again, senders, START) == 1
    (returned,) = told
    assert (returned.subject, returned.address, returned.code, returned.permanent) == (
        SUBJECT, "sales@crm.example", "5.1.1", True)  # fmt: skip
    with transaction():
        assert bounced_among(["SALES@crm.example", "ada@crm.example"]) == {"sales@crm.example"}
        forgive("sales@crm.example", START)
        assert bounced_among(["sales@crm.example"]) == set()
    assert not list((tmp_path / "b").glob("*.eml")) and len(list((tmp_path / "b" / "read").iterdir())) == 3


def test_forged_and_foreign_bounces_change_nothing(app: Flask, tmp_path: Path, told: list[Returned], senders) -> None:
    good = token_for("s", SUBJECT)
    forged = good[:-1] + ("a" if good[-1] != "a" else "b")
    mails = [standard(forged), standard(""), standard(token_for("x", SUBJECT))]
    assert take_bounces(put(tmp_path / "b", *mails), senders, START) == 0
    assert told == []
    # With a good token and a stranger's address it is told, and silences nobody.
    assert take_bounces(put(tmp_path / "b", standard(good, "eve@evil.example")), senders, START) == 1
    assert [(one.address, one.permanent) for one in told] == [("", False)]
    with transaction():
        assert bounced_among(["sales@crm.example", "eve@evil.example", ""]) == set()


def test_a_bounce_that_cannot_be_told_is_tried_again(app: Flask, tmp_path: Path, told: list[Returned], senders) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("the database went away")

    mailbox = put(tmp_path / "b", standard(token_for("s", SUBJECT)))
    with pytest.raises(RuntimeError):
        take_bounces(mailbox, {"s": Sender(senders["s"].recipients_of, fail)}, START)
    assert take_bounces(mailbox, senders, START) == 1 and len(told) == 1


def test_a_mailbox_is_read_over_tls_and_left_as_it_is(
    app: Flask, tmp_path: Path, told: list[Returned], senders
) -> None:
    public, tls = certificate(tmp_path, "localhost")
    mails = {4: standard(token_for("s", SUBJECT)) + b"x" * 10_000_000, 7: b"From: ada@crm.example\n\nHello.\n"}
    with imap_server(tls, mails) as server:
        url = f"imaps://{quote(USER)}:{quote(PASSWORD)}@localhost:{server.port}/INBOX"
        trusting = ssl.create_default_context(cafile=str(public))
        assert take_bounces(ImapMailbox(url, trusting), senders, START) == 1
        assert take_bounces(ImapMailbox(url, trusting), senders, START) == 0
        assert server.seen == {4, 7} and not any("DELETE" in asked.upper() for asked in server.asked)
        assert len(told) == 1
        before = len(server.asked)
        assert take_bounces(ImapMailbox(url), senders, START) == 0  # a certificate that nobody knows: nothing is said
        assert server.asked[before:] == []
    assert take_bounces(ImapMailbox(url, trusting), senders, START) == 0  # nobody is there: later again
    assert MOST_BYTES < 10_000_000


# -- mail to accounts --------------------------------------------------------------------------------------------------


def test_a_digest_that_comes_back_is_not_sent_there_again_and_the_account_is_told(scene: Scene, tmp_path: Path) -> None:
    webhookless = scene.account
    scene.tell("lead.sold")
    asked = {"account_id": str(webhookless), "since": "2026-11-21T00:00:00Z", "until": "2026-11-23T00:00:00Z"}
    mail_digest(**asked)
    (file,) = (tmp_path / "mail").glob("*.eml")
    token = file.read_text().partition("leadbourse+")[2].partition("@")[0]
    assert read_token(token) == (NOTICE_KIND, webhookless)
    assert take_bounces(put(tmp_path / "b", standard(token, "ada@example.com")), {NOTICE_KIND: NOTICES}, START) == 1
    mail_digest(**asked)
    assert len(list((tmp_path / "mail").glob("*.eml"))) == 1
    with transaction() as session:
        from_outbox = session.connection().exec_driver_sql("SELECT payload FROM core.outbox").scalars().all()
    assert [one["event"] for one in from_outbox] == ["mail.bounced"]
    assert from_outbox[0]["data"]["address"] == "ada@example.com"
