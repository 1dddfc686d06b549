"""The one table of moves: which state a lead, a sale, a dispute, an endpoint or an upload may go to from which, and a
lead as one that is kept to be offered again.

Leads are born in their state by the sale function; a sold one that no buyer took in the end is unsold, an unsold one
that a further offer sells is sold, and a pending one waits for a buyer who answers at once; a delivered sale fails only
when its mail comes back within the grace; orders have versions instead of events.
"""

DECIDED = frozenset({"upheld", "rejected", "partial", "repriced"})

MOVES: dict[str, dict[str, frozenset[str]]] = {
    "lead": {
        "sold": frozenset({"unsold"}),
        "unsold": frozenset({"sold"}),  # by a further offer
        "rejected": frozenset(),
        "pending": frozenset({"sold", "unsold"}),
    },
    "keptlead": {
        "open": frozenset({"off", "ended"}),
        "off": frozenset({"open", "ended"}),
        "ended": frozenset(),
    },
    "sale": {
        "held": frozenset({"delivered", "refused", "failed"}),
        "delivered": frozenset({"disputed", "settled", "failed"}),
        "disputed": frozenset({"delivered", "returned"}),
        "settled": frozenset({"returned"}),  # by a late claim alone
        "returned": frozenset(),
        "refused": frozenset(),
        "failed": frozenset(),
    },
    "dispute": {
        "open": DECIDED,
        "upheld": frozenset({"appealed"}),
        "rejected": frozenset({"appealed"}),
        "partial": frozenset({"appealed"}),
        "repriced": frozenset({"appealed"}),
        "appealed": DECIDED,
    },
    "endpoint": {
        "closed": frozenset({"open"}),
        "open": frozenset({"half_open"}),
        "half_open": frozenset({"probing"}),
        "probing": frozenset({"closed", "open", "half_open"}),
    },
    "upload": {
        "ready": frozenset({"running", "cancelled", "expired"}),
        "running": frozenset({"done", "cancelled", "stopped"}),
        "done": frozenset(),
        "cancelled": frozenset(),
        "stopped": frozenset(),
        "expired": frozenset(),
    },
}


def may_move(kind: str, before: str, after: str) -> bool:
    """Tell whether the table lists this move."""
    return after in MOVES[kind][before]
