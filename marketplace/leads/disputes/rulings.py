"""What an operator decided, read into a ruling: the whole price back, a part, a new price, or nothing."""

from collections.abc import Iterator
from dataclasses import dataclass

from core.errors import Fault, Invalid
from core.money import BASIS_POINTS, Money
from core.schemas import Amount
from marketplace.leads.disputes.decision import Ruling

DECISIONS = {"uphold": "upheld", "reject": "rejected", "partial": "partial", "reprice": "repriced"}


@dataclass(frozen=True, slots=True)
class Decision:
    """An operator's words: `amount` is what goes back for partial and the new price for reprice."""

    decision: str
    note: str = ""
    amount: Amount | None = None
    share_bp: int | None = None


def ruling_of(said: Decision, reason: str, price: Money) -> Ruling:
    """Read a decision on a sale of this price; Invalid `invalid_decision` with every fault."""
    if faults := list(_faults(said, reason, price)):
        raise Invalid("invalid_decision", "The dispute cannot be decided so.", faults)
    return Ruling(DECISIONS[said.decision], _credit_of(said, price), said.note)


def _credit_of(said: Decision, price: Money) -> int:
    if said.decision in ("uphold", "reject"):
        return price.minor if said.decision == "uphold" else 0
    if said.amount is None:
        return price.minor * (said.share_bp or 0) // BASIS_POINTS
    minor = Money.parse(said.amount.amount, price.currency).minor
    return price.minor - minor if said.decision == "reprice" else minor


def _faults(said: Decision, reason: str, price: Money) -> Iterator[Fault]:
    if said.decision not in DECISIONS:
        yield Fault("decision", "not_allowed_value", f"Choose one of {', '.join(DECISIONS)}.")
    elif said.decision in ("uphold", "reject"):
        if said.amount is not None or said.share_bp is not None:
            yield Fault("amount", "not_for_decision", "Leave amount and share_bp out: the decision says it all.")
    elif said.decision == "reprice" and (reason != "out_of_criteria" or said.share_bp is not None):
        yield Fault(
            "decision", "not_for_decision", "Reprice only what is out_of_criteria, with the new price as amount."
        )
    elif (said.amount is None) == (said.share_bp is None):
        yield Fault("amount", "missing", "Send the amount, or for partial the share_bp of the price instead.")
    else:
        yield from _amount_faults(said, price)


def _amount_faults(said: Decision, price: Money) -> Iterator[Fault]:
    if said.amount is not None and said.amount.currency != price.currency:
        yield Fault("amount.currency", "wrong_currency", f"Send {price.currency}, as the sale was made in it.")
        return
    try:
        credit = _credit_of(said, price)
    except ValueError as error:
        yield Fault("amount.amount", "bad_amount", f"Send an amount in {price.currency}: {error}.")
        return
    if not 0 < credit < price.minor:
        yield Fault("amount", "out_of_range", f"Send more than nothing and less than the price of {price}.")
