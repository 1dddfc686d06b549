"""The numbers of the exchange stand in one place: the page is made from the data, and code that has its own agrees."""

from pathlib import Path
from typing import get_args

from click.testing import CliRunner

from affiliates import tier_terms
from core.defaults import default, defaults
from marketplace.catalog.definition import OWN_FIELDS
from marketplace.catalog.dispute_rules import dispute_rules
from marketplace.cli import leadbourse
from marketplace.cli.defaults_page import as_page
from marketplace.leads.contact_speed import SLA_KEYS
from marketplace.leads.delivery.outcomes import TRIES
from marketplace.leads.delivery.settings import DEFAULT_TIMEOUT_SECONDS
from marketplace.leads.submission import Interest
from marketplace.orders.terms import DEFAULT_SHARE, MAX_SHARE
from marketplace.resolved import NOT_BUILT, REACHES, reach_said
from tests.house.tree import files, text_of


def test_the_page_of_defaults_is_made_from_the_data() -> None:
    assert text_of(Path("docs/defaults.md")) == as_page(), "run: leadbourse defaults --markdown > docs/defaults.md"


def test_the_command_prints_every_setting_for_people_and_for_programs() -> None:
    shown = CliRunner().invoke(leadbourse, ["defaults"]).output
    assert [row.key for row in defaults().rows() if row.key not in shown] == []
    plain = CliRunner().invoke(leadbourse, ["defaults", "--json"]).output
    assert '"dispute.mistyped.window_hours"' in plain and '"seeds"' in plain
    assert CliRunner().invoke(leadbourse, ["defaults", "--markdown"]).output == as_page()


def test_numbers_that_deliveries_still_have_of_their_own_are_the_defaults() -> None:
    tries = next(row.value for row in defaults().rows() if row.key == "delivery.tries_seconds")
    assert list(TRIES) == tries
    assert default("delivery.timeout_seconds") == DEFAULT_TIMEOUT_SECONDS


def test_code_reads_its_numbers_from_the_defaults() -> None:
    assert tier_terms("new").share_bp == default("tier.new.share_bp")
    assert (default("share.buyers"), default("share.most_buyers")) == (DEFAULT_SHARE, MAX_SHARE)
    assert dispute_rules().reasons["mistyped"].window_hours == default("dispute.mistyped.window_hours")
    text = text_of(Path("marketplace/catalog/rules/disputes.yaml"))
    assert "window_hours: !default" in text and "window_hours: 7" not in text


def test_every_interest_has_a_time_to_the_first_contact() -> None:
    assert set(SLA_KEYS) == set(get_args(Interest))


def test_settings_with_a_field_of_their_own_exist() -> None:
    known = {row.key for row in defaults().rows()}
    assert set(OWN_FIELDS) <= known


def test_no_level_that_the_table_refuses_is_said_to_be_resolved() -> None:
    rows = list(defaults().rows())
    assert {row.key for row in rows} == set(REACHES)
    wrong = [
        (row.key, level)
        for row in rows
        for level, may in (("vertical", row.vertical != "no"), ("country", row.country), ("order", row.order))
        if level in REACHES[row.key].levels and not may
    ]
    assert wrong == []
    assert [row.key for row in rows if reach_said(row) == "" and not REACHES[row.key].why_not] == []


def test_what_is_said_not_to_be_built_is_read_nowhere() -> None:
    code = "".join(
        text_of(path) for path in files() if path.suffix in (".py", ".yaml")
        and path.parts[0] in ("core", "billing", "affiliates", "marketplace")
        and path.name not in ("defaults.yaml", "resolved.py") and "catalog/data" not in path.as_posix()
    )  # fmt: skip
    unbuilt = [key for key, reach in REACHES.items() if reach.why_not == NOT_BUILT]
    assert [key for key in unbuilt if f'"{key}"' in code or f"!default {key}" in code] == []
