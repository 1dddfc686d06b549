"""A key that is made while its account is being suspended: it sleeps with the account, and no request fails for it."""

from concurrent.futures import ThreadPoolExecutor

import psycopg

from core.ids import parse_id
from tests.at_once import ask, wait_until
from tests.factories import Market, Member

WAITING = "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
STAND = "UPDATE core.accounts SET standing = %s WHERE id = %s"


def test_a_key_made_while_its_account_is_suspended_sleeps_with_it(market: Market, database_url: str) -> None:
    publisher = market.make_publisher()
    publisher.get("/keys")  # so that the day of the key's last use is written already
    account = parse_id("acc", publisher.id)
    with psycopg.connect(database_url) as suspending, ThreadPoolExecutor(1) as elsewhere:
        suspending.execute(STAND, ("suspended", account))
        asked = elsewhere.submit(publisher.post, "/keys", {"name": "late"})
        wait_until(lambda: ask(database_url, WAITING))
        suspending.commit()
        late = Member(market.app, publisher.id, asked.result(300)["api_key"])
    assert late.request("GET", "/keys").status_code == 401
    with psycopg.connect(database_url) as reviving:
        reviving.execute(STAND, ("active", account))
    assert next(key["name"] for key in late.get("/keys")["items"]) == "late"
