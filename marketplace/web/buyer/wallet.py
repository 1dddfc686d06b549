"""The buyer's wallet: what is there, how long it lasts, what it was spent on, and every movement with its story."""

from flask import render_template, request, url_for
from flask_babel import format_date

from billing import grants_of, is_low
from core.actors import Person, page
from core.i18n import compact
from core.ids import parse_id
from core.words import gettext
from marketplace.reports.buyer_wallet import Spending, change_of, movement_of, movements_of
from marketplace.web.buyer.routes import buyer
from marketplace.web.charts import Chart, Series, bar_chart
from marketplace.web.chrome import CURRENCY, standing_here
from marketplace.web.words import part_of_wallet


@buyer.get("/wallet")
@page("buyer")
def wallet(person: Person) -> str:
    """Show the wallet's figures, fourteen days of spending, and its movements."""
    cursor = request.args.get("cursor")
    before = parse_id("txn", cursor) if cursor else None
    return render_template(
        "marketplace/buyer/wallet.html", standing=(standing := standing_here(person)), currency=CURRENCY,
        chart_data=_chart(standing.spending), movements=movements_of(person.account_id, CURRENCY, before),
        is_low=is_low(person.account_id, CURRENCY),
        change_of=change_of, grants=[one for one in grants_of(person.account_id, CURRENCY) if one.state == "granted"],
    )  # fmt: skip


@buyer.get("/wallet/<movement>")
@page("buyer")
def wallet_movement(person: Person, movement: str) -> str:
    """Show one movement: what it was, and what it changed."""
    item = movement_of(person.account_id, CURRENCY, parse_id("txn", movement))
    changes = [(part_of_wallet(part), change) for part, change in item.changes.items()]
    return render_template("marketplace/movement.html", item=item, changes=changes, back=url_for("buyer.wallet"),
                           back_to=gettext("Back to the wallet"))  # fmt: skip


def _chart(spending: Spending) -> Chart:
    times = [format_date(each, "d MMM") for each in spending.days]
    return bar_chart(Series(gettext("spent"), [float(str(one)) for one in spending.spent]), times, compact)
