"""The operator's money at the card processor: what it says, what the books say, and what nobody can explain yet."""

from datetime import UTC, datetime

from flask import render_template

from billing import chargebacks_lately, reconcile
from core.actors import Person, page
from core.money import Money
from core.words import lazy_gettext as _l
from marketplace.web.operator.routes import operator

AGES = {"a day": _l("up to a day"), "a week": _l("up to a week"), "longer": _l("longer")}
STATES = {
    "announced": (_l("Announced"), "held"), "withdrawn": (_l("The bank has it"), "held"),
    "won": (_l("Won"), "won"), "lost": (_l("Lost"), "refused"),
}  # fmt: skip


@operator.get("/card-money")
@page("operator")
def card_money(_: Person) -> str:
    """Show the processor's balance beside the books, what is unexplained by age, and the chargebacks."""
    found = reconcile()
    ages = [
        (Money(minor, currency), AGES[age])
        for currency, sums in found.by_age(datetime.now(UTC)).items() for age, minor in sums.items() if minor
    ]  # fmt: skip
    return render_template("marketplace/operator/card_money.html", found=found, ages=ages, states=STATES,
                           chargebacks=chargebacks_lately(), money_of=Money)  # fmt: skip
