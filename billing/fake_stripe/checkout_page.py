"""The hosted payment page: a form for the card, a second one where its bank asks for authentication."""

from billing.fake_stripe import checkout, customers, pages, payment_intents, payment_methods, setup_intents
from billing.fake_stripe.call import Call
from billing.fake_stripe.cards import CARDS, Card
from billing.fake_stripe.errors import Json
from billing.fake_stripe.pages import Page

GONE = {"complete": (409, "This was paid already."), "expired": (410, "This payment page has expired.")}
UNKNOWN_CARD = "This is not one of the test cards; nothing was charged."


def show(call: Call, session_id: str, message: str | None = None, status: int = 200) -> Page:
    """Show the form, or why there is none any more."""
    session = call.store.find(session_id, "checkout.session")
    if session is None:
        return pages.page("Nothing here", pages.paragraph("There is no such payment page."), status=404)
    if session["status"] != "open":
        return _gone(session)
    title = "Save a card"
    if session["mode"] == "payment":
        title = f"Pay {pages.amount(session['amount_total'], session['currency'])}"
    items = pages.line_items(call.store.private(session_id)["line_items"])
    cancel = pages.link(session["cancel_url"], "Cancel and go back")
    return pages.page(title, items, pages.alert(message), pages.card_form(title), cancel, status=status)


def _gone(session: Json) -> Page:
    status, text = GONE[session["status"]]
    if session["mode"] == "setup" and status == 409:
        text = "The card was saved already."
    address = _success_url(session) if status == 409 else session["cancel_url"]
    return pages.page("Nothing to pay", pages.paragraph(text), pages.link(address, "Go back"), status=status)


def submit(call: Call, session_id: str, form: Json) -> Page:
    """Pay with a card, or say whether its holder proved who they are."""
    session = call.store.find(session_id, "checkout.session")
    if session is None or session["status"] != "open":
        return show(call, session_id)
    call = call.on(call.store.owner(session_id))
    if "authentication" in form:
        return _authenticated(call, session, form["authentication"] == "approve")
    number = "".join(filter(str.isdigit, str(form.get("card_number", ""))))
    card = CARDS.get(number)
    if card is None:
        return show(call, session_id, UNKNOWN_CARD, 402)
    method = payment_methods.make(call, card, session["customer_email"])
    if session["mode"] == "setup":
        return _save(call, session, method, card)
    return _pay(call, session, method, card)


def _pay(call: Call, session: Json, method: Json, card: Card) -> Page:
    intent = _intent(call, session)
    if card.code:
        payment_intents.decline(call, intent, method, card)
        return show(call, session["id"], card.message, 402)
    if payment_intents.needs_authentication(call, method, card):
        payment_intents.ask(call, intent, method, session["success_url"])
        call.store.keep_private(session["id"], asked=method["id"])
        return _question(session)
    return _paid(call, session, intent, method)


def _paid(call: Call, session: Json, intent: Json, method: Json) -> Page:
    payment_intents.pay(call, intent, method)
    checkout.complete(call, session, payment_status="paid", payment_intent=intent["id"])
    return pages.see_other(_success_url(session))


def _intent(call: Call, session: Json) -> Json:
    """Return the session's intent, made at the first try; with it the customer, where one is to be made."""
    if session["payment_intent"]:
        return call.get("payment_intent", session["payment_intent"])
    data = call.store.private(session["id"])["payment_intent_data"]
    if session["customer"] is None and (session["customer_creation"] == "always" or data.get("setup_future_usage")):
        session["customer"] = _new_customer(call, session)
    intent = payment_intents.make(
        call, **data, amount=session["amount_total"], currency=session["currency"], customer=session["customer"],
    )  # fmt: skip
    call.change(session, payment_intent=intent["id"])
    return intent


def _new_customer(call: Call, session: Json) -> str:
    email = session["customer_email"] or "payer@example.com"
    maker = Call(call.store, call.base_url, call.now, call.account, params={"email": email})
    return str(customers.create(maker)["id"])


def _save(call: Call, session: Json, method: Json, card: Card) -> Page:
    intent = call.get("setup_intent", session["setup_intent"])
    if not card.can_be_saved:
        setup_intents.decline(call, intent, card.code, card.message)
        return show(call, session["id"], card.message, 402)
    if payment_intents.needs_authentication(call, method, card):
        call.change(intent, "setup_intent.requires_action", status="requires_action", payment_method=method["id"])
        call.store.keep_private(session["id"], asked=method["id"])
        return _question(session)
    return _saved(call, session, intent, method)


def _saved(call: Call, session: Json, intent: Json, method: Json) -> Page:
    if session["customer"] is None and session["customer_creation"] == "always":
        session["customer"] = intent["customer"] = _new_customer(call, session)
    setup_intents.finish(call, intent, method)
    checkout.complete(call, session)
    return pages.see_other(_success_url(session))


def _authenticated(call: Call, session: Json, is_approved: bool) -> Page:
    """Go on with the card whose bank asked; a form sent twice finds no question any more."""
    asked = call.store.private(session["id"]).get("asked")
    if not asked:
        return show(call, session["id"], "No card waits for authentication.", 409)
    call.store.keep_private(session["id"], asked=None)
    method = call.get("payment_method", asked)
    kind = session["mode"] if session["mode"] == "setup" else "payment"
    intent = call.get(f"{kind}_intent", session[f"{kind}_intent"])
    if is_approved:
        return (_saved if kind == "setup" else _paid)(call, session, intent, method)
    if kind == "setup":
        setup_intents.decline(call, intent, "setup_intent_authentication_failure", payment_intents.NOT_PROVEN)
        call.change(intent, status="requires_payment_method", payment_method=None)
    else:
        payment_intents.not_proven(call, intent, method)
    return show(call, session["id"], payment_intents.NOT_PROVEN, 402)


def _question(session: Json) -> Page:
    return pages.page(
        "Your bank wants to know that it is you",
        pages.choice_form("authentication", approve="Approve", fail="Fail"),
        pages.link(session["cancel_url"], "Cancel and go back"),
    )


def _success_url(session: Json) -> str:
    return str(session["success_url"]).replace("{CHECKOUT_SESSION_ID}", session["id"])


def show_question(call: Call, intent_id: str) -> Page:
    """Show the bank's question about an intent that a program confirmed."""
    intent = call.store.find(intent_id, "payment_intent")
    if intent is None or intent["status"] != "requires_action":
        return pages.page("Nothing here", pages.paragraph("No payment waits for authentication."), status=404)
    question = pages.choice_form("authentication", approve="Approve", fail="Fail")
    return pages.page("Your bank wants to know that it is you", question)


def answer_question(call: Call, intent_id: str, form: Json) -> Page:
    """Pay an intent that a program confirmed, or record that its holder failed."""
    intent = call.store.find(intent_id, "payment_intent")
    if intent is None or intent["status"] != "requires_action":
        return show_question(call, intent_id)
    call = call.on(call.store.owner(intent_id))
    method = call.get("payment_method", intent["payment_method"])
    address = intent["next_action"]["redirect_to_url"]["return_url"]
    if form.get("authentication") == "approve":
        payment_intents.pay(call, intent, method)
        return pages.see_other(address) if address else pages.page("Paid")
    payment_intents.not_proven(call, intent, method)
    if address:
        return pages.see_other(address)
    return pages.page("Not paid", pages.alert(payment_intents.NOT_PROVEN), status=402)
