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
