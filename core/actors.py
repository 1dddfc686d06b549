"""Who looks at a page: the person, the account they act for now, and which pages that account may open."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any
from uuid import UUID

from flask import Response, g, request, session
from werkzeug.wrappers import Response as AnyResponse

from core.errors import NotAllowed, NotFound, NotSignedIn
from core.identity import Place, SignedIn, signed_in_user
from core.ids import parse_id, show_id

ACCOUNT = "account"  # where the session keeps the account acted for
ANY_KIND = ("publisher", "buyer", "operator")

PageView = Callable[..., str | AnyResponse]


@dataclass(frozen=True, slots=True)
class Person:
    """Whoever looks: the user, and the account acted for."""

    user: SignedIn
    place: Place

    @property
    def places(self) -> tuple[Place, ...]:
        """Return the accounts that this person may act for, the present one among them."""
        return self.user.places

    @property
    def account_id(self) -> UUID:
        """Return the account acted for; every question that a page asks begins with it."""
        return self.place.account_id

    @property
    def kind(self) -> str:
        """Return the kind of the account acted for."""
        return self.place.kind

    @property
    def name(self) -> str:
        """Return how events and bookings name this person."""
        return f"user:{self.user.user_id}"


def present_person() -> Person | None:
    """Return who looks at this page, None when nobody is signed in; asks the database once a request."""
    if "person" not in g:
        g.signed_in = signed_in_user()
        g.person = _person_of(g.signed_in) if g.signed_in else None
    person: Person | None = g.person
    return person


def _person_of(user: SignedIn) -> Person:
    if not user.places:
        raise NotAllowed("account_suspended", "Your account is suspended. Write to the operator of this exchange.")
    chosen = session.get(ACCOUNT)
    place = next((one for one in user.places if show_id("acc", one.account_id) == chosen), user.places[0])
    return Person(user, place)


def act_for(person: Person, account: str) -> Place:
    """Act for another of the person's accounts from now on; NotFound for anybody else's."""
    wanted = parse_id("acc", account)
    for place in person.places:
        if place.account_id == wanted:
            session[ACCOUNT] = account
            return place
    raise NotFound(detail="You belong to no account with this id.")


def page(*kinds: str) -> Callable[[PageView], Callable[..., Any]]:
    """Declare a page for signed-in people of these kinds of account, of any kind without one; it gets the person first.

    Somebody who is not signed in is asked to (NotSignedIn), one of another kind is told so (NotAllowed).
    """

    def declare(view: PageView) -> Callable[..., Any]:
        @wraps(view)
        def guarded(**arguments: Any) -> Any:
            person = present_person()
            if person is None:
                raise NotSignedIn("sign_in_first", "Sign in to go on.")
            if kinds and person.kind not in kinds:
                raise NotAllowed("other_kind", f"This page is for accounts of another kind: {' or '.join(kinds)}.")
            return view(person, **arguments)

        guarded.guard = f"page:{'|'.join(kinds or ANY_KIND)}"  # type: ignore[attr-defined]  # the house test reads it
        return guarded

    return declare


def keep_private(response: Response) -> Response:
    """Let nobody keep what a signed-in person was shown, nor a form of sign-in, not even the browser afterwards."""
    if g.get("person") is not None or request.blueprint == "security":
        response.headers["Cache-Control"] = "private, no-store"
    return response
