"""A lead bought goes out by mail; refused by the mail server, or come back within its grace, it goes to the next buyer."""

import email
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from email import policy
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from core.bounces import read_token
from core.db import db, transaction
from core.ids import parse_id
from core.mail import Mailer
from core.outbound import Outbound
from marketplace.jobs import run_due
from marketplace.leads.delivery.courier import deliver_due
from marketplace.leads.delivery.mail.addresses import MAIL_JOB, mail_code
from tests.at_once import ask
from tests.conftest import START
from tests.factories import Market, Member
from tests.fakes.bounces import plain, standard
from tests.fakes.smtp import MailServer, mail_server
from tests.marketplace.endpoint import open_endpoint

EMAIL = {"kind": "email"}


@pytest.fixture
def publisher(market: Market) -> Member:
    return market.make_publisher()


@pytest.fixture
def server(app: Flask, tmp_path: Path) -> Iterator[MailServer]:
    with mail_server() as served:
        app.extensions["leadbourse_mailer"] = Mailer(tmp_path / "mail", served.url, "exchange@market.example")
        yield served


def mails(folder: Path) -> list[Any]:
    """Return what lies in the file mailbox, without the questions to addresses."""
    found = sorted((folder / "mail").glob("*.eml"))
    parsed = [email.message_from_bytes(one.read_bytes(), policy=policy.default) for one in found]
    return [mail for mail in parsed if "Confirm" not in mail["Subject"]]


def states(buyer: Member) -> list[str]:
    return [sale["state"] for sale in buyer.get("/sales")["items"]]


def attempts(buyer: Member) -> Any:
    (sale,) = buyer.get("/sales")["items"]
    return buyer.get(f"/sales/{sale['id']}/deliveries")["items"]


def bounce(folder: Path, raw: bytes) -> None:
    (folder / "mail" / "bounces").mkdir(parents=True, exist_ok=True)
    (folder / "mail" / "bounces" / "1.eml").write_bytes(raw)


def token_in(mail: Any) -> str:
    return str(mail["Message-ID"]).strip("<>").partition("@")[0]


# -- letters -----------------------------------------------------------------------------------------------------------


def test_a_sale_is_delivered_when_the_mail_server_has_accepted_the_letter(
    market: Market, publisher: Member, server: MailServer
) -> None:
    buyer = market.make_buyer()
    market.make_order(buyer, delivery=EMAIL)
    lead = market.lead()
    assert publisher.post("/leads", lead)["sales"][0]["state"] == "held"
    assert deliver_due(START) == 1
    (mail,), (taken,), (sale,) = server.mails, server.taken, buyer.get("/sales")["items"]
    assert sale["state"] == "delivered"
    assert lead["contact"]["email"] in mail.get_content() and mail["Subject"] == "New lead: education, FR-IDF"
    assert read_token(token_in(mail)) == ("s", parse_id("sale", sale["id"]))
    assert taken.mail_from == f"exchange+{token_in(mail)}@market.example"
    (attempt,) = attempts(buyer)
    assert (attempt["outcome"], attempt["status"], attempt["exchanged"]["method"]) == ("accepted", 250, "MAIL")
    assert lead["contact"]["email"] in attempt["exchanged"]["body"]


def test_what_the_server_refuses_for_good_goes_to_the_next_buyer_at_once(
    market: Market, publisher: Member, server: MailServer
) -> None:
    server.answers["buyer"] = "550 5.1.1 no such person"
    first, second = market.make_buyer(), market.make_buyer()
    market.make_order(first, "30.00", delivery=EMAIL)
    market.make_order(second, "20.00")
    publisher.post("/leads", market.lead())
    deliver_due(START)
    assert (states(first), states(second)) == (["refused"], ["delivered"])
    (attempt,) = attempts(first)
    assert (attempt["outcome"], attempt["status"]) == ("refused", 550) and "no such person" in attempt["reason"]


def test_what_passes_is_tried_again_at_the_times_of_deliveries_under_one_message_id(
    market: Market, publisher: Member, server: MailServer
) -> None:
    server.answers["buyer"] = "451 4.7.1 greylisted"
    buyer = market.make_buyer()
    market.make_order(buyer, delivery=EMAIL)
    publisher.post("/leads", market.lead())
    assert [deliver_due(START + timedelta(seconds=second)) for second in (0, 4, 5)] == [1, 0, 1]
    server.answers.clear()
    deliver_due(START + timedelta(seconds=30))
    assert states(buyer) == ["delivered"]
    tried = attempts(buyer)
    assert [one["outcome"] for one in tried] == ["error", "error", "accepted"]
    assert len({one["exchanged"]["headers"]["Message-ID"] for one in tried}) == 1


def test_a_server_that_stays_away_leaves_the_lead_to_the_next_buyer(
    market: Market, publisher: Member, server: MailServer
) -> None:
    server.answers["buyer"] = "421 4.3.2 going down"
    first, second = market.make_buyer(), market.make_buyer()
    market.make_order(first, "30.00", delivery=EMAIL)
    market.make_order(second, "20.00")
    publisher.post("/leads", market.lead())
    for second_after in (0, 5, 30, 120, 300, 600):
        deliver_due(START + timedelta(seconds=second_after))
    assert (states(first), states(second)) == (["failed"], ["delivered"])


def test_one_of_several_addresses_is_enough_and_the_log_names_the_others(
    market: Market, publisher: Member, server: MailServer, database_url: str
) -> None:
    buyer = market.make_buyer()
    market.make_order(buyer, delivery={"kind": "email", "to": ["gone@crm.example", "sales@crm.example"]})
    ask(database_url, "UPDATE marketplace.mail_addresses SET confirmed_at = asked_at RETURNING address")
    server.answers["gone"] = "550 5.1.1 gone"
    publisher.post("/leads", market.lead())
    deliver_due(START)
    assert states(buyer) == ["delivered"]
    assert attempts(buyer)[0]["reason"] == "not taken for gone@crm.example: 550 5.1.1 gone"
    assert server.taken[0].rcpt_tos == ["sales@crm.example"]


def test_adf_goes_as_text_or_beside_it(market: Market, publisher: Member, tmp_path: Path) -> None:
    buyer = market.make_buyer()
    market.make_order(buyer, delivery={"kind": "email", "format": "adf", "vendor": "North"}, caps={"total": 1})
    market.make_order(buyer, "19.00", delivery={"kind": "email", "format": "adf", "attach": True})
    publisher.post("/leads", market.lead())
    publisher.post("/leads", market.lead())
    deliver_due(START)
    inline, beside = sorted(mails(tmp_path), key=lambda mail: mail.is_multipart())
    assert "<vendorname>North</vendorname>" in inline.get_content()
    (attached,) = beside.iter_attachments()
    assert attached.get_filename() == "lead.adf.xml" and b"<vendorname>an order<" in attached.get_content()


def test_subject_and_text_are_templates_and_nobody_adds_headers_by_them(
    market: Market, publisher: Member, tmp_path: Path
) -> None:
    buyer = market.make_buyer()
    market.make_order(buyer, delivery={
        "kind": "email", "subject": "{{ contact.first_name }} wants {{ attributes.course }}",
        "text": "{{ comments }}",
    })  # fmt: skip
    lead = market.lead(comments="One\r\nBcc: eve@evil.example\r\n\r\nTwo")
    lead["contact"]["first_name"] = "Ada\u202e\nBcc: eve@evil.example"
    publisher.post("/leads", lead)
    deliver_due(START)
    (mail,) = mails(tmp_path)
    assert mail["Subject"] == "Ada Bcc: eve@evil.example wants business"
    assert mail["Bcc"] is None and mail["Delivered-To"] == mail["To"] and "eve@evil.example" not in mail["To"]


def test_settings_that_cannot_work_are_refused(market: Market) -> None:
    def code(**settings: Any) -> list[str]:
        body = {"name": "x", "vertical": "education", "price": {"amount": "9.00", "currency": "EUR"},
                "delivery": {"kind": "email"} | settings}  # fmt: skip
        answer = market.make_buyer().request("POST", "/orders", body)
        assert answer.status_code == 422, answer.text
        return [f"{fault['field']} {fault['code']}" for fault in answer.json["errors"]]

    assert code(subject="{{ nothing }}", to=[]) == ["delivery.to invalid_email", "delivery.subject bad_template"]
    assert code(to=[f"a{number}@crm.example" for number in range(11)]) == ["delivery.to invalid_email"]
    assert code(attach=True) == ["delivery.format invalid_value"]
    assert code(format="adf", text="x") == ["delivery.text invalid_value"]
    assert code(format="adf", fields={"wheels": "score"}) == ["delivery.fields.wheels unknown_field"]


# -- addresses ---------------------------------------------------------------------------------------------------------


def test_leads_go_to_the_account_s_own_people_until_an_address_has_sent_its_code_back(
    market: Market, publisher: Member, tmp_path: Path, database_url: str
) -> None:
    buyer = market.make_buyer()
    market.make_order(buyer, delivery={"kind": "email", "to": "Sales@crm.example"})
    own = next(one["address"] for one in buyer.get("/addresses")["items"] if one["state"] == "own")
    publisher.post("/leads", market.lead())
    deliver_due(START)
    assert [mail["To"] for mail in mails(tmp_path)] == [own]
    code = question(tmp_path, database_url)
    wrong = buyer.request("POST", "/addresses/confirm", {"address": "sales@crm.example", "code": "AAAAAAAAAA"})
    assert (wrong.status_code, wrong.json["errors"][0]["code"]) == (422, "wrong_code")
    said = buyer.post("/addresses/confirm", {"address": "sales@crm.example", "code": code.lower()})
    assert said == {"address": "sales@crm.example", "state": "confirmed"}
    again = buyer.request("POST", "/addresses/confirm", {"address": "sales@crm.example", "code": code})
    assert (again.status_code, again.json["code"]) == (409, "no_code_waiting")
    publisher.post("/leads", market.lead())
    deliver_due(START)
    assert [mail["To"] for mail in mails(tmp_path)] == [own, "sales@crm.example"]
    assert buyer.get("/addresses")["items"][-1] == {"address": "sales@crm.example", "state": "confirmed"}


def question(folder: Path, database_url: str) -> str:
    """Send the question on the queue and return the code that it brings."""
    sql = f"DELETE FROM procrastinate_jobs WHERE task_name = '{MAIL_JOB}' RETURNING args"
    ((args,),) = ask(database_url, sql)
    mail_code(**args)
    found = max((folder / "mail").glob("*.eml"))
    text = email.message_from_bytes(found.read_bytes(), policy=policy.default).get_content()
    return str(text).partition("the code is")[2].split()[0]


def test_another_account_s_confirmation_does_not_count(
    market: Market, publisher: Member, tmp_path: Path, database_url: str
) -> None:
    first, second = market.make_buyer(), market.make_buyer()
    assert first.post("/addresses", {"address": "sales@crm.example"})["state"] == "waiting"
    question(tmp_path, database_url)
    second.post("/addresses", {"address": "sales@crm.example"})
    code = question(tmp_path, database_url)
    second.post("/addresses/confirm", {"address": "sales@crm.example", "code": code})
    refused = first.request("POST", "/addresses/confirm", {"address": "sales@crm.example", "code": code})
    assert refused.status_code == 422
    market.make_order(first, delivery={"kind": "email", "to": "sales@crm.example"})
    publisher.post("/leads", market.lead())
    deliver_due(START)
    assert mails(tmp_path)[-1]["To"] != "sales@crm.example"


def test_addresses_are_asked_seldom_and_a_saved_order_asks_once(market: Market, database_url: str) -> None:
    buyer = market.make_buyer()
    order = market.make_order(buyer, delivery={"kind": "email", "to": "sales@crm.example"})
    buyer.request("PATCH", f"/orders/{order['id']}", {"delivery": {"kind": "email", "to": "sales@crm.example"}})
    assert len(ask(database_url, "SELECT FROM procrastinate_jobs WHERE task_name = %s", MAIL_JOB)) == 1
    again = buyer.request("POST", "/addresses", {"address": "sales@crm.example"})
    assert (again.status_code, again.headers["Retry-After"]) == (429, "60")
    for number in range(19):
        buyer.post("/addresses", {"address": f"a{number}@crm.example"})
    assert buyer.request("POST", "/addresses", {"address": "b@crm.example"}).json["code"] == "too_many_addresses"
    assert buyer.request("POST", "/addresses", {"address": "b"}).json["errors"][0]["code"] == "invalid_email"


# -- bounces -----------------------------------------------------------------------------------------------------------


def test_mail_that_comes_back_within_the_grace_undoes_the_sale_and_pauses_the_order(
    market: Market, publisher: Member, tmp_path: Path, database_url: str
) -> None:
    first, second, operator = market.make_buyer("100.00"), market.make_buyer(), market.make_operator()
    order = market.make_order(first, "30.00", delivery=EMAIL)
    market.make_order(second, "20.00")
    lead = publisher.post("/leads", market.lead())
    deliver_due(START)
    (mail,) = mails(tmp_path)
    bounce(tmp_path, standard(token_in(mail), mail["To"]))
    soon = START + timedelta(minutes=2)
    assert run_due(soon)["bounces"] == 1
    assert states(first) == ["failed"] and first.get("/sales")["items"][0]["lead"]["contact"] is None
    assert first.get("/wallet")["available"]["amount"] == "100.00"
    deliver_due(soon + timedelta(minutes=1))
    assert states(second) == ["delivered"]
    assert publisher.get(f"/leads/{lead['id']}")["status"] == "sold"
    assert first.get(f"/orders/{order['id']}")["status"] == "paused"
    (attempt,) = attempts(first)
    assert (
        attempt["outcome"] == "accepted" and attempt["bounce"].startswith("bounced 5.1.1: ") and attempt["bounced_at"]
    )
    told = [row[0] for row in ask(database_url, "SELECT payload FROM core.outbox")]
    news = next(one for one in told if one["event"] == "order.mail_bounced")
    assert set(news["accounts"]) == {str(parse_id("acc", one.id)) for one in (first, operator)}


@pytest.mark.parametrize("how", ["late", "worked on", "disputed"])
def test_otherwise_the_sale_stays_and_the_order_is_paused_all_the_same(
    market: Market, publisher: Member, tmp_path: Path, clock: Any, how: str
) -> None:
    buyer = market.make_buyer()
    order = market.make_order(buyer, delivery=EMAIL)
    publisher.post("/leads", market.lead())
    deliver_due(START)
    (sale,), (mail,) = buyer.get("/sales")["items"], mails(tmp_path)
    clock.advance(minutes=16 if how == "late" else 1)
    if how == "worked on":
        buyer.post(f"/sales/{sale['id']}/disposition", {"status": "contacted"})
    if how == "disputed":
        buyer.post(f"/sales/{sale['id']}/disputes", {"reason": "mistyped", "note": "no such number"})
    bounce(tmp_path, standard(token_in(mail), mail["To"]))
    assert run_due(clock.now())["bounces"] == 1
    assert states(buyer) == ["disputed" if how == "disputed" else "delivered"]
    assert buyer.get(f"/orders/{order['id']}")["status"] == "paused"


def test_what_was_sent_once_more_by_hand_and_came_back_undoes_no_sale(
    market: Market, publisher: Member, tmp_path: Path, app: Flask
) -> None:
    app.extensions["leadbourse_outbound"] = Outbound(allow_private=True)
    app.extensions["leadbourse_settings"] = replace(app.extensions["leadbourse_settings"], allow_private_targets=True)
    buyer = market.make_buyer()
    with open_endpoint() as endpoint:
        order = market.make_order(buyer, delivery={"kind": "webhook", "url": endpoint.url})
        publisher.post("/leads", market.lead())
        deliver_due(START)
    (sale,) = buyer.get("/sales")["items"]
    buyer.request("PATCH", f"/orders/{order['id']}", {"delivery": EMAIL})
    buyer.post(f"/sales/{sale['id']}/deliveries")
    deliver_due(START)
    (mail,) = mails(tmp_path)
    bounce(tmp_path, standard(token_in(mail), mail["To"]))
    assert run_due(START)["bounces"] == 1
    assert states(buyer) == ["delivered"] and buyer.get("/wallet")["held"]["amount"] == "20.00"
    assert buyer.get(f"/orders/{order['id']}")["status"] == "paused"


def test_a_sale_is_undone_once_its_letter_came_back_from_everybody_who_got_it(
    market: Market, publisher: Member, tmp_path: Path, database_url: str
) -> None:
    buyer = market.make_buyer()
    both = ["dead@crm.example", "Sales@crm.example"]
    market.make_order(buyer, delivery={"kind": "email", "to": both})
    ask(database_url, "UPDATE marketplace.mail_addresses SET confirmed_at = asked_at RETURNING address")
    publisher.post("/leads", market.lead())
    deliver_due(START)
    token, seen = token_in(mails(tmp_path)[0]), []
    for address in both:
        bounce(tmp_path, standard(token, address))
        assert run_due(START)["bounces"] == 1
        seen += states(buyer)
    assert seen == ["delivered", "failed"]


def test_a_full_mailbox_is_logged_and_stops_nothing(market: Market, publisher: Member, tmp_path: Path) -> None:
    buyer = market.make_buyer()
    order = market.make_order(buyer, delivery=EMAIL)
    publisher.post("/leads", market.lead())
    deliver_due(START)
    (mail,) = mails(tmp_path)
    bounce(tmp_path, plain(token_in(mail), "452 4.2.2 mailbox is full", recipient=mail["To"]))
    assert run_due(START)["bounces"] == 1
    assert states(buyer) == ["delivered"] and buyer.get(f"/orders/{order['id']}")["status"] == "active"
    assert attempts(buyer)[0]["bounce"] == "bounced 4.2.2: 452 4.2.2 mailbox is full"


def test_no_mail_goes_where_it_came_back_from_until_the_address_is_confirmed_anew(
    market: Market, publisher: Member, tmp_path: Path, database_url: str
) -> None:
    buyer = market.make_buyer()
    order = market.make_order(buyer, delivery=EMAIL)
    publisher.post("/leads", market.lead())
    deliver_due(START)
    own = mails(tmp_path)[0]["To"]
    bounce(tmp_path, standard(token_in(mails(tmp_path)[0]), own))
    run_due(START + timedelta(minutes=16))
    assert buyer.get("/addresses")["items"] == [{"address": own, "state": "bounced"}]
    buyer.request("PATCH", f"/orders/{order['id']}", {"status": "active"})
    publisher.post("/leads", market.lead())
    deliver_due(START)
    assert len(mails(tmp_path)) == 1
    assert states(buyer) == ["failed", "delivered"]  # nobody to write to: the next buyer gets it at once
    buyer.post("/addresses", {"address": own})
    buyer.post("/addresses/confirm", {"address": own, "code": question(tmp_path, database_url)})
    publisher.post("/leads", market.lead())
    deliver_due(START + timedelta(seconds=5))
    assert states(buyer) == ["delivered", "failed", "delivered"]


def test_a_forged_bounce_costs_nobody_a_sale(market: Market, publisher: Member, tmp_path: Path) -> None:
    buyer = market.make_buyer()
    order = market.make_order(buyer, delivery=EMAIL)
    publisher.post("/leads", market.lead())
    deliver_due(START)
    token = token_in(mails(tmp_path)[0])
    bounce(tmp_path, standard("s" + token[1:27] + "a" * 13, mails(tmp_path)[0]["To"]))
    assert run_due(START)["bounces"] == 0
    assert states(buyer) == ["delivered"] and buyer.get(f"/orders/{order['id']}")["status"] == "active"


def test_with_a_mail_server_and_no_mailbox_there_is_nothing_to_read(app: Flask) -> None:
    told = replace(app.extensions["leadbourse_settings"], smtp_url="smtp://127.0.0.1:9")
    app.extensions["leadbourse_settings"] = told
    assert run_due(START)["bounces"] == 0
    with transaction():
        assert db.session.scalar(db.text("SELECT count(*) FROM core.bounces")) == 0
