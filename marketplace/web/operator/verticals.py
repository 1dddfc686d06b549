"""The operator's verticals: all of them with what goes by each, and one with every version it had."""

from flask import render_template

from core.actors import Person, page
from core.clock import REAL_TIME
from core.pages import page_time
from marketplace.reports.verticals import DAYS, vertical_lines, vertical_story
from marketplace.web.operator.routes import operator
from marketplace.web.operator.vertical_form import CONTESTS, PROOFS, RULES, TYPES
from marketplace.web.operator.vertical_words import place_word
from marketplace.web.operator.words import actor_said
from marketplace.web.vertical_names import name_of


@operator.get("/verticals")
@page("operator")
def verticals(_: Person) -> str:
    """Show the verticals with what went by them lately."""
    lines = vertical_lines(page_time(), REAL_TIME.now())
    return render_template("marketplace/operator/verticals.html", lines=lines, days=DAYS, name_of=name_of)


@operator.get("/verticals/<slug>")
@page("operator")
def vertical(_: Person, slug: str) -> str:
    """Show one vertical: what it says, what went by it, and who changed what."""
    story = vertical_story(slug, page_time(), REAL_TIME.now())
    return render_template(
        "marketplace/operator/vertical.html", story=story, days=DAYS, name_of=name_of, types=TYPES, proofs=PROOFS,
        rules=RULES, contests=CONTESTS,
        actor_said=actor_said, place_word=place_word,
    )  # fmt: skip
