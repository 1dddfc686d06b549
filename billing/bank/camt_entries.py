"""What the elements of a CAMT.053 statement mean: balances with their side, entries with their parts."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date

from billing.bank.lines import Entry, has_bank_reference, kept, mark_of
from core.money import Money

OPENING, CLOSING = ("OPBD", "PRCD"), ("CLBD",)
SIDES = {"CRDT": 1, "DBIT": -1}
NOT_FINAL = {"PDNG": "pending", "INFO": "information", "FUTR": "pending"}


class Faulty(Exception):
    """What is wrong with a statement: a code, and a sentence that says what to do."""

    def __init__(self, code: str, says: str) -> None:
        super().__init__(says)
        self.code, self.says = code, says


@dataclass(slots=True)
class Node:
    """An element with what is in it; of an entry `parts` counts the single payments and `size` all its elements."""

    name: str
    attributes: dict[str, str]
    text: str = ""
    children: list["Node"] = field(default_factory=list)
    parts: int = 0
    size: int = 0


@dataclass(slots=True)
class Told:
    """What a statement has told so far."""

    name: str = ""
    iban: str = ""
    currency: str = ""
    is_open: bool = False
    has_account: bool = False
    opening: int | None = None
    closing: int | None = None
    interim: int | None = None
    moved: int = 0


def find(node: Node | None, *path: str) -> Node | None:
    """Return the first element at the end of a path, None when there is none."""
    for name in path:
        node = next((one for one in node.children if one.name == name), None) if node else None
    return node


def text_of(node: Node | None, *path: str) -> str:
    """Return the words of the element at the end of a path, empty when there is none."""
    found = find(node, *path)
    return found.text.strip() if found else ""


def money_of(node: Node) -> Money:
    """Read an amount; Faulty unless it is one of a currency that is traded, with no more decimals than that has."""
    text, currency = node.text.strip().removeprefix("+"), node.attributes.get("Ccy", "")
    whole, point, decimals = text.partition(".")
    try:
        money = Money.parse(whole + point + decimals.rstrip("0") if decimals.strip("0") else whole, currency)
    except ValueError as wrong:
        raise Faulty("bad_amount", f"Ask the bank about an amount that cannot be read: {wrong}.") from None
    if money.minor < 0:
        raise Faulty("bad_amount", f"Ask the bank: an amount has its side beside it, and no sign, not {text}.")
    return money


def balance_of(node: Node, statement: Told) -> str:
    """Note a balance of a statement, and return its currency."""
    amount = find(node, "Amt")
    kind = text_of(node, "Tp", "CdOrPrtry", "Cd")
    if amount is None or kind not in (*OPENING, *CLOSING, "ITBD"):
        return ""
    money, side = money_of(amount), _side_of(node)
    minor = side * money.minor
    if kind in OPENING:
        statement.opening = minor
    elif kind in CLOSING:
        statement.closing = minor
    elif statement.opening is None:
        statement.opening = minor  # a page of a statement begins and ends in between
    else:
        statement.interim = minor
    return money.currency


def entries_of(node: Node, statement: Told, line: int, *, is_whole: bool) -> Iterator[Entry]:
    """Give an entry, or each part of a batch that adds up to it, numbered on from a line."""
    amount = find(node, "Amt")
    if amount is None:
        raise Faulty("bad_amount", "Ask the bank: an entry has no amount.")
    money = money_of(amount)
    if money.currency != statement.currency:
        raise Faulty(
            "bad_currency", f"Ask the bank: an entry is in {money.currency}, its account {statement.currency}."
        )
    status = text_of(node, "Sts", "Cd") or text_of(node, "Sts")
    if status not in ("BOOK", *NOT_FINAL):
        raise Faulty("bad_status", f"Ask the bank: an entry is said to be {status[:20] or 'nothing'}, not BOOK.")
    minor = _side_of(node) * money.minor
    if status == "BOOK":
        statement.moved += minor
    skip = NOT_FINAL.get(status, "" if minor else "zero")
    parts = [one for batch in node.children if batch.name == "NtryDtls" for one in batch.children
             if one.name == "TxDtls"]  # fmt: skip
    amounts = _amounts_of(parts, minor, money.currency) if is_whole and len(parts) > 1 else None
    if amounts is None:
        doubt = "batch" if len(parts) > 1 else ""
        yield _entry(node, parts[0] if len(parts) == 1 else None, line + 1, minor, doubt=doubt, skip=skip)
        return
    yield from _parts_of(node, parts, amounts, line, skip)


def _parts_of(node: Node, parts: list[Node], amounts: list[int], line: int, skip: str) -> Iterator[Entry]:
    """Give the parts of a batch, each with the mark of the unsplit one; a reference that two bear is neither's."""
    whole = _entry(node, None, line + 1, sum(amounts))
    told = [
        _entry(node, part, line + 1 + at, each, skip=skip)
        for at, (part, each) in enumerate(zip(parts, amounts, strict=True))
    ]
    borne = Counter((one.bank_reference, one.minor) for one in told)
    equal: Counter[int] = Counter()
    for one in told:
        is_own = has_bank_reference(one) and one.bank_reference != whole.bank_reference
        is_known = is_own and borne[one.bank_reference, one.minor] == 1
        equal[one.minor] += not is_known
        nth = 0 if is_known else equal[one.minor]
        yield replace(one, whole=mark_of(whole), whole_minor=whole.minor, batch=whole.line, nth=nth)


def _amounts_of(parts: list[Node], whole: int, currency: str) -> list[int] | None:
    """Return the signed amounts of a batch's parts, None when they are not all told or do not add up to it."""
    amounts = []
    for part in parts:
        amount = find(part, "Amt") or find(part, "AmtDtls", "TxAmt", "Amt")
        if amount is None or amount.attributes.get("Ccy") != currency:
            return None
        side = SIDES.get(text_of(part, "CdtDbtInd")) or (1 if whole > 0 else -1)
        amounts.append(side * money_of(amount).minor)
    return amounts if sum(amounts) == whole and all(amounts) else None


def _entry(node: Node, part: Node | None, line: int, minor: int, *, doubt: str = "", skip: str = "") -> Entry:
    reference = text_of(part, "Refs", "AcctSvcrRef") or text_of(node, "AcctSvcrRef")
    remittance = find(part, "RmtInf")
    unstructured = [one.text for one in (remittance.children if remittance else []) if one.name == "Ustrd"]
    more = [text_of(node, "AddtlNtryInf")] if part is None else []
    party, account = ("Dbtr", "DbtrAcct") if minor >= 0 else ("Cdtr", "CdtrAcct")
    name = text_of(part, "RltdPties", party, "Pty", "Nm") or text_of(part, "RltdPties", party, "Nm")
    end_to_end = text_of(part, "Refs", "EndToEndId")
    texts = [*unstructured, *more, "" if end_to_end.upper() == "NOTPROVIDED" else end_to_end]
    return Entry(
        line, minor, _day_of(node), kept(reference), kept(_structured(remittance)), kept(" ".join(texts)), kept(name),
        kept(text_of(part, "RltdPties", account, "Id", "IBAN")),
        is_reversal=text_of(node, "RvslInd").lower() in ("true", "1"), doubt=doubt, skip=skip,
    )  # fmt: skip


def _structured(remittance: Node | None) -> str:
    found = [text_of(one, "CdtrRefInf", "Ref") for one in (remittance.children if remittance else [])
             if one.name == "Strd"]  # fmt: skip
    return next((one for one in found if one), "")


def _side_of(node: Node) -> int:
    side = SIDES.get(text_of(node, "CdtDbtInd"))
    if side is None:
        raise Faulty("bad_side", "Ask the bank: an amount is neither credit (CRDT) nor debit (DBIT).")
    return side


def _day_of(node: Node) -> date:
    text = text_of(node, "BookgDt", "Dt") or text_of(node, "BookgDt", "DtTm") or text_of(node, "ValDt", "Dt")
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        raise Faulty("bad_date", "Ask the bank: an entry has no day on which it was booked.") from None
