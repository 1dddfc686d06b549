"""A buyer uploads whom he knows; nothing but keyed hashes is kept, and a list proves only what it had before a sale."""

import hashlib
import io
import json
import tracemalloc
from typing import Any

import pytest
from flask import Flask

from core.ids import parse_id
from marketplace.jobs import run_due
from marketplace.leads.desk import desk
from marketplace.leads.suppression import lines
from marketplace.leads.suppression.lines import Upload
from marketplace.web.api import suppression
from tests.at_once import ask
from tests.conftest import START, SetClock
from tests.factories import Market, Member

TEXT, CSV, NDJSON = "text/plain", "text/csv", "application/x-ndjson"


def sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def send(buyer: Member, data: str | bytes, kind: str = TEXT, query: str = "name=crm", **headers: str) -> Any:
    sent = {"Authorization": f"Bearer {buyer.key}", "Content-Type": kind} | headers
    raw = data if isinstance(data, bytes) else data.encode()
    return buyer.app.test_client().post(f"/api/v1/suppression-lists?{query}", data=raw, headers=sent)


def counts(answer: Any) -> tuple[int, ...]:
    assert answer.status_code == 201, answer.text
    return tuple(answer.json[name] for name in ("lines", "entries", "duplicates", "bad"))


def codes(answer: Any) -> list[tuple[int, str]]:
    return [(fault["line"], fault["code"]) for fault in answer.json["faults"]]


@pytest.fixture
def buyer(market: Market) -> Member:
    return market.make_buyer()


def test_plain_lines_may_be_addresses_numbers_or_hashes_and_are_counted(buyer: Member, database_url: str) -> None:
    text = f"Ada@Example.com\n+33 1 99 00 12 34\n{sha('bob@example.com')}\nada@example.com\n\nnobody\n+12\nzz@\n"
    answer = send(buyer, text)
    assert counts(answer) == (7, 3, 1, 3)
    assert codes(answer) == [(6, "invalid_phone"), (7, "invalid_phone"), (8, "invalid_email")]
    assert all(fault["message"] for fault in answer.json["faults"])
    assert (answer.json["name"], answer.json["uploaded_at"]) == ("crm", "2026-11-22T10:00:00Z")
    assert ask(database_url, "SELECT count(*) FROM marketplace.suppression_entries") == [
        (4,)
    ]  # of one the kind is open


def test_csv_is_read_by_its_header_with_any_usual_separator(buyer: Member) -> None:
    header = "Nr;E-Mail;phone_sha256;note"
    rows = ["1;ada@example.com;;x", f'2;;{sha("+33199001234")};"a;b"', "3;;;", "4;bad;abc;", "5"]
    answer = send(buyer, "\ufeff" + "\r\n".join([header, *rows]), CSV)
    assert counts(answer) == (5, 2, 0, 3)
    assert codes(answer) == [(4, "missing"), (5, "invalid_email"), (6, "missing")]


def test_ndjson_names_its_members(buyer: Member) -> None:
    rows = [{"email": "a@example.com", "phone": "+33199001234"}, {"sha256": sha("b@example.com")}, "c@example.com", [1],
            {"name": "x"}, {"email": 7}]  # fmt: skip
    answer = send(buyer, "\n".join([*map(json.dumps, rows), "{"]), NDJSON)
    assert counts(answer) == (7, 4, 0, 4)
    assert [code for _, code in codes(answer)] == ["bad_format", "missing", "missing", "bad_format"]


def test_numbers_without_a_prefix_are_dialled_in_the_country_that_is_said(buyer: Member, database_url: str) -> None:
    assert counts(send(buyer, "01 99 00 12 34"))[3] == 1
    send(buyer, "01 99 00 12 34", query="country=FR")
    send(buyer, sha("+33199001234"))
    query = "SELECT count(*) FROM marketplace.suppression_entries GROUP BY key ORDER BY 1"
    assert ask(database_url, query) == [(1,), (2,)]


@pytest.mark.parametrize(
    ("data", "kind", "query", "status", "code"),
    [("name,city\nAda,Paris", CSV, "", 422, "invalid_list"), ("x", "image/png", "", 415, "unsupported_media_type"),
     ("x", TEXT, "name=" + "x" * 101, 400, "bad_filter"), ("x", TEXT, "country=fr", 400, "bad_filter")],
)  # fmt: skip
def test_what_is_no_list_is_refused(buyer: Member, data: str, kind: str, query: str, status: int, code: str) -> None:
    refused = send(buyer, data, kind, query)
    assert (refused.status_code, refused.json["code"]) == (status, code)
    assert buyer.get("/suppression-lists")["items"] == []


def test_hostile_bytes_are_bad_lines_and_nothing_worse(buyer: Member) -> None:
    data = b"\xff\xfe\x00\n" + b"a" * 5000 + b"\n" + b"\0\0\nada@example.com\n" + b"b" * 200_000
    answer = send(buyer, data)
    assert counts(answer) == (5, 1, 0, 4)
    assert codes(answer) == [(1, "bad_format"), (2, "too_long"), (3, "invalid_phone"), (5, "too_long")]


def test_too_many_lines_are_refused_and_nothing_is_kept(buyer: Member, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "MOST_LINES", 3)
    refused = send(buyer, "a@example.com\n" * 4)
    assert (refused.status_code, refused.json["errors"][0]["code"]) == (422, "too_many")
    assert buyer.get("/suppression-lists")["items"] == []


@pytest.mark.parametrize("chunked", [False, True])
def test_a_longer_upload_than_may_be_is_refused(buyer: Member, monkeypatch: pytest.MonkeyPatch, chunked: bool) -> None:
    monkeypatch.setattr(suppression, "MOST_BYTES", 20)
    stream = {"input_stream": io.BytesIO(b"ada@example.com\n" * 2)} if chunked else {"data": b"ada@example.com\n" * 2}
    headers = {"Authorization": f"Bearer {buyer.key}", "Content-Type": TEXT}
    said = {"wsgi.input_terminated": True} if chunked else {}
    refused = buyer.app.test_client().post(
        "/api/v1/suppression-lists", headers=headers, environ_overrides=said, **stream
    )
    assert (refused.status_code, refused.json["code"]) == (413, "too_large")
    assert buyer.get("/suppression-lists")["items"] == []


def test_no_address_and_no_number_is_stored_and_no_hash_without_our_key(buyer: Member, database_url: str) -> None:
    send(buyer, f"ada@example.com\n{sha('bob@example.com')}")
    rows = ask(database_url, "SELECT encode(key, 'hex') FROM marketplace.suppression_entries")
    assert not {sha("ada@example.com"), sha("bob@example.com")} & {row[0] for row in rows}
    assert "example" not in str(ask(database_url, "SELECT l.* FROM marketplace.suppression_lists l"))


def test_lists_are_shown_to_their_buyer_and_deleted_with_their_entries(
    buyer: Member, market: Market, database_url: str
) -> None:
    made = send(buyer, "ada@example.com\nnobody").json
    [listed] = buyer.get("/suppression-lists")["items"]
    assert listed == made | {"faults": [], "kept_away": None} and buyer.get(f"/suppression-lists/{made['id']}") == made
    stranger = market.make_buyer()
    for method in ("GET", "DELETE"):
        assert stranger.request(method, f"/suppression-lists/{made['id']}").status_code == 404
    assert market.make_publisher().request("GET", "/suppression-lists").status_code == 403
    assert buyer.request("DELETE", f"/suppression-lists/{made['id']}").status_code == 200
    assert buyer.get("/suppression-lists")["items"] == []
    assert buyer.request("GET", f"/suppression-lists/{made['id']}").status_code == 404
    assert ask(database_url, "SELECT count(*) FROM marketplace.suppression_entries") == [(0,)]


def test_the_same_upload_under_one_idempotency_key_is_one_list(buyer: Member) -> None:
    first, again = (send(buyer, "ada@example.com", **{"Idempotency-Key": '"k"'}) for _ in range(2))
    assert first.json == again.json and again.headers["Idempotency-Replayed"] == "true"
    other = send(buyer, "bob@example.com", **{"Idempotency-Key": '"k"'})
    assert other.json["code"] == "idempotency_key_reused"
    assert len(buyer.get("/suppression-lists")["items"]) == 1


@pytest.mark.parametrize("seconds", [-1, 0])
def test_a_list_proves_a_duplicate_only_when_it_was_whole_before_the_sale(
    market: Market, buyer: Member, clock: SetClock, seconds: int
) -> None:
    market.make_order(buyer)
    lead = market.lead()
    lead["contact"]["phone"] = "+33 1 99 00 12 34"
    clock.advance(seconds=seconds)
    made = send(buyer, sha("+33199001234")).json
    clock.instant = START
    [sale] = market.make_publisher().post("/leads", lead)["sales"]
    buyer.post(f"/sales/{sale['id']}/disputes", {"reason": "duplicate", "sub_reason": "on_own_list"})
    run_due(START)
    [judged] = buyer.get("/disputes")["items"]
    assert (judged["state"], judged["decided_by"]) == (("upheld", "machine") if seconds else ("rejected", "machine"))
    assert made["name"] not in judged["decision_note"]  # the publisher reads it too
    assert (made["id"] in judged["decision_note"] and "2026-11-22T09:59:59" in judged["decision_note"]) == bool(seconds)


def test_another_buyers_list_or_a_deleted_one_proves_nothing(market: Market, buyer: Member, clock: SetClock) -> None:
    market.make_order(buyer)
    lead = market.lead()
    send(market.make_buyer(), lead["contact"]["email"])
    gone = send(buyer, lead["contact"]["email"]).json
    buyer.request("DELETE", f"/suppression-lists/{gone['id']}")
    clock.advance(seconds=1)
    [sale] = market.make_publisher().post("/leads", lead)["sales"]
    buyer.post(f"/sales/{sale['id']}/disputes", {"reason": "duplicate", "sub_reason": "on_own_list"})
    run_due(clock.now())
    assert buyer.get("/disputes")["items"][0]["state"] == "rejected"


def test_an_entry_is_the_key_by_which_persons_are_claimed(market: Market, buyer: Member, database_url: str) -> None:
    market.make_order(buyer)
    lead = market.lead()
    sent = market.make_publisher().post("/leads", lead)
    send(buyer, sha(lead["contact"]["email"]))
    shared = (
        """SELECT k.lead_id FROM marketplace.person_keys k JOIN marketplace.suppression_entries e ON e.key = k.key"""
    )
    assert ask(database_url, shared) == [(parse_id("lead", sent["id"]),)]


def test_a_long_upload_is_read_in_constant_memory(app: Flask) -> None:
    class Endless(io.RawIOBase):
        """Twenty megabytes that are never in memory at once."""

        left = 300

        def read(self, size: int = -1) -> bytes:
            self.left -= 1
            return (f"{self.left:064x}\n" * 1000).encode() if self.left >= 0 else b""

    upload = Upload("text", "ZZ", desk().intake.key_of_hash)
    tracemalloc.start()
    upload.read(Endless())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    upload.close()
    assert upload.lines == 300_000 and peak < 8_000_000
