"""The operator's books: whether they were right when last checked, the trial balance, and a check on demand."""

from flask import flash, redirect, render_template, url_for
from werkzeug.wrappers import Response

from core.actors import Person, page
from core.db import transaction
from core.http import business_clock
from core.words import gettext
from marketplace.audit_runs import ask_for_audit
from marketplace.reports.books import books_of
from marketplace.web.operator.invariants import INVARIANTS
from marketplace.web.operator.routes import operator
from marketplace.web.operator.words import actor_said


@operator.get("/books")
@page("operator")
def books(_: Person) -> str:
    """Show what the last audit found and the trial balance of its instant."""
    found = books_of(business_clock().now())
    by_invariant = {code: [one for one in found.findings if one.invariant == code] for code in INVARIANTS}
    return render_template("marketplace/operator/books.html", books=found, invariants=INVARIANTS,
                           by_invariant=by_invariant, actor_said=actor_said)  # fmt: skip


@operator.post("/books/audit")
@page("operator")
def audit_books(person: Person) -> Response:
    """Queue an audit; while one waits, nothing is added."""
    with transaction():
        ask_for_audit(person.name)
    flash(gettext("The check is queued. It takes from seconds to minutes; load this page again to see it."))
    return redirect(url_for("operator.books"))
