"""POST /leads/batch: one result a row with its line, one bad row spoils no other, a repetition sells nothing twice."""

import json
from typing import Any

from sqlalchemy import text
from werkzeug.test import TestResponse

from core.db import transaction
from marketplace.leads.batch import CHUNK
from tests.factories import Market, Member

NDJSON, CSV = "application/x-ndjson", "text/csv"


def post_batch(publisher: Member, body: str | bytes, media_type: str = NDJSON, key: str | None = None) -> TestResponse:
    """Post a batch as this publisher."""
    headers = {"Authorization": f"Bearer {publisher.key}"} | ({"Idempotency-Key": key} if key else {})
    client = publisher.app.test_client()
    return client.post("/api/v1/leads/batch", data=body, content_type=media_type, headers=headers)


def lines_of(*leads: Any) -> str:
    """Write leads, and texts that are none, as NDJSON."""
    return "".join((lead if isinstance(lead, str) else json.dumps(lead)) + "\n" for lead in leads)


def outcomes(response: TestResponse) -> list[tuple[int, str]]:
    """Tell the line and status of each result."""
    assert response.status_code == 200, response.text
    return [(item["line"], item["status"]) for item in response.json["items"]]


def test_one_bad_row_spoils_no_other(market: Market) -> None:
    publisher, buyer = market.make_publisher(), market.make_buyer()
    market.make_order(buyer)
    sold = market.lead()

    response = post_batch(
        publisher,
        lines_of(sold, "{nonsense", "", market.lead(region="XX"), sold, market.lead(channel=3), market.lead()),
    )

    assert outcomes(response) == [
        (1, "sold"), (2, "refused"), (4, "refused"), (5, "rejected"), (6, "refused"), (7, "sold"),
    ]  # fmt: skip
    items = response.json["items"]
    assert items[3]["reasons"] == ["duplicate"]
    assert [item["errors"][0]["code"] for item in items if item["status"] == "refused"] == [
        "not_json", "unknown_region", "wrong_type",
    ]  # fmt: skip
    counted = {(row["field"], row["code"]): row["refused"] for row in publisher.get("/refusals")["items"]}
    assert counted == {("", "not_json"): 1, ("region", "unknown_region"): 1, ("channel", "wrong_type"): 1}


def test_many_rows_keep_their_order_and_sell_as_far_as_the_funds_reach(market: Market) -> None:
    publisher, buyer = market.make_publisher(), market.make_buyer("100.00")
    market.make_order(buyer, "10.00")
    rows = [market.lead(external_id=str(number)) for number in range(3 * CHUNK + 1)]

    response = post_batch(publisher, lines_of(*rows))

    assert outcomes(response) == [(line, "sold" if line <= 10 else "unsold") for line in range(1, len(rows) + 1)]
    assert len(buyer.get("/sales")["items"]) == 10


def test_csv_columns_are_paths_and_their_text_becomes_the_fields_type(market: Market) -> None:
    publisher = market.make_publisher()
    body = (
        "vertical,region,contact.email,attributes.visits,attributes.pages_per_visit,attributes.free_copy,test,"
        "consent.text,consent.given_at,source.sub.1\r\n"
        'education,FR,a@example.com,2,2.5,yes,,"Yes,\r\ncall me.",2026-11-22T09:00:00Z,x\r\n'
        "education,FR,b@example.com,2.0,3,No,false,Call me.,2026-11-22T09:00:00Z,\r\n"
        "education,FR,c@example.com,two,3,perhaps,,Call me.,2026-11-22T09:00:00Z,\r\n"
        "astrology,FR,d@example.com,2,3,no,,Call me.,2026-11-22T09:00:00Z,\r\n"
        "education,FR,e@example.com\r\n"
    )

    response = post_batch(publisher, "\ufeff" + body, CSV)

    assert outcomes(response) == [(2, "unsold"), (4, "unsold"), (5, "refused"), (6, "refused"), (7, "refused")]
    items = response.json["items"]
    assert [[fault["field"] for fault in item["errors"]] for item in items[2:]] == [
        ["attributes.visits", "attributes.free_copy"], ["vertical"], [],
    ]  # fmt: skip
    lead = publisher.get(f"/leads/{items[0]['id']}")
    assert lead["attributes"] == {"visits": 2, "pages_per_visit": 2.5, "free_copy": True}
    assert lead["source"]["sub"] == {"1": "x"}


def test_a_csv_whose_columns_contradict_each_other_is_refused_whole(market: Market) -> None:
    response = post_batch(market.make_publisher(), "vertical,region,contact,contact.email\n", CSV)

    assert (response.status_code, response.json["code"]) == (400, "wrong_columns")


def test_a_batch_of_more_than_ten_thousand_rows_is_refused_whole(market: Market) -> None:
    publisher = market.make_publisher()

    response = post_batch(publisher, "{}\n" * 10_001)

    assert (response.status_code, response.json["code"]) == (400, "too_many_rows")
    assert publisher.get("/refusals")["items"] == []


def test_a_repeated_batch_gives_the_same_answer_and_sells_nothing_twice(market: Market) -> None:
    publisher, buyer = market.make_publisher(), market.make_buyer()
    market.make_order(buyer)
    body = lines_of(market.lead(), "nonsense", market.lead())

    first, again = post_batch(publisher, body, key="b-1"), post_batch(publisher, body, key="b-1")
    other = post_batch(publisher, body + "\n", key="b-1")

    assert outcomes(first) == [(1, "sold"), (2, "refused"), (3, "sold")]
    assert (again.data, again.headers["Idempotency-Replayed"]) == (first.data, "true")
    assert (other.status_code, other.json["code"]) == (422, "idempotency_key_reused")
    assert len(buyer.get("/sales")["items"]) == 2


def test_a_batch_that_was_cut_short_goes_on_where_it_stopped(market: Market) -> None:
    publisher, buyer = market.make_publisher(), market.make_buyer()
    market.make_order(buyer)
    body = lines_of(market.lead(), market.lead(), market.lead(region="XX"))
    first = post_batch(publisher, body, key="b-2")
    with transaction() as session:  # as after a kill before the whole answer was kept, but after its rows were
        session.execute(text("DELETE FROM core.idempotency WHERE key = 'b-2'"))

    again = post_batch(publisher, body, key="b-2")

    assert again.json == first.json
    assert len(buyer.get("/sales")["items"]) == 2
