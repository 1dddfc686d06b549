"""SEPA credit transfers as a bank takes them: an ISO 20022 customer credit transfer initiation, pain.001.001.09.

Names and words are written in the letters that every bank of SEPA takes. The same values give the same bytes.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from xml.etree import ElementTree as ET

from core.money import Money

NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"
MOST_NAME, MOST_WORDS = 70, 140
_OTHER = re.compile(r"[^A-Za-z0-9/\-?:().,'+ ]")
_SPELT = str.maketrans({
    "ß": "ss", "æ": "ae", "Æ": "AE", "ø": "o", "Ø": "O", "œ": "oe", "Œ": "OE", "ł": "l", "Ł": "L", "đ": "d", "Đ": "D",
    "ð": "d", "þ": "th", "\u0131": "i", "&": "+",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Debtor:
    """From which account is paid."""

    name: str
    iban: str
    bic: str


@dataclass(frozen=True, slots=True)
class Credit:
    """One payment: its reference from end to end, who gets it where, how much, and the words that go with it."""

    reference: str
    name: str
    iban: str
    bic: str
    minor: int
    words: str


@dataclass(frozen=True, slots=True)
class Order:
    """One file: by its reference a bank knows it again, and takes it once."""

    reference: str
    made_at: datetime
    on: date
    currency: str
    debtor: Debtor


def plain_words(text: str, most: int) -> str:
    """Write a text in the letters of SEPA: accents are left out, what has no like is a full stop."""
    letters = unicodedata.normalize("NFKD", text.translate(_SPELT))
    kept = "".join(each for each in letters if not unicodedata.combining(each))
    return " ".join(_OTHER.sub(".", kept).split())[:most].strip() or "-"


def write_order(order: Order, transfers: Sequence[Credit]) -> bytes:
    """Write the file."""
    ET.register_namespace("", NAMESPACE)
    root = ET.Element(f"{{{NAMESPACE}}}Document")
    top = _sub(root, "CstmrCdtTrfInitn")
    total = str(Money(sum(one.minor for one in transfers), order.currency))
    head = _sub(top, "GrpHdr")
    _sub(head, "MsgId", order.reference)
    _sub(head, "CreDtTm", order.made_at.strftime("%Y-%m-%dT%H:%M:%SZ"))
    _sub(head, "NbOfTxs", str(len(transfers)))
    _sub(head, "CtrlSum", total)
    _sub(_sub(head, "InitgPty"), "Nm", plain_words(order.debtor.name, MOST_NAME))
    batch = _batch(top, order, len(transfers), total)
    for one in transfers:
        _credit(batch, one, order.currency)
    ET.indent(root, " ")
    return bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True)) + b"\n"


def _batch(top: ET.Element, order: Order, count: int, total: str) -> ET.Element:
    batch = _sub(top, "PmtInf")
    _sub(batch, "PmtInfId", order.reference)
    _sub(batch, "PmtMtd", "TRF")
    _sub(batch, "BtchBookg", "false")  # so that the statement shows each payment with its reference
    _sub(batch, "NbOfTxs", str(count))
    _sub(batch, "CtrlSum", total)
    _sub(_sub(_sub(batch, "PmtTpInf"), "SvcLvl"), "Cd", "SEPA")
    _sub(_sub(batch, "ReqdExctnDt"), "Dt", order.on.isoformat())
    _sub(_sub(batch, "Dbtr"), "Nm", plain_words(order.debtor.name, MOST_NAME))
    _sub(_sub(_sub(batch, "DbtrAcct"), "Id"), "IBAN", order.debtor.iban)
    _sub(_sub(_sub(batch, "DbtrAgt"), "FinInstnId"), "BICFI", order.debtor.bic)
    _sub(batch, "ChrgBr", "SLEV")
    return batch


def _credit(batch: ET.Element, one: Credit, currency: str) -> None:
    credit = _sub(batch, "CdtTrfTxInf")
    named = _sub(credit, "PmtId")
    _sub(named, "InstrId", one.reference)
    _sub(named, "EndToEndId", one.reference)
    amount = _sub(_sub(credit, "Amt"), "InstdAmt", str(Money(one.minor, currency)))
    amount.set("Ccy", currency)
    if one.bic:
        _sub(_sub(_sub(credit, "CdtrAgt"), "FinInstnId"), "BICFI", one.bic)
    _sub(_sub(credit, "Cdtr"), "Nm", plain_words(one.name, MOST_NAME))
    _sub(_sub(_sub(credit, "CdtrAcct"), "Id"), "IBAN", one.iban)
    _sub(_sub(credit, "RmtInf"), "Ustrd", plain_words(one.words, MOST_WORDS))


def _sub(parent: ET.Element, name: str, text: str | None = None) -> ET.Element:
    made = ET.SubElement(parent, f"{{{NAMESPACE}}}{name}")
    made.text = text
    return made
