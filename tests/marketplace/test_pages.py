"""The public pages answer, load nothing from elsewhere, and explain every refusal."""

import re

import pytest
from flask.testing import FlaskClient

from tests.factories import Market


@pytest.mark.parametrize("path", ["/", "/api/docs", "/docs/errors"])
def test_a_public_page_answers_and_keeps_a_strict_policy(client: FlaskClient, path: str) -> None:
    response = client.get(path)

    assert (response.status_code, response.mimetype) == (200, "text/html")
    assert "unsafe-inline" not in response.headers["Content-Security-Policy"]
    assert not re.search(r"""(?:src|href)=["'](?:https?:)?//""", response.text)


def test_the_type_of_a_problem_leads_to_its_explanation(client: FlaskClient, market: Market) -> None:
    problem = market.make_publisher().request("POST", "/leads", {"vertical": "education"}).json
    assert problem is not None
    page, _, anchor = problem["type"].partition("#")

    assert f'id="{anchor}"' in client.get(page).text


@pytest.mark.parametrize(
    ("method", "path", "status", "says"),
    [("GET", "/nothing-here", 404, "There is nothing at this address."),
     ("DELETE", "/login", 405, "use the links and buttons of the page")],
)  # fmt: skip
def test_a_refusal_says_in_our_own_words_what_to_do(
    client: FlaskClient, method: str, path: str, status: int, says: str
) -> None:
    page = client.open(path, method=method, headers={"Accept": "text/html"})
    assert (page.status_code, page.mimetype) == (status, "text/html") and says in page.text
    assert "spelling" not in page.text and "requested URL" not in page.text
    told = client.open(f"/api/v1{path}", method=method).json
    assert told is None or "requested URL" not in told["detail"]


def test_a_refusal_that_says_more_keeps_its_words(market: Market) -> None:
    refused = market.make_publisher().request("POST", "/leads", [1], Content_Type="text/plain")
    assert refused.json is not None and "application/json" in refused.json["detail"]
