"""What docs/deliveries.md shows works."""

import json
import re
from pathlib import Path

import pytest

from marketplace.leads.delivery.checks import delivery_faults
from marketplace.leads.delivery.formats import FORMATS
from marketplace.leads.delivery.mails import mail_of
from marketplace.leads.delivery.parcel import paths_in, plain_of
from marketplace.leads.delivery.ready import dialects
from marketplace.leads.delivery.requests import request_of
from marketplace.leads.delivery.settings import CsvDelivery, delivery_of
from marketplace.leads.delivery.sheets import csv_of
from tests.marketplace.delivery.parcels import example, make_parcel

PAGE = (Path(__file__).parents[3] / "docs" / "deliveries.md").read_text(encoding="utf-8")
EXAMPLES = [json.loads(text) for text in re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)]


@pytest.mark.parametrize("document", EXAMPLES, ids=lambda document: document["kind"])
def test_every_example_can_be_saved_and_sent(document) -> None:
    settings = delivery_of(document)

    assert delivery_faults(settings, example()) == []
    for parcel in (example(), make_parcel()):
        if isinstance(settings, CsvDelivery):
            assert csv_of(settings.columns, [parcel])
        elif document.get("to"):
            assert mail_of(settings, parcel).as_bytes()
        else:
            assert request_of(settings, parcel).body


def test_the_page_names_every_kind_format_template_and_field() -> None:
    own = {path for path in paths_in(plain_of(example())) if not path.startswith("attributes.")}
    named = [f"`{name}`" for name in ("webhook", "http", "adf", "email", "csv", "none", *FORMATS, *dialects())]
    named += [f"`{path}`" if not path.startswith(("contact.", "consent.")) else path.rpartition(".")[2] for path in own]

    assert len(EXAMPLES) >= 7
    assert [name for name in named if name not in PAGE] == []
    assert [ask for ready in dialects().values() for ask in ready.asks if f"`{ask}`" not in PAGE] == []
