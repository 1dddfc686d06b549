"""What verticals and countries are called where somebody chooses one, and how the market is found without an account."""

from flask import Flask
from lxml import html

from tests.factories import Market
from tests.marketplace.market_days import count, make_trade
from tests.marketplace.test_portal_pages import visitor_of
from tests.visitor import Visitor


def chosen_from(reader: Visitor, path: str, language: str, field: str = "vertical") -> list[str]:
    """Return the words of a choice on a page."""
    page = reader.open(path, Accept_Language=language)
    assert page.status_code == 200, page.text
    return [word.strip() for word in html.fromstring(page.text).xpath(f"//select[@name='{field}']/option/text()")]


def test_a_vertical_is_chosen_by_its_name_in_the_readers_language(market: Market) -> None:
    publisher, buyer = (visitor_of(market, market.make(kind)) for kind in ("publisher", "buyer"))
    for reader, path in (
        (publisher, "/market/now"), (publisher, "/publisher/upload"), (publisher, "/publisher/sources/rules"),
        (publisher, "/publisher/sources/new"), (buyer, "/buyer/briefs/new"),
    ):  # fmt: skip
        assert "Formation" in chosen_from(reader, path, "fr"), path
        names = chosen_from(reader, path, "en")
        assert "Education" in names and names == sorted(names, key=str.casefold), path


def test_a_country_is_called_as_the_reader_calls_it(market: Market) -> None:
    publisher = market.make_publisher()
    make_trade(market).post(2, region="BE")
    count(market.clock.now())
    reader, path = visitor_of(market, publisher), "/market/now?vertical=education"
    assert "Belgium" in chosen_from(reader, path, "en", "region")
    assert "België" in chosen_from(reader, path, "nl", "region")


def test_the_first_page_leads_to_the_market_on_a_phone_too(app: Flask) -> None:
    assert Visitor(app).read("/").xpath("//main//a[@href='/market']")
