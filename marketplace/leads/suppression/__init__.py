"""Suppression lists: whom a buyer knows already, by keyed hashes; nobody shows a phone number to compare it."""

from marketplace.leads.suppression.lines import MOST_LINES, Upload
from marketplace.leads.suppression.lists import (
    EVIDENCE,
    Use,
    delete_list,
    get_list,
    keys_on,
    listed_before,
    lists_of,
    store_list,
)
from marketplace.leads.suppression.rows import SuppressionEntry, SuppressionList

__all__ = [
    "EVIDENCE",
    "MOST_LINES",
    "SuppressionEntry",
    "SuppressionList",
    "Upload",
    "Use",
    "delete_list",
    "get_list",
    "keys_on",
    "listed_before",
    "lists_of",
    "store_list",
]
