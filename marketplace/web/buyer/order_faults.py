"""Where each fault of an order's body stands in its form."""

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from core.errors import Fault, Invalid, Malformed
from marketplace.orders.terms import PERIODS
from marketplace.web.buyer.order_ages import field_of_ages
from marketplace.web.buyer.order_body import unreadable
from marketplace.web.buyer.order_form import OTHER, OrderForm
from marketplace.web.buyer.order_more import field_of_more
from marketplace.web.buyer.order_typed import filled_rows
from marketplace.web.buyer.order_volume import field_of_volume

T = TypeVar("T")


def with_faults_placed(form: OrderForm, work: Callable[[], T]) -> T:
    """Do the work; what it refuses is put at the fields it is about, and raised again as what stands above the form.

    Raised too when the work would do and something typed cannot be read: the transaction around it keeps nothing.
    """
    faults, detail = unreadable(form), ""
    try:
        done = work()
    except (Invalid, Malformed) as refused:
        faults, detail = [*faults, *refused.faults], refused.detail
    else:
        if not faults:
            return done
    place_faults(form, faults)
    raise Invalid("invalid_order", "Nothing was kept: mend the fields that say so below." if faults else detail)


def place_faults(form: OrderForm, faults: Iterable[Fault]) -> None:
    """Put each fault at the field of the form that it is about, at the name when it is about none."""
    for fault in faults:
        field = _field_of(form, fault)
        is_written = field is form.delivery_json and fault.field.startswith("delivery.")
        told = f"{fault.field.removeprefix('delivery.')}: {fault.message}" if is_written else fault.message
        field.errors = [*field.errors, told]


def _field_of(form: OrderForm, fault: Fault) -> Any:
    head, *rest = fault.field.split(".")
    if head in ("caps", "budget") and rest and rest[0] in PERIODS:
        return form[rest[0]].form["cap" if head == "caps" else "budget"]
    for find in (field_of_more, field_of_volume, field_of_ages):
        if (found := find(form, head, rest)) is not None:
            return found
    if head == "filters" and len(rest) == 2:
        return _in_row(filled_rows(form.filters), rest, form.name)
    if head == "settings":
        key = fault.field.removeprefix("settings.")
        return next((row.form.value for row in form.settings if row.form.key.data == key), form.name)
    if head == "schedule":
        return _of_schedule(form, rest)
    if head == "delivery":
        return _of_delivery(form)
    return getattr(form, head) if head in form else form.name


def _of_schedule(form: OrderForm, rest: list[str]) -> Any:
    if len(rest) >= 3 and rest[0] == "windows":
        return _in_row(filled_rows(form.windows), [rest[1], "from_" if rest[2] == "from" else rest[2]], form.timezone)
    return form.timezone


def _in_row(rows: list[Any], place: list[str], otherwise: Any) -> Any:
    number, name = place
    if number.isdigit() and int(number) < len(rows) and name in rows[int(number)].form:
        return rows[int(number)].form[name]
    return otherwise


def _of_delivery(form: OrderForm) -> Any:
    kinds = {"webhook": form.delivery_url, "email": form.delivery_to, OTHER: form.delivery_json}
    return kinds.get(form.delivery.data, form.delivery)
