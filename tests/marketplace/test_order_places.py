"""Orders that buy by postal code and around a place: what they may say, what they get, and why they do not."""

import lzma
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from core.db import db, transaction
from core.errors import Invalid
from marketplace.catalog.places import cities_like, find_city, kilometres
from marketplace.catalog.places.centres import keep_centres, read_centres
from marketplace.catalog.places.cities import FILE, plain
from marketplace.catalog.places.make import make
from marketplace.catalog.postal import MOST_FAULTS, MOST_PREFIXES, folded, read_prefixes
from marketplace.leads.desk import desk
from tests.conftest import START
from tests.factories import Market, Member
from tests.marketplace.test_buyer_orders import faults, form_of, only_order, send
from tests.marketplace.test_portal_pages import visitor_of

PARIS, LYON = (48.8534, 2.3488), (45.7491, 4.8479)


def codes(answer: Any) -> set[tuple[str, str]]:
    assert answer.status_code == 422, answer.text
    return {(each["field"], each["code"]) for each in answer.json["errors"]}


def ordered(buyer: Member, **terms: Any) -> Any:
    body = {"name": "an order", "vertical": "education", "price": {"amount": "20.00", "currency": "EUR"}}
    return buyer.request("POST", "/orders", body | terms)


def why_of(market: Market, lead: Any) -> str:
    [one] = market.make_operator().get(f"/leads/{lead['id']}/why")["items"]
    return str(one["detail"])


@pytest.fixture
def buyer(market: Market) -> Member:
    return market.make_buyer()


def test_prefixes_are_folded_to_what_none_of_them_covers() -> None:
    lines = ["75011", "FR:75", "fr 75", " 69* ", "", "NL:1012-ab", "es:28001", "ES 28"]
    assert read_prefixes(lines, "FR") == (("ES:28", "FR:69", "FR:75", "NL:1012AB"), [])
    assert folded(["FR:7", "FR:75", "FR:8", "FR:7"]) == ("FR:7", "FR:8")


def test_every_rubbish_line_is_named_with_its_number_and_what_is_wrong() -> None:
    kept, found = read_prefixes(["75", "7500x", "lead@example.com", "XX:1", "123456", "FR:"], "FR")
    assert kept == ("FR:75",)
    assert [(each.field, each.code, each.message.split(":")[0]) for each in found] == [
        ("postal_prefixes.1", "bad_prefix", "Line 2"), ("postal_prefixes.2", "bad_prefix", "Line 3"),
        ("postal_prefixes.3", "unknown_region", "Line 4"), ("postal_prefixes.4", "bad_prefix", "Line 5"),
        ("postal_prefixes.5", "bad_prefix", "Line 6"),
    ]  # fmt: skip
    assert {each.code for each in read_prefixes(["75"], None)[1]} == {"country_needed"}


def test_fifty_thousand_lines_with_rubbish_are_answered_with_a_hundred_sentences_and_a_count() -> None:
    lines = [f"{number:05}" if number % 5 else "rubbish!" + str(number) for number in range(MOST_PREFIXES)]
    kept, found = read_prefixes(lines, "FR")
    assert len(kept) == 40_000 and len(found) == MOST_FAULTS + 1 and found[-1].message.startswith("10000 lines")
    assert [each.code for each in read_prefixes(["75"] * (MOST_PREFIXES + 1), "FR")[1]] == ["too_many"]


def test_an_order_buys_only_the_postal_codes_it_lists(market: Market, buyer: Member) -> None:
    placed = ordered(buyer, regions=["FR"], postal_prefixes=["75011", "75", "69 0"])
    assert placed.json["postal_prefixes"] == ["FR:690", "FR:75"]
    publisher = market.make_publisher()
    statuses = [
        publisher.post("/leads", market.lead(contact={"email": f"a{number}@example.com", "postal_code": code}))[
            "status"
        ]
        for number, code in enumerate(["75020", "690 03", "69100", "7", "ZZ75011"])
    ]
    assert statuses == ["sold", "sold", "unsold", "unsold", "unsold"]
    lead = publisher.post("/leads", market.lead(contact={"email": "b@example.com"}))
    assert lead["status"] == "unsold" and "The lead has no postal code" in why_of(market, lead)


def test_fifty_thousand_prefixes_are_kept_and_obeyed(market: Market, buyer: Member) -> None:
    placed = ordered(buyer, regions=["FR"], postal_prefixes=[f"{number:05}" for number in range(0, 100_000, 2)])
    assert placed.status_code == 201 and len(placed.json["postal_prefixes"]) == 50_000
    publisher = market.make_publisher()
    for code, status in (("75012", "sold"), ("75011", "unsold")):
        contact = {"email": f"c{code}@example.com", "postal_code": code}
        assert publisher.post("/leads", market.lead(contact=contact))["status"] == status


def test_cities_are_found_by_their_names_in_other_languages() -> None:
    assert find_city("AT", "Wien") == find_city("AT", "vienna") and find_city("AT", "Wien") is not None
    assert plain("Besançon") == plain("BESANCON") and find_city("FR", "besancon") is not None
    assert find_city("FR", "Lyonn") is None and cities_like("FR", "Lyonn")[0].name == "Lyon"
    assert find_city("US", "Springfield") is None and len(cities_like("US", "Springfield")) == 3
    assert kilometres(PARIS, LYON) == pytest.approx(392, abs=2)


def test_the_list_of_cities_is_of_a_size_that_a_process_can_hold() -> None:
    assert FILE.stat().st_size < 2_000_000 and find_city("FR", "Paris") is not None


def test_an_order_buys_within_its_circle_and_says_how_far_the_others_live(market: Market, buyer: Member) -> None:
    placed = ordered(buyer, radius={"place": "lyon", "country": "FR", "km": 30})
    assert placed.json["radius"] == {
        "place": "Lyon",
        "country": "FR",
        "km": 30,
        "latitude": LYON[0],
        "longitude": LYON[1],
    }
    publisher = market.make_publisher()
    near = publisher.post("/leads", market.lead(contact={"email": "a@example.com", "city": "Villeurbanne"}))
    far = publisher.post("/leads", market.lead(contact={"email": "b@example.com", "city": "PARIS"}))
    nobody_knows = publisher.post(
        "/leads", market.lead(contact={"email": "c@example.com", "city": "Nowhere-les-Bains"})
    )
    assert [each["status"] for each in (near, far, nobody_knows)] == ["sold", "unsold", "unsold"]
    assert why_of(market, far) == "The lead lives 393.2 km away; the order asks for 30 km around Lyon."
    assert "Nobody knows where the lead lives" in why_of(market, nobody_knows)


def test_a_lead_lives_in_the_middle_of_its_postal_code_whatever_city_it_names(market: Market, buyer: Member) -> None:
    ordered(buyer, radius={"place": "Lyon", "country": "FR", "km": 5})
    publisher = market.make_publisher()
    lead = market.lead(contact={"email": "a@example.com", "postal_code": "01000", "city": "Paris"})
    before = publisher.post("/leads", lead)
    with transaction():
        keep_centres(
            read_centres(["country,postal_code,latitude,longitude", f"FR,01 000,{LYON[0]},{LYON[1]}"]), "me", START
        )
    lead["contact"]["email"] = "b@example.com"
    after = publisher.post("/leads", lead)
    assert (before["status"], after["status"]) == ("unsold", "sold")
    assert "393.2 km away" in why_of(market, before)  # as it was judged, not as one would judge it now


def test_a_circle_around_a_place_that_nobody_knows_is_refused_with_what_may_be_meant(buyer: Member) -> None:
    refused = ordered(buyer, radius={"place": "Lyonn", "country": "FR", "km": 30})
    assert codes(refused) == {("radius.place", "unknown_place")}
    assert "Did you mean Lyon (45.7491, 4.8479)?" in refused.json["errors"][0]["message"]
    assert codes(ordered(buyer, radius={"place": "Lyon", "km": 30})) == {("radius.country", "country_needed")}
    assert codes(ordered(buyer, radius={"place": "Lyon", "country": "FR-IDF", "km": 0})) == {
        ("radius.country", "unknown_region"), ("radius.km", "out_of_range")}  # fmt: skip
    assert codes(ordered(buyer, radius={"place": "x", "km": 3, "latitude": 1.0})) == {("radius.longitude", "required")}
    assert codes(ordered(buyer, radius={"place": "x", "km": 3, "latitude": 91, "longitude": 200})) == {
        ("radius.latitude", "out_of_range"), ("radius.longitude", "out_of_range")}  # fmt: skip
    assert buyer.get("/orders")["items"] == []


def test_a_circle_stays_where_it_is_when_something_else_is_changed(buyer: Member) -> None:
    centre = {"place": "Our shop", "country": "FR", "km": 12, "latitude": 45.1, "longitude": 5.7}
    placed = ordered(buyer, radius=centre).json
    changed = buyer.request("PATCH", f"/orders/{placed['id']}", {"name": "other"}).json
    assert changed["radius"] == centre and changed["version"] == 2


def test_places_are_imported_line_by_line_and_bad_lines_are_told(market: Market, tmp_path: Path) -> None:
    read = read_centres(["\ufeffPostal_Code,Country,Latitude,Longitude,Name", "75001,FR,48.86,2.34,Paris",
                         "75001,FR,48.88,2.36,Paris", "x@,FR,1,1,", "75002,XX,1,1,", "75003,FR,91,1,", "75004,FR,a,1,"])  # fmt: skip
    assert dict(read.reasons) == {"bad_format": 2, "unknown_region": 1, "out_of_range": 1}
    assert [fault["line"] for fault in read.faults] == [4, 5, 6, 7]
    with transaction():
        row = keep_centres(read, "me", START)
        assert (row.lines, row.kept, row.countries) == (6, 1, ["FR"])
    with transaction() as session:
        assert [tuple(each) for each in session.execute(db.text("SELECT * FROM marketplace.postal_centres"))] == [
            ("FR:75001", 48.87, 2.35)]  # fmt: skip
    for lines in ([], ["country,postal_code"], ["country,postal_code,latitude,longitude", "x,y,z,w"]):
        with pytest.raises(Invalid):
            read_centres(lines)


def test_an_import_of_one_endless_cell_is_refused() -> None:
    with pytest.raises(Invalid) as refused:
        read_centres(["country,postal_code,latitude,longitude", '"' + "7" * 200_000])
    assert [fault.code for fault in refused.value.faults] == ["bad_format"]


def test_an_import_of_a_country_replaces_it_and_leaves_the_others(market: Market) -> None:
    head = "country,postal_code,latitude,longitude"
    for lines in ([head, "FR,1,1,1", "BE,2,2,2"], [head, "FR,3,3,3"]):
        with transaction():
            keep_centres(read_centres(lines), "me", START)
    with transaction() as session:
        assert sorted(session.scalars(db.text("SELECT code FROM marketplace.postal_centres"))) == ["BE:2", "FR:3"]


def test_books_without_circles_know_no_places(market: Market, buyer: Member) -> None:
    ordered(buyer)
    live = desk().intake.books.find("education")
    assert live is not None and not live.book.asks_places and live.centres.points == {}


def test_places_go_through_the_form_as_they_are(market: Market, buyer: Member) -> None:
    visitor = visitor_of(market, buyer)
    answer = send(visitor, "/buyer/orders/new?vertical=education", name="Lyon", price="20.00", regions="FR",
                  postal_prefixes="69\r\n\r\n38", radius_place="Lyon", radius_country="fr", radius_km="30")  # fmt: skip
    assert answer.status_code == 302, faults(answer)
    order = only_order(buyer)
    assert order["postal_prefixes"] == ["FR:38", "FR:69"] and order["radius"]["latitude"] == LYON[0]
    path = f"/buyer/orders/{order['id']}"
    assert send(visitor, path).status_code == 302 and only_order(buyer)["version"] == 1
    shown = form_of(visitor.read(path))
    assert shown["radius_km"] == ["30"] and shown["postal_prefixes"][0].split() == ["FR:38", "FR:69"]
    answer = send(visitor, path, radius_place="Atlantis", radius_latitude="", radius_longitude="", radius_km="x",
                  postal_prefixes="69\nrubbish!\n75")  # fmt: skip
    said = " ".join(faults(answer))
    assert "No single city of FR" in said and "Write a whole number" in said and "Line 2: 'RUBBISH!'" in said


def test_a_file_of_codes_replaces_what_is_typed(market: Market, buyer: Member) -> None:
    visitor = visitor_of(market, buyer)
    file = (BytesIO(b"\xef\xbb\xbfcountry,postal_code\nFR,75\nBE,1000\n69,\n"), "codes.csv")
    answer = send(visitor, "/buyer/orders/new?vertical=education", name="x", price="20", postal_prefixes="1",
                  regions="FR", postal_file=file)  # fmt: skip
    assert answer.status_code == 302, faults(answer)
    assert only_order(buyer)["postal_prefixes"] == ["BE:1000", "FR:69", "FR:75"]


def test_the_file_of_cities_can_be_made_again(tmp_path: Path) -> None:
    source = tmp_path / "cities.json"
    source.write_text('{"1": {"geonameid": 1, "name": "Wien", "countrycode": "AT", "latitude": 48.20849, "longitude": 16.4,'
                      ' "population": 60000, "alternatenames": ["Vienna", "\\u0412\\u0438\\u0435\\u043d\\u0430"]}}')  # fmt: skip
    assert lzma.decompress(make(source)).decode() == "AT\tWien\t48.2085\t16.4000\t60000\tvienna\n"


def test_fifty_thousand_lines_may_be_typed_and_come_back(market: Market, buyer: Member) -> None:
    visitor, typed = visitor_of(market, buyer), "\r\n".join(f"{number:05}" for number in range(0, 100_000, 2))
    answer = send(
        visitor, "/buyer/orders/new?vertical=education", name="x", price="20", regions="FR", postal_prefixes=typed
    )
    assert answer.status_code == 302, answer.status_code
    order = only_order(buyer)
    assert len(order["postal_prefixes"]) == 50_000
    again = send(visitor, f"/buyer/orders/{order['id']}")
    assert again.status_code == 302, faults(again)[:3]
    assert only_order(buyer)["version"] == 1
