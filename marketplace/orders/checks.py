"""What a standing order may say: every bad value of a body, found in one pass."""

from collections.abc import Callable, Container, Iterable, Iterator
from typing import Any

from core.errors import Fault, Invalid
from core.money import Money
from marketplace.orders import terms
from marketplace.orders.ages import age_faults, wait_faults
from marketplace.orders.contact_hours import never_opens
from marketplace.orders.filters import EXISTS_ONLY_PATHS, OPERATORS
from marketplace.orders.pace import ladder_faults, pacing_faults, weekday_faults
from marketplace.orders.patterns import Pattern
from marketplace.orders.periods import DAYS, is_zone, minute_of
from marketplace.orders.place_checks import place_faults
from marketplace.orders.price_checks import bound_faults, modifier_faults, money_faults, price_faults
from marketplace.orders.said import ScheduleBody, WindowBody, schedule_of
from marketplace.orders.terms import OrderBody, OrderTerms

MAX_NAME, MAX_REGIONS, MAX_FILTERS, MAX_VALUES, MAX_WINDOWS, MAX_TEXT = 200, 1000, 50, 1000, 100, 500
MAX_CAP = 1_000_000_000

Faults = Iterator[Fault]


def accept_terms(
    body: OrderBody,
    *,
    currency: str,
    min_price_minor: int,
    paths: Container[str],
    is_region: Callable[[str], bool],
    more_faults: Iterable[Fault] = (),
) -> OrderTerms:
    """Return the normalised terms of a body, or raise Invalid with every fault of it and `more_faults`."""
    faults = check_terms(body, currency=currency, min_price_minor=min_price_minor, paths=paths, is_region=is_region)
    faults += more_faults
    if not faults:
        return terms.terms_of(body, min_price_minor)
    codes = [fault.code for fault in faults]
    code = next((code for code in ("model_not_offered", "delivery_not_offered") if code in codes), "invalid_order")
    raise Invalid(code, "The order cannot be kept as it is; each error says what to change.", faults)


def check_terms(
    body: OrderBody,
    *,
    currency: str,
    min_price_minor: int,
    paths: Container[str],
    is_region: Callable[[str], bool],
) -> list[Fault]:
    """Return every fault of a body, none for a body that `terms_of` can normalise.

    `currency` and `min_price_minor` are the vertical's, `paths` what its orders may filter by (`filters.paths_of`).
    """
    return [
        *_name_faults(body.name),
        *_word_faults("model", body.model, terms.MODELS),
        *_word_faults("exclusivity", body.exclusivity, terms.EXCLUSIVITIES),
        *_word_faults("status", body.status, terms.STATUSES),
        *_offer_faults(body),
        *_price_faults(body, currency, min_price_minor, is_region),
        *_share_faults(body),
        *_region_faults(body.regions or [], is_region),
        *place_faults(body.postal_prefixes, body.radius, body.regions),
        *_score_faults(body.min_score),
        *_list_faults("temperatures", body.temperatures, terms.TEMPERATURES),
        *_list_faults("contact_classes", body.contact_classes, terms.CONTACT_CLASSES),
        *_all_filter_faults(body, paths),
        *_cap_faults(body),
        *weekday_faults(terms.weekday_in(body.caps), terms.limits_in(body.caps).get("day"), MAX_CAP),
        *_budget_faults(body, currency),
        *pacing_faults(body.pacing, _has_day_limit(body)),
        *ladder_faults(body.ladder, _price_in(body, currency), min_price_minor, currency),
        *_opening_faults(body),
        *age_faults(body.age, body.ladder is not None),
        *wait_faults(body),
    ]


def _name_faults(name: str) -> Faults:
    if not name.strip() or len(name) > MAX_NAME or not name.isprintable():
        yield Fault("name", "invalid_name", f"Give the order a name of 1 to {MAX_NAME} printable characters.")


def _word_faults(field: str, word: str, known: Iterable[str]) -> Faults:
    if word not in known:
        yield Fault(field, "unknown_value", f"{word!r} is not known here; use one of {', '.join(known)}.")


def _list_faults(field: str, words: list[str] | None, known: Iterable[str]) -> Faults:
    for place, word in enumerate(words or ()):
        yield from _word_faults(f"{field}.{place}", word, known)


def _offer_faults(body: OrderBody) -> Faults:
    if body.model in terms.MODELS and body.model not in terms.OFFERED_MODELS:
        offered = ", ".join(terms.OFFERED_MODELS)
        message = f"Orders by {body.model} cannot be created yet; choose {offered}."
        yield Fault("model", "model_not_offered", message)
    elif body.model == "cpl":
        for name in ("action", "rate_bp", "hold"):
            if getattr(body, name) is not None:
                yield Fault(name, "not_for_model", f"An order by cpl has no {name}; leave it out.")


def _price_faults(body: OrderBody, currency: str, min_price_minor: int, is_region: Callable[[str], bool]) -> Faults:
    if body.price is not None:
        yield from price_faults("price", body.price, currency, min_price_minor)
    elif body.model not in ("cpa", "cps"):
        yield Fault("price", "required", f"Say the price of one lead, in {currency}.")
    yield from bound_faults(body.price, body.price_floor, body.price_ceiling, currency, min_price_minor)
    known = {"region": is_region, "temperature": terms.TEMPERATURES.__contains__,
             "contact_class": terms.CONTACT_CLASSES.__contains__}  # fmt: skip
    yield from modifier_faults(body.modifiers or [], currency, known)


def _share_faults(body: OrderBody) -> Faults:
    share = body.max_share
    if body.exclusivity == "shared" and share is not None and not terms.MIN_SHARE <= share <= terms.MAX_SHARE:
        message = (
            f"A shared lead goes to {terms.MIN_SHARE} to {terms.MAX_SHARE} buyers; "
            "to buy alone, set exclusivity to exclusive."
        )
        yield Fault("max_share", "out_of_range", message)


def _region_faults(regions: list[str], is_region: Callable[[str], bool]) -> Faults:
    if len(regions) > MAX_REGIONS:
        yield Fault("regions", "too_many", f"Name at most {MAX_REGIONS} regions; a country holds its subdivisions.")
        return
    for place, code in enumerate(regions):
        if not is_region(code):
            message = f"{code!r} is no region; use ISO 3166 codes such as FR or FR-IDF (GET /api/v1/regions)."
            yield Fault(f"regions.{place}", "unknown_region", message)


def _score_faults(score: int | None) -> Faults:
    if score is not None and not 0 <= score <= 100:
        yield Fault("min_score", "out_of_range", "A score goes from 0 to 100.")


def _cap_faults(body: OrderBody) -> Faults:
    for period, cap in terms.limits_in(body.caps).items():
        if not 1 <= cap <= MAX_CAP:
            message = "A cap is 1 or more; leave it out for no cap, or pause the order to buy nothing."
            yield Fault(f"caps.{period}", "out_of_range", message)


def _has_day_limit(body: OrderBody) -> bool:
    limits = {**terms.limits_in(body.caps), **terms.limits_in(body.budget)}
    return "day" in limits or bool(terms.weekday_in(body.caps))


def _price_in(body: OrderBody, currency: str) -> Money | None:
    """Return the price of a body, None when it has none that can be read."""
    try:
        return Money.parse(body.price.amount, currency) if body.price else None
    except ValueError:
        return None


def _budget_faults(body: OrderBody, currency: str) -> Faults:
    for period, money in terms.limits_in(body.budget).items():
        yield from money_faults(f"budget.{period}", money, currency)


def _opening_faults(body: OrderBody) -> Faults:
    faults = list(_schedule_faults(body.schedule))
    yield from faults
    if body.contact_hours and not faults and never_opens(schedule_of(body.schedule), body.regions or ()):
        message = (
            "In no minute of the week these hours are open and people of the regions may be called: widen the hours, "
            "or see the rules of contact (GET /api/v1/contact-rules/FR)."
        )
        yield Fault("schedule.windows" if body.schedule else "contact_hours", "never_opens", message)


def _schedule_faults(schedule: ScheduleBody | None) -> Faults:
    if schedule is None:
        return
    if not is_zone(schedule.timezone):
        message = f"{schedule.timezone!r} is no zone of the IANA database; use a name such as Europe/Paris."
        yield Fault("schedule.timezone", "unknown_timezone", message)
    windows = schedule.windows or []
    if len(windows) > MAX_WINDOWS:
        yield Fault("schedule.windows", "too_many", f"Name at most {MAX_WINDOWS} windows.")
        return
    for place, window in enumerate(windows):
        yield from _window_faults(f"schedule.windows.{place}", window)


def _window_faults(field: str, window: WindowBody) -> Faults:
    if not window.days:
        yield Fault(f"{field}.days", "required", f"Name the days of this window: {', '.join(DAYS)}.")
    yield from _list_faults(f"{field}.days", window.days, DAYS)
    start, end = _minute(window.from_), _minute(window.to)
    if start is None or window.from_ == "24:00":
        yield Fault(f"{field}.from", "invalid_time", 'Write the time as "09:00", from 00:00 to 23:59.')
    if end is None:
        yield Fault(f"{field}.to", "invalid_time", 'Write the time as "18:00", from 00:00 to 24:00.')
    if start is not None and start == end:
        message = "This window has no length; write 00:00 to 24:00 for the whole day."
        yield Fault(f"{field}.to", "empty_window", message)


def _minute(text: str) -> int | None:
    try:
        return minute_of(text)
    except ValueError:
        return None


def _all_filter_faults(body: OrderBody, paths: Container[str]) -> Faults:
    filters = body.filters or []
    if len(filters) > MAX_FILTERS:
        yield Fault("filters", "too_many", f"Use at most {MAX_FILTERS} filters.")
        return
    for place, each in enumerate(filters):
        field = f"filters.{place}"
        if each.field not in paths:
            message = f"Orders of this vertical cannot filter by {each.field!r}; see its schema for its attributes."
            yield Fault(f"{field}.field", "unknown_field", message)
        if each.op not in OPERATORS:
            yield from _word_faults(f"{field}.op", each.op, OPERATORS)
        elif each.field in EXISTS_ONLY_PATHS and each.op != "exists":
            message = f"{each.field} names or reaches the person; only exists may be asked of it."
            yield Fault(f"{field}.op", "op_not_allowed", message)
        else:
            yield from _value_faults(f"{field}.value", each.op, each.value)


def _value_faults(field: str, op: str, value: Any) -> Faults:
    if op in ("in", "not_in"):
        if not isinstance(value, list) or not 1 <= len(value) <= MAX_VALUES or not all(map(_is_plain, value)):
            message = f"{op} needs a list of 1 to {MAX_VALUES} texts, numbers, true or false."
            yield Fault(field, "invalid_value", message)
    elif op in ("eq", "ne"):
        if not _is_plain(value):
            message = f"{op} needs one text, number, true or false; use exists to ask for a missing field."
            yield Fault(field, "invalid_value", message)
    elif op == "exists":
        if value is not None and not isinstance(value, bool):
            yield Fault(field, "invalid_value", "exists needs true, false or no value at all.")
    elif op == "matches":
        yield from _pattern_faults(field, value)
    elif op == "between":
        yield from _range_faults(field, value)
    elif not _is_ordered(value):
        yield Fault(field, "invalid_value", f"{op} needs one number, or a text such as a date.")


def _pattern_faults(field: str, value: Any) -> Faults:
    if not isinstance(value, str) or not value:
        yield Fault(field, "invalid_value", "matches needs a regular expression as a text.")
        return
    try:
        Pattern(value)
    except ValueError as error:
        yield Fault(field, "invalid_pattern", f"Mend the expression: {error}.")


def _range_faults(field: str, value: Any) -> Faults:
    if _is_ordered(value) or (isinstance(value, list) and len([each for each in value if each is not None]) == 1):
        yield Fault(field, "one_bound", "between needs both bounds, [low, high]; for one use gte or lte.")
        return
    pair = value if isinstance(value, list) and len(value) == 2 and all(map(_is_ordered, value)) else None
    if pair is None or isinstance(pair[0], str) != isinstance(pair[1], str):
        yield Fault(field, "invalid_value", "between needs [low, high]: two numbers, or two texts such as dates.")
    elif (pair[0].casefold() > pair[1].casefold()) if isinstance(pair[0], str) else (pair[0] > pair[1]):
        yield Fault(field, "invalid_value", "between needs the smaller value first; both ends count.")


def _is_ordered(value: object) -> bool:
    return not isinstance(value, bool) and _is_plain(value)


def _is_plain(value: object) -> bool:
    return isinstance(value, (int, float)) or (isinstance(value, str) and 0 < len(value) <= MAX_TEXT)
