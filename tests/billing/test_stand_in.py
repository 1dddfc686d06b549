"""The fake beside a service without a key: for this machine alone, and never where the public comes."""

from dataclasses import replace
from pathlib import Path

import pytest

from billing.stand_in import stand_in_for
from core.config import Settings


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0", "::", "::1", "192.168.7.5", "localhost"])
def test_it_listens_to_this_machine_alone_and_its_addresses_are_good(tmp_path: Path, host: str) -> None:
    told = stand_in_for(Settings(data_folder=tmp_path, host=host))

    assert told is not None
    assert told.command[told.command.index("--host") + 1] == "127.0.0.1"
    hook = told.command[told.command.index("--webhook-url") + 1].removesuffix("/webhooks/stripe")
    read = Settings.read(told.environment | {"LEADBOURSE_URL": hook})
    assert read.takes_cards and read.test_money


def test_a_public_service_without_a_key_takes_no_made_up_money(tmp_path: Path) -> None:
    public = Settings(data_folder=tmp_path, public_url="https://leads.example.com")

    assert stand_in_for(public) is None
    assert stand_in_for(replace(public, test_money=True)) is not None, "unless it says so in words"
    assert stand_in_for(replace(public, public_url="http://localhost:8000")) is not None
    assert stand_in_for(replace(public, public_url=None, stripe_secret_key="sk_live_x")) is None


def test_a_test_key_of_stripes_is_told_as_test_money() -> None:
    assert Settings.read({"STRIPE_SECRET_KEY": "sk_test_1"}).test_money
    assert not Settings.read({"STRIPE_SECRET_KEY": "sk_live_1"}).test_money
