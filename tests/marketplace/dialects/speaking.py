"""One person's lead in the words of each dialect, posted over HTTP to a registered source."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from lxml import etree
from werkzeug.test import TestResponse

from tests.factories import Market, Member

_numbers = itertools.count(1)


@dataclass(frozen=True)
class Source:
    """A registered source and its credentials."""

    member: Member
    id: str
    path: str
    credentials: dict[str, str]

    def send(self, method: str = "POST", ending: str = "", **request: Any) -> TestResponse:
        """Send a request to the source's address."""
        return self.member.app.test_client().open(self.path + ending, method=method, **request)


def register(publisher: Member, dialect: str, **changes: Any) -> Source:
    """Register a source for leads from France whose consent the form asked for."""
    body = {"dialect": dialect, "name": f"{dialect} forms", "vertical": "education", "region": "FR-IDF",
            "consent_text": "Yes, schools may call me."}  # fmt: skip
    made = publisher.post("/sources", body | changes)
    return Source(publisher, made["id"], "/in/" + made["url"].partition("/in/")[2], made["credentials"])


def make_source(market: Market, dialect: str, **changes: Any) -> Source:
    """Register a source of a new publisher."""
    return register(market.make_publisher(), dialect, **changes)


def fields_of(dialect: str, person: str, **changes: str) -> dict[str, str]:
    """Write the fields of one lead as the dialect names them; an ADF document is one field."""
    said = (
        dict(zip(_NAMES[dialect], ("Ada", "Martin", person, "+33199001234", "75011", "Paris"), strict=True)) | changes
    )
    return {"adf": adf_of(**said)} if dialect == "adf" else said


def adf_of(**parts: str) -> str:
    """Write an ADF document of one person."""
    contact = "".join(f"<{name}>{text}</{name}>" for name, text in parts.items() if name in ("email", "phone"))
    names = "".join(f'<name part="{part}">{parts[part]}</name>' for part in ("first", "last") if part in parts)
    address = "".join(f"<{name}>{text}</{name}>" for name, text in parts.items() if name in ("city", "postalcode"))
    return (f"<?adf version=\"1.0\"?><adf><prospect><customer><contact>{names}{contact}<address>{address}</address>"
            "</contact></customer></prospect></adf>")  # fmt: skip


_NAMES = {
    "leadspedia": ("first_name", "last_name", "email_address", "phone_home", "zip_code", "city"),
    "leadprosper": ("first_name", "last_name", "email", "phone", "zip_code", "city"),
    "leadexec": ("FirstName", "LastName", "Email", "Phone", "PostalCode", "City"),
    "leadbyte": ("firstname", "lastname", "email", "phone1", "postcode", "towncity"),
    "adf": ("first", "last", "email", "phone", "postalcode", "city"),
    "boberdoo": ("First_Name", "Last_Name", "Email", "Primary_Phone", "Zip", "City"),
}
TEST_FLAG = {"leadspedia": {"lp_test": "1"}, "leadprosper": {"lp_action": "test"}, "leadbyte": {"testmode": "yes"},
             "boberdoo": {"Test_Lead": "1"}}  # fmt: skip


def a_person() -> str:
    """Return an e-mail address that no other lead of this run has."""
    return f"somebody{next(_numbers)}@example.com"


def phone_of(dialect: str) -> str:
    """Name the dialect's field of the phone."""
    return _NAMES[dialect][3]


def post(source: Source, dialect: str, person: str, **changes: str) -> TestResponse:
    """Post one lead as a form, with the source's credentials."""
    phone = {phone_of(dialect): f"+331990{next(_numbers):05}"}
    return source.send(data=source.credentials | fields_of(dialect, person, **phone) | changes)


def elements(response: TestResponse) -> dict[str, str]:
    """Read a flat XML answer."""
    assert response.content_type == "text/xml; charset=utf-8"
    return {one.tag: "".join(one.itertext()).strip() for one in etree.fromstring(response.data)}


Reader = Callable[[TestResponse], dict[str, Any]]
