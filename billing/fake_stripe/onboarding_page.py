"""The hosted page on which a connected account says who it is."""

from billing.fake_stripe import accounts, pages
from billing.fake_stripe.call import Call
from billing.fake_stripe.errors import Json
from billing.fake_stripe.pages import Page


def show(call: Call, name: str) -> Page:
    """Show the form; an address that was used or has expired leads to the refresh address."""
    known = _link(call, name)
    if known is None:
        return pages.page("Nothing here", pages.paragraph("There is no such onboarding page."), status=404)
    if known["expires_at"] <= call.now:
        again = pages.link(known["refresh_url"], "Get a new one")
        return pages.page("Too late", pages.paragraph("This address has expired."), again, status=410)
    form = pages.choice_form("onboarding", complete="Say who I am, and be paid", later="Later")
    told = pages.paragraph("Stripe would ask here for your name, date of birth, address and bank account.")
    return pages.page("Become payable", told, form)


def submit(call: Call, name: str, form: Json) -> Page:
    """Complete the onboarding, or leave it for later; either way the visitor goes back."""
    known = _link(call, name)
    if known is None or known["expires_at"] <= call.now:
        return show(call, name)
    account_id = name.partition("/")[0]
    account = call.store.find(account_id, "account")
    assert account is not None
    if form.get("onboarding") == "complete":
        accounts.onboarded(call, account)
    call.store.keep_private(account_id, links={})
    address = known["return_url"]
    return pages.see_other(address) if address else pages.page("Done", pages.paragraph("You may close this page."))


def _link(call: Call, name: str) -> Json | None:
    account_id, _, token = name.partition("/")
    known: Json | None = call.store.private(account_id).get("links", {}).get(token)
    return known
