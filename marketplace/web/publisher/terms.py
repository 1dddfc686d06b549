"""The publisher's terms: on which he sells now, what the next tier asks for, what the reviews found, every version."""

from flask import render_template

from core.actors import Person, page
from core.pages import page_time
from marketplace.reports.publisher_terms import terms_story
from marketplace.web import terms_words
from marketplace.web.chrome import CURRENCY
from marketplace.web.publisher.routes import publisher


@publisher.get("/terms")
@page("publisher")
def terms(person: Person) -> str:
    """Show the publisher's terms."""
    story = terms_story(person.account_id, page_time())
    return render_template("marketplace/publisher/terms.html", story=story, words=terms_words, currency=CURRENCY)
