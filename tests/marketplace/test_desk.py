"""The desk is set up in the middle of whatever request comes first, and disturbs nothing of it."""

from flask import Flask

from tests.factories import Market


def test_the_first_request_of_a_process_may_be_any_request(app: Flask, market: Market) -> None:
    publisher, buyer = market.make_publisher(), market.make_buyer()
    market.make_order(buyer)
    lead = publisher.post("/leads", market.lead())

    for member, path in [
        (publisher, f"/leads/{lead['id']}"),
        (publisher, f"/leads/{lead['id']}/why"),
        (buyer, "/sales"),
    ]:
        shown = member.get(path)
        app.extensions.pop("leadbourse_desk")
        assert member.get(path) == shown


def test_the_first_request_of_a_process_may_be_one_that_writes(app: Flask, market: Market) -> None:
    publisher, buyer = market.make_publisher(), market.make_buyer()
    market.make_order(buyer)
    [sale] = publisher.post("/leads", market.lead())["sales"]
    app.extensions.pop("leadbourse_desk")

    dispute = buyer.post(f"/sales/{sale['id']}/disputes", {"reason": "bot", "note": "It wrote nonsense."})

    assert dispute["state"] == "open"
    assert buyer.get(f"/sales/{sale['id']}")["state"] == "disputed"


def test_the_first_request_of_a_process_may_be_a_refused_one(app: Flask, market: Market) -> None:
    publisher = market.make_publisher()
    app.extensions.pop("leadbourse_desk", None)

    assert publisher.request("POST", "/leads", {"vertical": "education"}).status_code == 400
