"""How old leads may be that an order buys, and whether they wait for it: from the form to its body, and back."""

from typing import Any

from core.errors import Fault
from marketplace.orders.ages import age_body
from marketplace.orders.terms import OrderTerms
from marketplace.web.buyer.order_typed import number_of, text_of


def ages_document(form: Any) -> dict[str, Any]:
    """Return the ages and the waiting of a form as the body has them; no ages where none are typed."""
    age = None
    if text_of(form.age_from) or text_of(form.age_to):
        age = {"from": number_of(form.age_from) or 0, "to": number_of(form.age_to) or 0, "unit": form.age_unit.data,
               "resold": form.age_resold.data, "returned": form.age_returned.data or []}  # fmt: skip
    hours = number_of(form.wait_hours) if form.at_cap.data == "wait" else None
    return {"age": age, "at_cap": form.at_cap.data or "next", "wait_hours": hours}


def unreadable_ages(form: Any) -> list[Fault]:
    """Name what was typed where only numbers can stand."""
    fields = {"age.from": form.age_from, "age.to": form.age_to, "wait_hours": form.wait_hours}
    return [
        Fault(name, "wrong_type", "Write a whole number, such as 25.")
        for name, field in fields.items() if text_of(field) and number_of(field) is None
    ]  # fmt: skip


def ages_for_terms(terms: OrderTerms) -> dict[str, Any]:
    """Return what the form shows of an order's ages and waiting."""
    said: dict[str, Any] = {"at_cap": "wait" if terms.wait_minutes else "next",
                            "wait_hours": str(terms.wait_minutes // 60 or "")}  # fmt: skip
    age = age_body(terms.age)
    if age is None:
        return said
    return said | {"age_from": str(age.from_), "age_to": str(age.to), "age_unit": age.unit, "age_resold": age.resold,
                   "age_returned": age.returned}  # fmt: skip


def field_of_ages(form: Any, head: str, rest: list[str]) -> Any:
    """Find the field that a fault of these parts of a body is about, None when it is about no such part."""
    if head == "age":
        return getattr(form, f"age_{rest[0]}", form.age_to) if rest else form.age_to
    return form[head] if head in ("at_cap", "wait_hours") else None
