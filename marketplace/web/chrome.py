"""What stands around every page of a signed-in person: places, the one number that matters, their accounts."""

from dataclasses import dataclass
from typing import Any

from flask import Flask, current_app, g, request, url_for
from markupsafe import Markup

from affiliates import earnings_in
from core.actors import Person, present_person
from core.fields import bare, labelled, under
from core.http import kept_by_app, settings
from core.i18n import LANGUAGES, money, number, relative, wanted_language
from core.pages import page_time, theme
from core.shown import ident, instant
from core.words import gettext, locale
from core.words import lazy_gettext as _l
from marketplace.reports.buyer_wallet import wallet_standing
from marketplace.reports.dispute_queue import waiting_disputes
from marketplace.reports.publisher_balance import pending_here
from marketplace.reports.publisher_today import balance_of, next_release_of
from marketplace.web import charts, saved_views, tables, words

CURRENCY = "EUR"  # what pages show first; the verticals that ship trade in it


@dataclass(frozen=True, slots=True)
class Step:
    """A place in the rail: the endpoint it leads to, its icon and its word."""

    endpoint: str
    icon: str
    word: Any


# The places of each kind in their order; one whose page is not there yet is not shown.
PLACES = {
    "publisher": (
        Step("publisher.today", "calendar3", _l("Today")),
        Step("publisher.leads", "people", _l("Leads")),
        Step("publisher.sources", "box-arrow-in-down", _l("Sources")),
        Step("publisher.briefs", "clipboard-check", _l("Briefs")),
        Step("market.now", "graph-up", _l("Market")),
        Step("publisher.upload", "filetype-csv", _l("Upload")),
        Step("publisher.disputes", "chat-left-text", _l("Disputes")),
        Step("publisher.balance", "wallet2", _l("Balance")),
        Step("publisher.payouts", "send", _l("Payouts")),
        Step("publisher.statements", "receipt", _l("Statements")),
        Step("programs.overview", "key", _l("Programs")),
    ),
    "buyer": (
        Step("buyer.orders", "list-check", _l("Orders")),
        Step("buyer.leads", "people", _l("Leads")),
        Step("market.now", "graph-up", _l("Market")),
        Step("buyer.briefs", "clipboard-check", _l("Briefs")),
        Step("buyer.disputes", "chat-left-text", _l("Disputes")),
        Step("buyer.wallet", "wallet2", _l("Wallet")),
        Step("buyer.documents", "receipt", _l("Documents")),
        Step("buyer.deliveries", "send", _l("Deliveries")),
        Step("buyer.lists", "person-check", _l("Lists")),
        Step("programs.overview", "key", _l("Programs")),
    ),
    "operator": (
        Step("operator.disputes", "chat-left-text", _l("Disputes")),
        Step("operator.review", "eye", _l("Review")),
        Step("operator.publishers", "box-arrow-in-down", _l("Publishers")),
        Step("operator.buyers", "bag", _l("Buyers")),
        Step("operator.payouts", "send", _l("Payouts")),
        Step("operator.credit_lines", "credit-card-2-front", _l("Credit lines")),
        Step("market.now", "graph-up", _l("Market")),
        Step("operator.verticals", "diagram-3", _l("Verticals")),
        Step("operator.what_if", "arrow-repeat", _l("What if")),
        Step("operator.jobs", "gear", _l("Jobs")),
        Step("operator.books", "journal-check", _l("Books")),
        Step("operator.bank", "bank", _l("Bank")),
        Step("operator.audit_log", "clock-history", _l("Log")),
        Step("operator.settings", "sliders", _l("Settings")),
        Step("programs.overview", "key", _l("Programs")),
        Step("design.components", "palette", _l("Components")),
    ),
}
_HAVE_PLACES = {step.endpoint for steps in PLACES.values() for step in steps}
ON_A_PHONE = 4  # places in the bottom bar; the others are under "more"


def install(app: Flask) -> None:
    """Give templates what stands around pages, and the words and shapes that they share."""
    app.jinja_env.globals.update(
        viewer=present_person, places=places_of, headline=headline, languages=LANGUAGES, language=wanted_language,
        on_a_phone=ON_A_PHONE, col=tables.col, num=tables.num, here=tables.here, sort_link=tables.sort_link,
        sorted_as=tables.sorted_as, sparkline=charts.sparkline, kind_of=words.kind_of,
        instant=instant, ident=ident, kept=kept, labelled=labelled, bare=bare, under=under, state=words.state_shown,
        movement_of=words.movement_of_kind, is_here=is_here, period_word=words.period_word, term_word=words.term_word,
        is_test_money=lambda: settings().test_money, takes_cards=lambda: settings().takes_cards,
        paid_from_word=words.paid_from_word,
        outcome_word=words.outcome_word, report_word=words.report_word, contact_word=words.contact_word,
        views_here=saved_views.views_here, filters_here=saved_views.filters_here, view_address=saved_views.address,
    )  # fmt: skip


def places_of(kind: str) -> list[Step]:
    """Return the places of a kind of account that have a page."""
    hidden = () if settings().show_design or kind == "operator" else ("design.components",)
    return [
        step for step in PLACES[kind] if step.endpoint in current_app.view_functions and step.endpoint not in hidden
    ]


def kept(module: str, macro: str, *about: str) -> Markup:
    """Return what a macro draws, drawn once for each language, theme and place of the rail.

    It is for what stands around every page: what depends neither on who looks nor on the rest of the request.
    """
    here = request.endpoint if request.endpoint in _HAVE_PLACES else None
    key = (module, macro, about, locale().language, wanted_language(), theme(), here, request.root_path)
    drawn: dict[Any, Markup] = kept_by_app("leadbourse_drawn", dict)
    if key not in drawn:
        drawn[key] = getattr(current_app.jinja_env.get_template(f"_macros/{module}.html").module, macro)(*about)
    return drawn[key]


def first_page(person: Person) -> str:
    """Return the address of the page that a person's account begins with."""
    steps = places_of(person.kind)
    return url_for(steps[0].endpoint) if steps else url_for("people.account")


def is_here(step: Step) -> bool:
    """Tell whether this page is at a place of the rail."""
    return request.endpoint == step.endpoint


def headline(person: Person) -> list[tuple[str, str]]:
    """Return the one number that matters to the account's kind, and what qualifies it, each with its word."""
    if "headline" not in g:
        g.headline = {"publisher": _earned, "buyer": _spendable, "operator": _waiting}[person.kind](person)
    told: list[tuple[str, str]] = g.headline
    return told


def _earned(person: Person) -> list[tuple[str, str]]:
    told = [(gettext("Payable"), money(earned_here(person).payable))]
    known = g.get("balance")
    if next_release_at := known.next_release_at if known else next_release_of(person.account_id, CURRENCY):
        told.append((gettext("Next release"), relative(next_release_at, page_time())))
    return told


def _spendable(person: Person) -> list[tuple[str, str]]:
    standing = standing_here(person)
    told = [(gettext("Available"), money(standing.balance.spendable))]
    if standing.lasts_days is not None:
        told.append((gettext("Lasts"), gettext("%(days)s days", days=number(standing.lasts_days))))
    return told


def _waiting(_: Person) -> list[tuple[str, str]]:
    waiting = waiting_disputes()
    told = [(gettext("Open disputes"), number(waiting.disputes))]
    if waiting.oldest_at:
        told.append((gettext("Oldest"), relative(waiting.oldest_at, page_time())))
    return told


def earned_here(person: Person) -> Any:
    """Return what the publisher earned, asked for once a page."""
    if "earned" not in g:
        g.earned = earnings_in(person.account_id, CURRENCY)
    return g.earned


def balance_here(person: Person) -> Any:
    """Return the publisher's balance with all that is pending, asked for once a page."""
    if "balance" not in g:
        pending = pending_here(person.account_id, CURRENCY, page_time())
        counted_at = pending.counted_at if pending.counted_at < page_time() else None
        g.balance = balance_of(earned_here(person), pending.value, counted_at)
    return g.balance


def standing_here(person: Person) -> Any:
    """Return the buyer's standing, asked for once a page."""
    if "standing" not in g:
        g.standing = wallet_standing(person.account_id, CURRENCY, page_time())
    return g.standing
