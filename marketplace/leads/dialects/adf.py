"""ADF 1.0, the format of leads between car sites and dealers: any make of it in, a short XML answer out.

After http://adfxml.info/adf_spec.pdf . The format says nothing of credentials and answers: the key comes in the
address, a header, or as the password of HTTP's basic sign-in; the answer is our own.
"""

from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Iterator

from core.errors import Malformed
from marketplace.leads.delivery.adf import Prospect, read_adf
from marketplace.leads.dialects.documents import write_xml
from marketplace.leads.dialects.parameters import body_of, query_of, text_at, texts
from marketplace.leads.dialects.posted import XML, Outcome, Posted, Reply, Request

_SAID = {"sold": "accepted", "test": "accepted", "unsold": "unsold", "rejected": "rejected", "duplicate": "duplicate"}
_ERRORS = {"stranger": "The key of this source is missing or unknown.", "closed": "This source is not active."}
_TESTS = ("test lead", "this is a test", "test: true")
_PHONES = ("cellphone", "voice", "pager", "fax")  # the likelier one to reach somebody first


def read(request: Request) -> Posted:
    """Read a document of one prospect, bare or in a field of a form; Malformed when there is none or there are several.

    A test is one whose comments say so, since the format has no word for it.
    """
    fields = _fields(request)
    prospects = read_adf(_document(request, fields))
    if len(prospects) != 1:
        raise Malformed("one_lead_only", "Send one prospect a request.")
    columns = dict(_columns(prospects[0]))
    is_test = columns.get("comments", "").strip().casefold().startswith(_TESTS)
    return Posted(columns, (), _key(request, fields), test=is_test)


def answer(outcome: Outcome, _form: str) -> Reply:
    """Answer what became of the lead, its id, what its publisher is paid, and every sentence that stands against it."""
    status = _SAID.get(outcome.kind, "error")
    said = [("status", status)]
    if status != "error":
        said += [("lead_id", outcome.lead_id), ("price", outcome.price)]
    sentences = [_ERRORS[outcome.kind]] if outcome.kind in _ERRORS else outcome.sentences()
    return Reply(write_xml("adfresponse", [*said, *(("message", text) for text in sentences)]), XML, outcome.status)


def _fields(request: Request) -> dict[str, str]:
    """Return the fields of a post that puts the document into a form; none for a bare one."""
    is_bare = not request.form and (b"<" in request.body[:4096] or b"\0" in request.body[:4])
    return {} if is_bare else texts(body_of(request))


def _document(request: Request, fields: dict[str, str]) -> bytes:
    if not fields:
        return request.body
    return next((text for text in fields.values() if "<" in text), "").encode("utf-8", "replace")


def _key(request: Request, fields: dict[str, str]) -> str:
    kind, _, said = request.headers.get("authorization", "").partition(" ")
    if kind.lower() == "bearer":
        return said.strip()
    if kind.lower() == "basic":
        try:
            return b64decode(said.strip(), validate=True).decode().partition(":")[2]
        except (NotBase64, ValueError):
            return ""
    said = text_at(query_of(request), "key") or fields.get("key") or request.headers.get("x-api-key", "")
    return said.strip()


def _columns(prospect: Prospect) -> Iterator[tuple[str, str]]:
    """Name what a prospect says; of what it says twice the first counts, as a later pair of a name would replace it."""
    contact, vehicle = prospect.customer.contact, next(iter(prospect.vehicles), None)
    for each in reversed(contact.names):
        yield "last_name" if each.part == "surname" else f"{each.part}_name", each.text
    if contact.email:
        yield "email", contact.email
    phones = sorted(contact.phones, key=lambda phone: (not phone.preferred, _PHONES.index(phone.type)))
    if phones:
        yield "phone", phones[0].text
        yield "best_time", "" if phones[0].time == "nopreference" else phones[0].time
    if address := contact.address:
        yield "street", ", ".join(part for part in (*address.street, address.apartment) if part)
        for name in ("city", "regioncode", "postalcode", "country"):
            yield name, getattr(address, name)
    if vehicle is not None:
        for name in vehicle.__struct_fields__:
            if isinstance(text := getattr(vehicle, name), str):
                yield name if name not in ("comments", "status") else f"vehicle_{name}", text
    yield "comments", "\n".join(text for text in (prospect.customer.comments, *prospect.notes) if text)
    yield "id", next((each.text for each in prospect.ids if each.text), "")
    yield "vendor", prospect.vendor.vendorname
    yield "provider", prospect.provider.name if prospect.provider else ""
    if prospect.requested_at is not None:
        yield "requestdate", prospect.requested_at.isoformat()
