"""How an order's days and prices go by volume: caps of weekdays, the pace, the ladder, from the form and back to it."""

from typing import Any

from core.errors import Fault
from core.money import Money
from marketplace.orders.periods import DAYS
from marketplace.orders.terms import OrderTerms
from marketplace.web.buyer.order_form import OrderForm
from marketplace.web.buyer.order_typed import filled_rows, number_of, text_of


def weekday_document(form: OrderForm) -> dict[str, int] | None:
    """Return the caps of weekdays that a form says, None for none."""
    caps = {day: number_of(form.weekday.form[day]) for day in DAYS}
    return {day: cap for day, cap in caps.items() if cap is not None} or None


def ladder_document(form: OrderForm, currency: str) -> dict[str, Any] | None:
    """Return the ladder that a form describes, None when neither its period nor a step of it is filled."""
    steps = [
        {"from": number_of(row.form.count) or 0, "price": {"amount": text_of(row.form.price), "currency": currency}}
        for row in filled_rows(form.ladder_steps)
    ]
    return {"period": form.ladder_period.data or "", "steps": steps} if steps or form.ladder_period.data else None


def unreadable_volume(form: OrderForm) -> list[Fault]:
    """Name caps of weekdays that are no whole numbers."""
    return [
        Fault(f"caps.weekday.{day}", "wrong_type", "Write a whole number, such as 25.")
        for day in DAYS if text_of(form.weekday.form[day]) and number_of(form.weekday.form[day]) is None
    ]  # fmt: skip


def volume_for_terms(terms: OrderTerms) -> dict[str, Any]:
    """Return what the form shows of weekdays, pace and ladder."""
    ladder = terms.ladder
    return {
        "weekday": {day: str(cap) for day, cap in terms.weekday_caps.items()}, "pacing": terms.pacing,
        "ladder_period": ladder.period if ladder else "",
        "ladder_steps": [{"count": str(count), "price": str(Money(minor, terms.currency))}
                         for count, minor in (ladder.steps if ladder else ())],
    }  # fmt: skip


def field_of_volume(form: OrderForm, head: str, rest: list[str]) -> Any:
    """Find the field that a fault of these parts of a body is about, None when it is about no such part."""
    if head == "caps" and rest[:1] == ["weekday"]:
        return form.weekday.form[rest[1]] if len(rest) > 1 and rest[1] in DAYS else form.pacing
    if head != "ladder":
        return form.pacing if head == "pacing" else None
    rows = filled_rows(form.ladder_steps)
    if len(rest) > 2 and rest[1].isdigit() and int(rest[1]) < len(rows):
        return rows[int(rest[1])].form["count" if rest[2] == "from" else "price"]
    return form.ladder_period
