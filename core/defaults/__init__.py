"""The exchange's defaults: every number that somebody might ask the reason of, once, as data that is checked when read.

The code here knows keys, units and limits; what the keys mean is said in `defaults.yaml`. Reading them asks neither
clock nor database. `setting` resolves what a vertical, a country and an order say otherwise.
"""

from core.defaults.resolving import NOTHING, Said, faults_in_exchange, faults_in_said, setting
from core.defaults.table import (
    Default,
    DefaultsLoader,
    Section,
    Table,
    Value,
    default,
    defaults,
    filled,
    find_default,
    limits,
    read_table,
    shipped,
    show_quantity,
)

__all__ = [
    "NOTHING",
    "Default",
    "DefaultsLoader",
    "Said",
    "Section",
    "Table",
    "Value",
    "default",
    "defaults",
    "faults_in_exchange",
    "faults_in_said",
    "filled",
    "find_default",
    "limits",
    "read_table",
    "setting",
    "shipped",
    "show_quantity",
]
