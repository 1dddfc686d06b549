"""The fields of a lead that a file's columns may fill, and which column each is likely to be, by its name."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal, NamedTuple, get_args

from marketplace.catalog.definition import CONTACT_FIELDS
from marketplace.catalog.verticals import Vertical
from marketplace.leads.submission import Channel, Interest

Group = Literal["person", "where", "consent", "asked", "more"]
Kind = Literal["text", "words", "boolean", "instant", "date", "region"]


class Target(NamedTuple):
    """One field: its path in a lead, the kind of its value, the words it knows, and what an attribute is called."""

    path: str
    group: Group
    kind: Kind = "text"
    words: tuple[str, ...] = ()
    label: str = ""


# How the dates of a file may be written, in `strptime` letters, ISO 8601 with a zone apart. The first that fits counts.
DATE_FORMATS = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d", "%d/%m/%Y %H:%M:%S",
                "%d/%m/%Y %H:%M", "%d/%m/%Y", "%m/%d/%Y %H:%M:%S", "%m/%d/%Y %H:%M", "%m/%d/%Y", "%d.%m.%Y %H:%M:%S",
                "%d.%m.%Y %H:%M", "%d.%m.%Y", "%d-%m-%Y %H:%M", "%d-%m-%Y")  # fmt: skip
_PERSON = ("email", "phone", "first_name", "last_name")
_KINDS: dict[str, Kind] = {"enum": "words", "boolean": "boolean", "date": "date"}
# Names of columns in files of several countries, as `_plain` leaves them.
_SYNONYMS = {
    "region": "region country pays land pais paese state province provincia departement",
    "contact.email": "email mail emailaddress courriel adressemail correo correoelectronico emailadresse",
    "contact.phone": "phone phonenumber telephone tel mobile mobilephone portable telefon telefono telefoon handy cell",
    "contact.first_name": "firstname prenom vorname nombre voornaam givenname nome name fullname",
    "contact.last_name": "lastname surname nom nachname apellido apellidos achternaam familyname cognome",
    "contact.postal_code": "postalcode postcode zip zipcode codepostal cp plz codigopostal cap",
    "contact.city": "city town ville stadt ciudad stad citta",
    "contact.address": "address street adresse rue strasse direccion adres",
    "contact.language": "language langue sprache idioma taal",
    "contact.company": "company societe entreprise firma empresa bedrijf organisation organization",
    "contact.position": "position jobtitle poste fonction",
    "contact.profile_url": "profile profileurl linkedin",
    "contact.best_time": "besttime besttimetocall rappel",
    "consent.text": "consent consenttext consentement einwilligung",
    "consent.given_at": "consentat consentdate consentgivenat optinat optindate date createdat submittedat timestamp "
    "createdtime datecreation created",
    "consent.ip": "ip ipaddress adresseip",
    "consent.page_url": "pageurl url landingpage page",
    "external_id": "id externalid leadid reference ref",
    "comments": "comments comment message notes remarque commentaire",
    "source.click_id": "clickid gclid fbclid",
    "channel": "channel canal kanal medium",
    "interest": "interest",
}  # fmt: skip


def targets_of(vertical: Vertical) -> list[Target]:
    """List the fields that a file may fill for a vertical, in the order in which people think of them."""
    contact = [Target(f"contact.{name}", "person" if name in _PERSON else "more") for name in CONTACT_FIELDS]
    asked = [
        Target(f"attributes.{one.name}", "asked", _KINDS.get(one.type, "text"), one.values, one.label)
        for one in vertical.fields
    ]
    return [
        *sorted(contact, key=lambda one: _rank(one.path)), Target("region", "where", "region"),
        Target("consent.text", "consent"), Target("consent.given_at", "consent", "instant"),
        Target("consent.page_url", "consent"), Target("consent.ip", "consent"), *asked,
        Target("external_id", "more"), Target("comments", "more"),
        Target("channel", "more", "words", get_args(Channel)), Target("interest", "more", "words", get_args(Interest)),
        Target("source.click_id", "more"), Target("source.sub.1", "more"), Target("source.sub.2", "more"),
    ]  # fmt: skip


def _rank(path: str) -> int:
    name = path.rpartition(".")[2]
    return _PERSON.index(name) if name in _PERSON else len(_PERSON)


def guesses(targets: Sequence[Target], header: Sequence[str]) -> dict[str, str]:
    """Guess the column of each field by its name, each column once; fields that no column seems to be are left out."""
    plain = {name: _plain(name) for name in header}
    found: dict[str, str] = {}
    for target in targets:
        known = _names_of(target)
        fits = [name for name in header if plain[name] in known and name not in found.values()]
        if fits:
            found[target.path] = min(fits, key=lambda name: known.index(plain[name]))
    return found


def _names_of(target: Target) -> list[str]:
    own = target.path.rpartition(".")[2]
    return [_plain(target.path), _plain(own), _plain(target.label), *_SYNONYMS.get(target.path, "").split()]


def _plain(name: str) -> str:
    letters = unicodedata.normalize("NFKD", name.casefold())
    return re.sub(r"[\W_]", "", "".join(letter for letter in letters if not unicodedata.combining(letter)))


def date_format_of(samples: Sequence[str]) -> str:
    """Tell how dates are written by some of them; empty when they are ISO 8601 with a zone, or no dates at all."""
    return next((one for one in DATE_FORMATS if samples and all(_fits(text, one) for text in samples)), "")


def _fits(text: str, pattern: str) -> bool:
    try:
        datetime.strptime(text, pattern)  # noqa: DTZ007  # only its shape is asked
    except ValueError:
        return False
    return True


def by_path(targets: Sequence[Target]) -> Mapping[str, Target]:
    """Return the fields by their paths."""
    return {target.path: target for target in targets}
