"""The templates that come with the program: how well-known systems take a lead and answer, one YAML file each."""

from functools import cache
from pathlib import Path

import msgspec
import yaml
from msgspec import Struct

from core.schemas import convert
from marketplace.leads.delivery.answers import AnswerRules
from marketplace.leads.delivery.bodies import BodyFormat
from marketplace.leads.delivery.mapping import Fields
from marketplace.leads.delivery.settings import HttpDelivery, Method

FOLDER = Path(__file__).parent / "dialects"


class Dialect(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How one system takes a lead: `pages` document it, `url` shows the form of its address.

    `asks` names the fields whose values only the buyer has, and says what they are.
    """

    title: str
    pages: tuple[str, ...]
    url: str
    notes: str = ""
    method: Method = "POST"
    format: BodyFormat = "form"
    root: str = "lead"
    asks: dict[str, str] = {}
    headers: dict[str, str] = {}
    fields: Fields
    answer: AnswerRules


@cache
def dialects() -> dict[str, Dialect]:
    """Return the templates that come with the program, by name."""
    return {path.stem: _read(path) for path in sorted(FOLDER.glob("*.yaml"))}


def completed(settings: HttpDelivery) -> HttpDelivery:
    """Return the settings with what their template says in place; KeyError for an unknown template."""
    if settings.template is None:
        return settings
    ready = dialects()[settings.template]
    return msgspec.structs.replace(
        settings,
        method=settings.method or ready.method,
        format=settings.format or ready.format,
        root=settings.root or ready.root,
        headers={**ready.headers, **settings.headers},
        fields={**ready.fields, **settings.fields},
        answer=settings.answer or ready.answer,
    )


def _read(path: Path) -> Dialect:
    return convert(yaml.safe_load(path.read_text(encoding="utf-8")), Dialect)
