"""The operator's buyers: each with its wallet, what it spends, what it sends back, and how near the cap that is."""

from flask import render_template, request

from core.actors import Person, page
from core.ids import parse_id
from core.keyset import read_asked
from core.pages import page_time
from marketplace.reports.buyer_wallet import change_of
from marketplace.reports.parties import SORTS, accounts_part, buyer_story, buyers_figures, days_told
from marketplace.web.chrome import CURRENCY
from marketplace.web.operator.routes import operator


@operator.get("/buyers")
@page("operator")
def buyers(_: Person) -> str:
    """Show the buyers with what they did lately."""
    part = accounts_part("buyer", read_asked(request.args, SORTS, "-opened"))
    figures = buyers_figures([row.id for row in part.rows], CURRENCY, page_time())
    return render_template(
        "marketplace/operator/buyers.html", part=part, figures=figures, days=days_told(), currency=CURRENCY
    )


@operator.get("/buyers/<buyer>")
@page("operator")
def buyer(_: Person, buyer: str) -> str:
    """Show one buyer."""
    story = buyer_story(parse_id("acc", buyer), CURRENCY, page_time())
    return render_template("marketplace/operator/buyer.html", story=story, days=days_told(), shown=buyer,
                           currency=CURRENCY, change_of=change_of)  # fmt: skip
