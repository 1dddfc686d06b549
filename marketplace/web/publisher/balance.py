"""The publisher's balance: what becomes payable when, line by line and by week, and every movement with its story."""

from flask import render_template, request, url_for

from core.actors import Person, page
from core.ids import parse_id
from core.pages import page_time
from core.words import gettext
from marketplace.reports.buyer_wallet import movement_of, movements_of
from marketplace.reports.pending import WHY, cycles_of, held_part
from marketplace.reports.publisher_balance import pending_in, reserve_days, weeks_here
from marketplace.reports.publisher_today import balance_of, next_release_of
from marketplace.web.chrome import CURRENCY, earned_here
from marketplace.web.forecasts import forecast_chart
from marketplace.web.publisher.routes import publisher
from marketplace.web.words import part_of_wallet


@publisher.get("/balance")
@page("publisher")
def balance(person: Person) -> str:
    """Show what is pending and when it is released, what is payable, the reserve, and the movements."""
    cursor = request.args.get("cursor")
    before, earned = parse_id("txn", cursor) if cursor else None, earned_here(person)
    reserve = reserve_days(person.account_id, CURRENCY, page_time())
    weeks = weeks_here(person.account_id, CURRENCY, reserve.value, page_time())
    pending = pending_in(weeks.value, next_release_of(person.account_id, CURRENCY))
    return render_template(
        "marketplace/publisher/balance.html", balance=balance_of(earned, pending),
        currency=CURRENCY, earned=earned, weeks=weeks, chart_data=forecast_chart(weeks.value, page_time()),
        reserve=reserve,
        movements=movements_of(person.account_id, CURRENCY, before),
    )  # fmt: skip


@publisher.get("/pending")
@page("publisher")
def pending(person: Person) -> str:
    """Show every amount that is held, why, and the day of its release; and how long sales take to become money."""
    part = held_part(person.account_id, CURRENCY, page_time(), request.args.get("cursor"))
    return render_template(
        "marketplace/publisher/pending.html", part=part, why=WHY, currency=CURRENCY, earned=earned_here(person),
        cycles=cycles_of(person.account_id, page_time()),
    )  # fmt: skip


@publisher.get("/balance/<movement>")
@page("publisher")
def balance_movement(person: Person, movement: str) -> str:
    """Show one movement: what it was, and what it changed."""
    item = movement_of(person.account_id, CURRENCY, parse_id("txn", movement))
    changes = [(part_of_wallet(part), change) for part, change in item.changes.items()]
    return render_template("marketplace/movement.html", item=item, changes=changes, back=url_for("publisher.balance"),
                           back_to=gettext("Back to the balance"))  # fmt: skip
