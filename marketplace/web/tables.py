"""The heads, chips and links of tables, for templates."""

from dataclasses import dataclass
from urllib.parse import quote, urlencode

from flask import request

from core.keyset import Asked

_PLAIN = "!$'()*,/:;@"  # what stands in an address as it is (RFC 3986, 3.3 and 3.4)


@dataclass(frozen=True, slots=True)
class Column:
    """A column's head: its words, whether it holds numbers, their unit, and the name it is sorted by."""

    label: str
    is_number: bool = False
    unit: str = ""
    sort: str = ""


def col(label: str, sort: str = "") -> Column:
    """Head a column of words."""
    return Column(label, sort=sort)


def num(label: str, unit: str = "", sort: str = "") -> Column:
    """Head a column of numbers, aligned right; their currency stands once, here."""
    return Column(label, is_number=True, unit=unit, sort=sort)


def here(**changes: str | None) -> str:
    """Return this page's address with some of its query changed; None takes a part out. A new order starts anew."""
    query = {name: text for name, text in request.args.items() if name != "cursor"}
    wanted = {name: text for name, text in (query | changes).items() if text is not None}
    path = request.root_path + quote(request.path, safe=_PLAIN)
    return f"{path}?{urlencode(wanted, safe=_PLAIN)}" if wanted else path


def sort_link(column: Column, asked: Asked) -> str:
    """Return the address of this page sorted by a column: the largest first, then, once it is, the smallest."""
    turned = asked.sort == column.sort and asked.descending
    return here(sort=column.sort if turned else f"-{column.sort}")


def sorted_as(column: Column, asked: Asked | None) -> str:
    """Say for `aria-sort` how a column is sorted now, empty when it is not."""
    if asked is None or not column.sort or asked.sort != column.sort:
        return ""
    return "descending" if asked.descending else "ascending"
