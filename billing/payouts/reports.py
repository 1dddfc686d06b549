"""A bank's report on a file of payouts, ISO 20022 pain.002 of any version, read as lines of results.

What it says of single payments counts; where it says nothing of them, what it says of their batch or of the whole file.
"""

from collections.abc import Iterator
from xml.etree import ElementTree as ET

from billing.payouts.sheets import MOST_BYTES, MOST_LINES, Told, told_of

_SPACE = "urn:iso:std:iso:20022:tech:xsd:pain.002."


def is_report(raw: bytes) -> bool:
    """Tell whether this is XML rather than a sheet."""
    return raw.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"<"


def read_report(raw: bytes) -> tuple[list[Told], str]:
    """Read a report; return its lines, and what is wrong with it as a whole, empty when nothing is.

    The reference of a line that is about a whole file is the file's.
    """
    if len(raw) > MOST_BYTES:
        return [], "Send less than 4 MB at once."
    if b"<!DOCTYPE" in raw or b"<!ENTITY" in raw:
        return [], "Send a report without a document type."
    try:
        root = ET.fromstring(raw)  # noqa: S314  # it has no document type, so no entities, and is small
    except (ET.ParseError, ValueError, LookupError):
        return [], "Send XML that can be read."
    report = next(iter(root), None)
    if not root.tag.startswith(f"{{{_SPACE}") or report is None:
        return [], "Send a pain.002: this is other XML."
    told = list(_lines(report))
    if not told or len(told) > MOST_LINES:
        return [], f"Send a report that says what became of something, in at most {MOST_LINES} lines."
    return told, ""


def _lines(report: ET.Element) -> Iterator[Told]:
    number = 0
    whole = _find(report, "OrgnlGrpInfAndSts")
    for batch in _all(report, "OrgnlPmtInfAndSts"):
        for payment in _all(batch, "TxInfAndSts"):
            number += 1
            yield _told(number, payment, "OrgnlEndToEndId", "TxSts")
        if not _all(batch, "TxInfAndSts") and _text(batch, "PmtInfSts"):
            number += 1
            yield _told(number, batch, "OrgnlPmtInfId", "PmtInfSts")
    if not number and whole is not None and _text(whole, "GrpSts"):
        yield _told(1, whole, "OrgnlMsgId", "GrpSts")


def _told(number: int, node: ET.Element, reference: str, status: str) -> Told:
    why = next((part for part in _all(node, "StsRsnInf")), None)
    code = _find(why, "Rsn") if why is not None else None
    words = [_text(code, "Cd") or _text(code, "Prtry")] if code is not None else []
    words += [one.text or "" for one in _all(why, "AddtlInf")] if why is not None else []
    return told_of(number, _text(node, reference), _text(node, status), " ".join(words).strip(), "")


def _all(node: ET.Element, name: str) -> list[ET.Element]:
    return [one for one in node if one.tag.rpartition("}")[2] == name]


def _find(node: ET.Element, name: str) -> ET.Element | None:
    return next(iter(_all(node, name)), None)


def _text(node: ET.Element, name: str) -> str:
    found = _find(node, name)
    return (found.text or "").strip() if found is not None else ""
