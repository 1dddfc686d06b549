"""Orders as a sheet: one line an order, written so that no cell is a formula, and read back to the very same orders."""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from uuid import UUID

from core.errors import Fault, Invalid, Malformed, NotFound
from core.ids import parse_id, show_id
from core.schemas import convert
from marketplace.leads.delivery.credentials import masked
from marketplace.leads.delivery.sheets import harmless
from marketplace.orders.many import MOST_ORDERS, Wish
from marketplace.orders.terms import PERIODS, OrderBody, OrderPatch, OrderTerms, show_terms
from marketplace.web.buyer.order_typed import whole_of

MOST_BYTES = 900_000
_TEXTS = ("name", "vertical", "status", "exclusivity", "at_cap")
_NUMBERS = ("max_share", "min_score", "wait_hours")
_SWITCHES = ("returns", "contact_hours", "pacing", "verified_only", "contact_sla")
_LISTS = ("regions", "temperatures", "contact_classes")
_MONEY = ("price", "price_floor", "price_ceiling")
_JSON = ("postal_prefixes", "radius", "modifiers", "ladder", "age", "filters", "schedule", "settings", "delivery")
_WEEKDAYS = "cap_weekdays"
_LIMITS = (*(f"{kind}_{period}" for kind in ("cap", "budget") for period in PERIODS), _WEEKDAYS)
COLUMNS = ("id", "version", *_TEXTS, "currency", *_MONEY, *_NUMBERS, *_SWITCHES, *_LISTS, *_LIMITS, *_JSON)
_REFUSED = "Nothing was changed; each error says what to mend."


def sheet_of_orders(orders: Iterable[tuple[UUID, int, OrderTerms, bool]]) -> bytes:
    """Write a line of names and one line an order, in UTF-8 with CRLF; secrets of deliveries are masked.

    Of an order that rests the state is left empty, since to say that it is paused would end its rest.
    """
    text = io.StringIO()
    sheet = csv.writer(text, lineterminator="\r\n")
    sheet.writerow(COLUMNS)
    for order_id, version, terms, rests in orders:
        cells = _cells(terms) | {"id": show_id("ord", order_id), "version": str(version)}
        cells |= {"status": ""} if rests else {}
        sheet.writerow([_safe(cells[name]) for name in COLUMNS])
    return text.getvalue().encode()


def wishes_in(raw: bytes) -> list[Wish]:
    """Read a sheet; a line with an id changes that order, one without places a new one.

    Columns that are left out stay as they are, and so does the state where its cell is empty. Invalid names every cell
    that cannot be read.
    """
    if len(raw) > MOST_BYTES:
        raise _refused([Fault("file", "too_long", f"Send at most {MOST_BYTES} bytes; split the sheet.")])
    try:
        rows = list(csv.reader(io.StringIO(raw.decode("utf-8-sig")), strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise _refused([Fault("file", "bad_format", f"Save the sheet as CSV in UTF-8: {error}.")]) from None
    header = rows[0] if rows else []
    faults = [Fault(f"header.{name}", "unknown_field", f"{name!r:.60} is no column of this sheet; take it out.")
              for name in header if name not in COLUMNS or header.count(name) > 1]  # fmt: skip
    if not 1 <= len(rows) - 1 <= MOST_ORDERS:
        faults.append(Fault("file", "no_rows", f"Send a header and 1 to {MOST_ORDERS} orders."))
    wishes = [] if faults else [_wish(line, dict(zip(header, row, strict=False)), faults)
                                for line, row in enumerate(rows[1:], 2) if any(row)]  # fmt: skip
    if faults:
        raise _refused(faults)
    return [wish for wish in wishes if wish is not None]


def _cells(terms: OrderTerms) -> dict[str, str]:
    shown = show_terms(terms)
    shown["delivery"] = masked(shown["delivery"])
    cells = {name: str(shown[name]) for name in _TEXTS}
    cells |= {name: "" if shown[name] is None else str(shown[name]) for name in _NUMBERS}
    cells |= {name: "true" if shown[name] else "false" for name in _SWITCHES}
    cells |= {name: " ".join(shown[name] or ()) for name in _LISTS}
    cells |= {name: shown[name]["amount"] if shown[name] else "" for name in _MONEY}
    cells |= {f"cap_{period}": str(shown["caps"].get(period, "")) for period in PERIODS}
    cells |= {f"budget_{period}": shown["budget"].get(period, {}).get("amount", "") for period in PERIODS}
    shown[_WEEKDAYS] = shown["caps"].get("weekday")
    written = {name: json.dumps(shown[name], ensure_ascii=False) if shown[name] else ""
               for name in (*_JSON, _WEEKDAYS)}  # fmt: skip
    return cells | written | {"currency": terms.currency}


def _safe(text: str) -> str:
    """Return a cell that is no formula; one that begins with an apostrophe gets another, so that reading is exact."""
    return f"'{text}" if text.startswith("'") else harmless(text)


def _unsafe(cell: str) -> str:
    return cell.removeprefix("'")


def _wish(line: int, row: Mapping[str, str], faults: list[Fault]) -> Wish | None:
    place, cells = f"rows.{line}", {name: _unsafe(cell).strip() for name, cell in row.items()}
    try:
        order_id = parse_id("ord", cells["id"]) if cells.get("id") else None
        document = {name: value for names in (_plain_cells, _limit_cells, _json_cells)
                    for name, value in names(cells)}  # fmt: skip
        version = int(cells["version"]) if order_id and cells.get("version") else None
        if order_id is None:
            return Wish(place, convert(_said(document), OrderBody))
        return Wish(place, convert(document, OrderPatch), order_id, version)
    except (Malformed, Invalid) as refused:
        faults += [Fault(f"{place}.{one.field}", one.code, one.message) for one in refused.faults]
    except (NotFound, ValueError):
        faults.append(Fault(f"{place}.id", "unknown_order", "Leave id and version as the sheet had them, or empty."))
    return None


def _plain_cells(cells: Mapping[str, str]) -> Iterator[tuple[str, Any]]:
    currency = cells.get("currency") or "EUR"
    for name in cells:
        text = cells[name]
        if name in _TEXTS:
            if text or name != "status":
                yield name, text
        elif name in _NUMBERS:
            yield name, _number(text)
        elif name in _SWITCHES:
            yield name, {"true": True, "false": False}.get(text.lower(), text)
        elif name in _LISTS:
            yield name, text.split() or None
        elif name in _MONEY:
            yield name, {"amount": text, "currency": currency} if text else None


def _number(text: str) -> int | str | None:
    """Return a whole number, none for an empty cell; anything else as it is, for the reader of bodies to refuse."""
    number = whole_of(text)
    return text or None if number is None else number


def _limit_cells(cells: Mapping[str, str]) -> Iterator[tuple[str, Any]]:
    currency = cells.get("currency") or "EUR"
    said = {period: cells[f"cap_{period}"] for period in PERIODS if f"cap_{period}" in cells}
    caps: dict[str, Any] = {period: _number(text) for period, text in said.items()}
    if _WEEKDAYS in cells:
        caps["weekday"] = _read_json(_WEEKDAYS, cells[_WEEKDAYS])
    budget = {period: cells[f"budget_{period}"] for period in PERIODS if f"budget_{period}" in cells}
    if caps:
        yield "caps", caps
    if budget:
        yield "budget", {period: {"amount": text, "currency": currency} if text else None
                         for period, text in budget.items()}  # fmt: skip


def _json_cells(cells: Mapping[str, str]) -> Iterator[tuple[str, Any]]:
    for name in _JSON:
        if name in cells:
            yield name, _read_json(name, cells[name])


def _read_json(name: str, cell: str) -> Any:
    try:
        return json.loads(cell) if cell else None
    except (ValueError, RecursionError):
        raise _refused([Fault(name, "not_json", "Write the cell as the sheet had it, as JSON.")]) from None


def _said(document: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out of a new order what its line does not say."""
    return {name: value for name, value in document.items() if value not in (None, "")}


def _refused(faults: list[Fault]) -> Invalid:
    return Invalid("invalid_order", _REFUSED, faults)
