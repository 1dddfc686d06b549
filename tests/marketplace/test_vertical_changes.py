"""Operators add and change verticals; nothing that was traded before is touched by it."""

import json
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DatabaseError

from core.db import db, transaction
from core.errors import Conflict, Invalid, NotFound
from core.ids import parse_id
from marketplace.catalog.dispute_rules import Narrowed, dispute_rules, reason_in
from marketplace.catalog.models import VerticalRow
from marketplace.catalog.shelf import all_verticals, apply_vertical, get_vertical, versions_of, vertical_by_book
from marketplace.catalog.verticals import Vertical, read_shipped
from tests.at_once import ask, at_once
from tests.conftest import START
from tests.factories import Market, Member

SMALL: dict[str, Any] = {
    "slug": "garden", "version": 1, "names": {"en": "Garden"}, "currency": "EUR",
    "min_price": {"amount": "2.10", "currency": "EUR"},
    "fields": [{"name": "area_m2", "type": "integer", "label": "Area", "min": 1}],
}  # fmt: skip


def faults_of(mapping: dict[str, Any]) -> dict[str, str]:
    with pytest.raises(Invalid) as refusal:
        Vertical.load(mapping)
    return {fault.field: fault.code for fault in refusal.value.faults}


def codes(member: Member, method: str, path: str, body: Any) -> tuple[int, str, dict[str, str]]:
    answer = member.request(method, path, body)
    return answer.status_code, answer.json["code"], {one["field"]: one["code"] for one in answer.json["errors"]}


def test_an_operator_adds_a_vertical_that_trades_at_once(market: Market) -> None:
    operator, publisher = market.make_operator(), market.make_publisher()
    made = operator.request("POST", "/verticals", SMALL)
    assert made.status_code == 201 and made.json["window_hours"] == 168
    market.make_order(market.make_buyer(), vertical="garden")
    lead = publisher.post("/leads", made.json["example"])
    assert lead["status"] == "sold"
    assert codes(operator, "POST", "/verticals", SMALL)[:2] == (409, "vertical_exists")


def test_only_operators_may(market: Market) -> None:
    for member in (market.make_publisher(), market.make_buyer("0")):
        assert member.request("POST", "/verticals", SMALL).status_code == 403
        assert member.request("PUT", "/verticals/education", SMALL).status_code == 403


def test_a_change_needs_a_higher_version_the_same_slug_and_the_same_currency(market: Market) -> None:
    operator = market.make_operator()
    operator.post("/verticals", SMALL)
    assert operator.request("PUT", "/verticals/garden", SMALL).status_code == 200  # as it was
    dearer = SMALL | {"min_price": {"amount": "3.00", "currency": "EUR"}}
    assert codes(operator, "PUT", "/verticals/garden", dearer)[:2] == (409, "version_changed")
    changed = operator.request("PUT", "/verticals/garden", dearer | {"version": 2})
    assert (changed.status_code, changed.json["min_price"]["amount"]) == (200, "3.00")
    assert codes(operator, "PUT", "/verticals/garden", SMALL | {"slug": "other", "version": 3})[2] == {
        "slug": "cannot_change"
    }
    pounds = SMALL | {"currency": "GBP", "min_price": {"amount": "3.00", "currency": "GBP"}, "version": 3}
    assert codes(operator, "PUT", "/verticals/garden", pounds)[2] == {"currency": "cannot_change"}
    assert operator.request("PUT", "/verticals/nothing", SMALL).status_code == 404
    assert codes(operator, "PUT", "/verticals/garden", {"slug": "garden"})[0] == 400


def test_a_lead_keeps_the_definition_that_judged_it(market: Market) -> None:
    publisher, operator = market.make_publisher(), market.make_operator()
    market.make_order(market.make_buyer())
    before = publisher.post("/leads", market.lead())
    changed = read_shipped("education").as_mapping() | {"version": 2}
    changed["fields"] = [field for field in changed["fields"] if field["name"] != "occupation"]
    assert operator.request("PUT", "/verticals/education", changed).status_code == 200
    refused = publisher.request("POST", "/leads", market.lead())
    assert refused.json["errors"][0]["code"] == "unknown_attribute"
    after = publisher.post("/leads", market.lead(attributes={"course": "business"}))
    assert publisher.get(f"/leads/{before['id']}")["attributes"] == {"course": "business", "occupation": "student"}
    found = [judged_by(lead["id"]) for lead in (before, after)]
    assert [one.version for one in found] == [1, 2]
    assert found[0].check({"occupation": "student"}) == []
    assert [(one.definition["version"], one.actor[:4]) for one in versions_of(get_vertical("education")[0])] == [
        (2, "key:"), (1, "system"[:4]),
    ]  # fmt: skip


def judged_by(lead: str) -> Vertical:
    query = text("SELECT vertical_id, (decision ->> 'book')::bigint FROM marketplace.leads WHERE id = :id")
    vertical_id, book = db.session.execute(query, {"id": parse_id("lead", lead)}).one()
    return vertical_by_book(vertical_id, book)


def test_before_the_first_book_there_was_no_vertical(market: Market) -> None:
    with pytest.raises(NotFound):
        vertical_by_book(get_vertical("education")[0], 0)


def test_the_database_keeps_every_version_whoever_changes_a_row(market: Market) -> None:
    vertical_id, _ = get_vertical("education")
    db.session.rollback()
    with pytest.raises(DatabaseError, match="newer book"), transaction():
        db.session.execute(text("UPDATE marketplace.verticals SET definition = '{}' WHERE slug = 'education'"))
    for change in ("DELETE FROM", "TRUNCATE"):
        with pytest.raises(DatabaseError, match="only added to"), transaction():
            db.session.execute(text(f"{change} marketplace.vertical_versions"))
    with transaction():
        db.session.execute(
            text("UPDATE marketplace.verticals SET definition = jsonb_set(definition, '{version}', '9'),"
                 " book_version = book_version + 1 WHERE slug = 'education'")
        )  # fmt: skip
    assert [one.definition["version"] for one in versions_of(vertical_id)] == [9, 1]


def test_the_shelf_shows_each_change_once_it_is_there_and_none_that_was_taken_back(
    market: Market, database_url: str
) -> None:
    def name() -> str:
        found = next(one.names["en"] for one in all_verticals() if one.slug == "education")
        db.session.rollback()
        return found

    change = (
        "UPDATE marketplace.verticals SET definition = jsonb_set(definition, '{{names,en}}', '\"{}\"'),"
        " book_version = book_version + 1 WHERE slug = 'education'"
    )
    before = name()
    db.session.execute(text(change.format("Taken back")))
    assert next(one.names["en"] for one in all_verticals() if one.slug == "education") == "Taken back"
    db.session.rollback()
    assert name() == before
    for said in ("Mine", "Another's"):
        ask(database_url, "SELECT", first=change.format(said.replace("'", "''")))
        assert name() == said
    assert sorted(one.slug for one in all_verticals()) == [one.slug for one in all_verticals()]
    db.session.rollback()


def test_a_limit_that_was_tightened_since_stops_nothing_that_trades(market: Market) -> None:
    publisher, buyer = market.make_publisher(), market.make_buyer()
    loose = {"disputes": {"mistyped": {"window_hours": 500}}}
    assert set(faults_of(read_shipped("education").as_mapping() | loose)) == {"disputes.mistyped.window_hours"}
    with transaction():
        db.session.execute(
            text("UPDATE marketplace.verticals SET definition = definition || CAST(:loose AS jsonb),"
                 " book_version = book_version + 1 WHERE slug = 'education'"), {"loose": json.dumps(loose)},
        )  # fmt: skip
    market.make_order(buyer)
    [sale] = publisher.post("/leads", market.lead())["sales"]
    assert buyer.post(f"/sales/{sale['id']}/disputes", {"reason": "mistyped"})["state"] == "open"


def test_a_reasons_window_is_never_longer_than_the_operators_present_one() -> None:
    reason = dispute_rules().reasons["mistyped"]
    assert reason_in(reason, {"mistyped": Narrowed(window_hours=500)}, "mistyped").window_hours == 72
    assert reason_in(reason, {"mistyped": Narrowed(window_hours=50)}, "mistyped").window_hours == 50
    bot = dispute_rules().reasons["bot"]
    assert reason_in(bot, {"bot": Narrowed(window_hours=60)}, "bot").window_hours == 60
    assert reason_in(bot, {"bot": Narrowed(enabled=False)}, "bot").window_hours is None


def test_what_a_vertical_says_of_the_exchanges_settings_is_judged() -> None:
    assert faults_of(SMALL | {"settings": {"tier.new.share_bp": 1, "no.such": 1, "window.hours": 200,
                                           "dispute.mistyped.window_hours": 50, "return.normal_bp": 10_001,
                                           "contact.request_minutes": 6}}) == {
        "settings.window.hours": "written_elsewhere",
        "settings.dispute.mistyped.window_hours": "written_elsewhere",
        "settings.tier.new.share_bp": "not_settable_here",
        "settings.no.such": "unknown_setting",
        "settings.return.normal_bp": "out_of_range",
        "settings.contact.request_minutes": "setting_loosened",
    }  # fmt: skip
    assert faults_of(SMALL | {"dedupe_days": 731, "share": {"buyers": 3, "buyers_ceiling": 2}}) == {
        "dedupe_days": "out_of_range",
        "share.buyers": "above_ceiling",
    }


def test_prices_and_contacts_of_a_vertical_are_judged() -> None:
    assert faults_of(SMALL | {
        "prices": {"cpl": {"shared": ["9.00", "2.00"], "exclusive": ["1.001", "2.00"]}, "cpa": {"call": ["-1", "2"]},
                   "cps": {"low_bp": 9, "high_bp": 2}},
        "outcome": {"sale_bp": [5, 4], "margin": "-1.00"},
        "contact_required": ["shoe_size"], "example_contact": {"hat": "x"},
    }) == {
        "prices.cpl.shared": "bounds_reversed",
        "prices.cpl.exclusive.0": "bad_amount",
        "prices.cpa.call.0": "negative",
        "prices.cps.high_bp": "bounds_reversed",
        "outcome.sale_bp": "bounds_reversed",
        "outcome.margin": "negative",
        "contact_required.0": "not_allowed_value",
        "example_contact.hat": "not_allowed_value",
    }  # fmt: skip


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_of_operators_who_change_one_vertical_at_once_a_single_one_is_heard(market: Market, method: str) -> None:
    operator = market.make_operator()
    if method == "PUT":
        operator.post("/verticals", SMALL)
    path = "/verticals" if method == "POST" else "/verticals/garden"
    bodies = [SMALL | {"version": 2, "dedupe_days": 40 + number} for number in range(8)]
    answers = at_once([lambda body=body: operator.request(method, path, body) for body in bodies])
    codes = sorted(answer.status_code for answer in answers)
    assert codes == [{"POST": 201, "PUT": 200}[method]] + [409] * 7, [answer.text for answer in answers]
    assert len(versions_of(get_vertical("garden")[0])) == (1 if method == "POST" else 2)


def test_a_change_that_commits_after_our_look_is_seen(market: Market, database_url: str) -> None:
    with transaction():
        apply_vertical(Vertical.load(SMALL), START)
    with pytest.raises(Conflict, match="send yours as 6"), transaction():
        seen = db.session.scalars(select(VerticalRow).where(VerticalRow.slug == "garden")).one()
        ask(database_url, "UPDATE marketplace.verticals SET definition = jsonb_set(definition, '{version}', '5'),"
                          " book_version = book_version + 1 WHERE slug = 'garden' RETURNING id")  # fmt: skip
        apply_vertical(Vertical.load(SMALL | {"version": 2}), START)
    assert seen is not None  # a session forgets rows that nobody holds


def test_two_operators_do_not_overwrite_each_other(market: Market) -> None:
    with transaction():
        apply_vertical(Vertical.load(SMALL), START, "first")
    with pytest.raises(Conflict, match="send yours as 2"), transaction():
        apply_vertical(Vertical.load(SMALL | {"dedupe_days": 10}), START, "second")
