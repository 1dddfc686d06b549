"""A list keeps leads of persons whom a buyer knows away from him: by keyed hashes, for a time, and nobody else is told."""

import io
import json
from typing import Any

import pytest

from core.db import db, transaction
from core.ids import parse_id
from marketplace.leads.delivery.courier import deliver_due
from marketplace.leads.desk import desk
from tests.conftest import START, SetClock
from tests.factories import Market, Member
from tests.marketplace.endpoint import open_endpoint
from tests.marketplace.test_next_by_rules import NO, allow_private_targets
from tests.marketplace.test_portal_pages import visitor_of
from tests.marketplace.test_suppression import counts, send, sha
from tests.visitor import words_of

ADA, BOB = {"email": "ada@example.com"}, {"email": "bob@example.com"}


@pytest.fixture
def buyer(market: Market) -> Member:
    return market.make_buyer()


@pytest.fixture
def publisher(market: Market) -> Member:
    return market.make_publisher()


def post(publisher: Member, market: Market, contact: dict[str, str]) -> Any:
    return publisher.post("/leads", market.lead(contact=contact))


def told(member: Member, lead: Any) -> list[tuple[str, str]]:
    return [(one["outcome"], one["detail"]) for one in member.get(f"/leads/{lead['id']}/why")["items"]]


def test_a_person_on_the_list_goes_to_the_next_buyer(market: Market, buyer: Member, publisher: Member) -> None:
    market.make_order(buyer, "30.00")
    other = market.make_buyer()
    market.make_order(other, "20.00")
    assert counts(send(buyer, sha("ada@example.com"), query="suppress=true")) == (1, 1, 0, 0)
    known, stranger = post(publisher, market, ADA), post(publisher, market, BOB)
    assert known["sales"][0]["price"]["amount"] == "20.00" and stranger["sales"][0]["price"]["amount"] == "30.00"


def test_only_the_buyer_and_operators_are_told_whom_he_knows(market: Market, buyer: Member, publisher: Member) -> None:
    market.make_order(buyer)
    send(buyer, "ada@example.com", query="suppress=true")
    lead = post(publisher, market, ADA)
    assert lead["status"] == "unsold"
    for member in (buyer, market.make_operator()):
        assert told(member, lead) == [("suppressed", "The person is on a list of the buyer's that keeps leads away.")]
    assert told(publisher, lead) == [("filtered", "The lead does not meet the order's conditions.")]
    page = words_of(visitor_of(market, publisher).open(f"/publisher/leads/{lead['id']}"))
    assert "knows the person" not in page and "does not meet the order's conditions" in page


def test_a_list_only_proves_unless_it_is_to_keep_away(market: Market, buyer: Member, publisher: Member) -> None:
    market.make_order(buyer)
    listed = send(buyer, "ada@example.com").json
    assert listed["suppresses"] is False and post(publisher, market, ADA)["status"] == "sold"


def test_it_keeps_away_from_its_first_instant_until_its_last(
    market: Market, buyer: Member, publisher: Member, clock: SetClock
) -> None:
    market.make_order(buyer)
    query = "suppress=true&valid_from=2026-11-22T11:00:00Z&valid_until=2026-11-22T13:00:00Z"
    send(buyer, "\n".join(f"{number}@example.com" for number in range(4)), query=query)
    statuses = []
    for number in range(4):
        statuses.append(post(publisher, market, {"email": f"{number}@example.com"})["status"])
        clock.advance(hours=1)
    assert statuses == ["sold", "unsold", "unsold", "sold"]


def test_what_was_decided_is_told_the_same_when_the_list_is_gone(
    market: Market, buyer: Member, publisher: Member
) -> None:
    market.make_order(buyer)
    listed = send(buyer, "ada@example.com", query="suppress=true").json
    lead = post(publisher, market, ADA)
    assert buyer.request("DELETE", f"/suppression-lists/{listed['id']}").status_code == 200
    assert told(buyer, lead)[0][0] == "suppressed"
    assert post(publisher, market, ADA)["status"] == "sold"


def test_a_list_counts_whom_it_kept_away_in_full_tens_so_that_nobody_is_found_out_by_it(
    market: Market, buyer: Member, publisher: Member
) -> None:
    market.make_order(buyer)
    people = [f"person{number}@example.net" for number in range(10)]
    listed = send(buyer, "\n".join(people), query="suppress=true").json

    def counted() -> Any:
        return buyer.get(f"/suppression-lists/{listed['id']}")["kept_away"]

    for email in people[:9]:
        post(publisher, market, {"email": email})
    assert counted() == 0
    last = market.lead(contact={"email": people[9]})
    for _ in range(3):  # one lead, asked three times
        publisher.post("/leads", last, Idempotency_Key="a-key")
    assert counted() == 10
    page = words_of(visitor_of(market, buyer).open(f"/buyer/lists/{listed['id']}"))
    assert "Leads kept away, in full tens 10" in page and "for good" in page


def test_a_list_that_came_after_the_lead_keeps_it_away_when_it_is_sold_again(
    market: Market, buyer: Member, publisher: Member
) -> None:
    allow_private_targets(market.app)
    other = market.make_buyer()
    market.make_order(other, "10.00")
    with open_endpoint(answer=NO) as picky:
        market.make_order(buyer, "20.00", delivery={"kind": "webhook", "url": picky.url})
        lead = post(publisher, market, ADA)
        send(other, "ada@example.com", query="suppress=true")
        deliver_due(START)
    assert other.get("/sales")["items"] == [] and told(other, lead)[0][0] == "suppressed"


def test_nobody_is_asked_where_no_buyer_has_such_a_list(market: Market, buyer: Member, publisher: Member) -> None:
    market.make_order(buyer)
    send(market.make_buyer(), "ada@example.com", query="suppress=true")  # who orders nothing
    post(publisher, market, BOB)
    live = desk().intake.books.find("education")
    assert live is not None and live.suppressing == frozenset()
    send(buyer, "ada@example.com", query="suppress=true")
    post(publisher, market, ADA)
    live = desk().intake.books.find("education")
    assert live is not None and live.suppressing == {parse_id("acc", buyer.id)}


def test_leads_of_a_batch_are_kept_away_too(market: Market, buyer: Member, publisher: Member) -> None:
    market.make_order(buyer)
    send(buyer, "ada@example.com", query="suppress=true")
    rows = "\n".join(json.dumps(market.lead(contact=contact)) for contact in (ADA, BOB))
    headers = {"Authorization": f"Bearer {publisher.key}", "Content-Type": "application/x-ndjson"}
    done = publisher.app.test_client().post("/api/v1/leads/batch", data=rows, headers=headers)
    assert [one["status"] for one in publisher.get("/leads")["items"]] == ["sold", "unsold"], done.text


@pytest.mark.parametrize("query", ["suppress=yes", "valid_from=tomorrow", "valid_until=2026-13-01",
                                   "suppress=true&valid_from=2026-11-22T13:00:00Z&valid_until=2026-11-22T13:00:00Z"])  # fmt: skip
def test_dates_that_cannot_be_are_refused(buyer: Member, query: str) -> None:
    assert send(buyer, "ada@example.com", query=query).status_code in (400, 422)
    assert buyer.get("/suppression-lists")["items"] == []


def test_a_saved_list_has_no_person_in_it_and_can_be_uploaded_again(
    market: Market, buyer: Member, publisher: Member
) -> None:
    market.make_order(buyer)
    listed = send(buyer, "ada@example.com\n+33199001234").json
    visitor = visitor_of(market, buyer)
    saved = visitor.open(f"/buyer/lists/{listed['id']}/keys")
    assert "example" not in saved.text and sha("ada@example.com") not in saved.text and saved.text.count("\r\n") == 3
    assert counts(send(buyer, saved.text, "text/csv", query="suppress=true")) == (2, 2, 0, 0)
    assert post(publisher, market, ADA)["status"] == "unsold"
    assert visitor_of(market, market.make_buyer()).open(f"/buyer/lists/{listed['id']}/keys").status_code == 404


def test_the_page_uploads_a_list_that_keeps_away_until_a_day(market: Market, buyer: Member, publisher: Member) -> None:
    market.make_order(buyer)
    visitor, path = visitor_of(market, buyer), "/buyer/lists/new"
    form = {"csrf_token": visitor.token(path), "name": "crm", "suppresses": "y", "valid_until": "2026-12-31"}
    answer = visitor.open(
        path, "POST", form | {"file": (io.BytesIO(b"ada@example.com"), "list.txt"), "valid_until": "soon"}
    )
    assert answer.status_code == 200 and "Send a date" in words_of(answer)
    answer = visitor.open(path, "POST", form | {"file": (io.BytesIO(b"ada@example.com"), "list.txt")})
    assert answer.status_code == 302
    [listed] = buyer.get("/suppression-lists")["items"]
    assert listed["suppresses"] and listed["valid_until"].startswith("2026-12-31T23:59:59")
    assert post(publisher, market, ADA)["status"] == "unsold"


def test_the_database_refuses_a_list_that_ends_before_it_begins(market: Market, buyer: Member) -> None:
    send(buyer, "ada@example.com")
    with pytest.raises(Exception, match="suppression_lists_valid_check"), transaction() as session:
        session.execute(db.text("UPDATE marketplace.suppression_lists SET valid_from = now(), valid_until = now()"))


def test_a_test_lead_does_not_tell_its_publisher_whom_buyers_know(
    market: Market, buyer: Member, publisher: Member
) -> None:
    market.make_order(buyer)
    send(buyer, "ada@example.com", query="suppress=true")
    known, stranger = (publisher.post("/leads", market.lead(contact=one, test=True)) for one in (ADA, BOB))
    assert told(publisher, known) == told(publisher, stranger)
    assert told(buyer, known) == told(buyer, stranger)
