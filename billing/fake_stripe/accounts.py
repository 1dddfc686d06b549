"""Connected accounts: who is paid, once a hosted page has learnt who they are."""

import secrets

from billing.fake_stripe import lists
from billing.fake_stripe.call import Call, new_id, route
from billing.fake_stripe.errors import Json, Refused, invalid
from billing.fake_stripe.params import PAGE, Needed, boolean, currency, instants, merged, metadata, one_of, text

LINK_SECONDS = 300
NEEDED = [
    "business_profile.url", "business_type", "external_account", "individual.dob.day", "individual.first_name",
    "individual.last_name", "tos_acceptance.date", "tos_acceptance.ip",
]  # fmt: skip
REQUESTED: Json = {"requested": boolean}
PROFILE: Json = {"mcc": text, "name": text, "product_description": text, "support_email": text, "url": text}
PAYOUTS: Json = {"schedule": {"interval": one_of("manual", "daily", "weekly", "monthly")}}
NOTED: Json = {
    "business_profile": PROFILE,
    "business_type": one_of("company", "government_entity", "individual", "non_profit"),
    "capabilities": {"card_payments": REQUESTED, "transfers": REQUESTED},
    "default_currency": currency,
    "email": text,
    "metadata": metadata,
    "settings": {"payouts": PAYOUTS},
}
CONTROLLER: Json = {
    "fees": {"payer": text},
    "losses": {"payments": text},
    "requirement_collection": one_of("stripe"),
    "stripe_dashboard": {"type": one_of("express")},
}
CREATE: Json = NOTED | {"controller": CONTROLLER, "country": text, "type": one_of("express")}


@route("POST", "/v1/accounts", CREATE)
def create(call: Call) -> Json:
    """Make an Express account that has yet to say who it is."""
    given = call.params
    if given.get("type") and given.get("controller"):
        raise invalid("You may only specify one of these parameters: type, controller.", "type")
    account = _blank(call, given)
    account["capabilities"] = _capabilities(account, given)
    return call.add(account)


def _capabilities(account: Json, given: Json) -> Json:
    """Return the capabilities after a request for some: inactive until the account is known."""
    found = dict(account["capabilities"])
    for name, wish in (given.get("capabilities") or {}).items():
        if wish and wish.get("requested"):
            found[name] = "active" if account["details_submitted"] else "inactive"
        else:
            found.pop(name, None)
    return found


def requirements(needed: list[str]) -> Json:
    """Return what an account still has to say."""
    return {
        "alternatives": [],
        "current_deadline": None,
        "currently_due": needed,
        "disabled_reason": "requirements.past_due" if needed else None,
        "errors": [],
        "eventually_due": needed,
        "past_due": needed,
        "pending_verification": [],
    }


def _blank(call: Call, given: Json) -> Json:
    account_id, country = new_id("acct", 16), given.get("country") or "DE"
    return {
        "id": account_id,
        "object": "account",
        "business_profile": _profile(given),
        "business_type": given.get("business_type"),
        "capabilities": {},
        "charges_enabled": False,
        "controller": _controller(given.get("controller") or {}),
        "country": country,
        "created": call.now,
        "default_currency": given.get("default_currency") or ("usd" if country == "US" else "eur"),
        "details_submitted": False,
        "email": given.get("email"),
        "external_accounts": lists.listed([], f"/v1/accounts/{account_id}/external_accounts"),
        "future_requirements": requirements([]),
        "metadata": merged(None, given.get("metadata")),
        "payouts_enabled": False,
        "requirements": requirements(NEEDED),
        "settings": _settings(given),
        "tos_acceptance": {"date": None, "ip": None, "user_agent": None},
        "type": "none" if given.get("controller") else "express",
    }


def _profile(given: Json) -> Json:
    lines = ("mcc", "name", "product_description", "support_address", "support_email", "support_phone",
             "support_url", "url")  # fmt: skip
    return dict.fromkeys(lines) | (given.get("business_profile") or {})


def _controller(given: Json) -> Json:
    return {
        "fees": {"payer": (given.get("fees") or {}).get("payer") or "application_express"},
        "is_controller": True,
        "losses": {"payments": (given.get("losses") or {}).get("payments") or "application"},
        "requirement_collection": "stripe",
        "stripe_dashboard": {"type": "express"},
        "type": "application",
    }


def _settings(given: Json) -> Json:
    payouts = ((given.get("settings") or {}).get("payouts") or {}).get("schedule") or {}
    interval = payouts.get("interval") or "daily"
    return {
        "branding": dict.fromkeys(("icon", "logo", "primary_color", "secondary_color")),
        "card_payments": {
            "decline_on": {"avs_failure": False, "cvc_failure": False},
            "statement_descriptor_prefix": None,
            "statement_descriptor_prefix_kana": None,
            "statement_descriptor_prefix_kanji": None,
        },
        "dashboard": {"display_name": None, "timezone": "Etc/UTC"},
        "payments": dict.fromkeys(("statement_descriptor", "statement_descriptor_kana", "statement_descriptor_kanji")),
        "payouts": {
            "debit_negative_balances": True,
            "schedule": {"delay_days": 7, "interval": interval},
            "statement_descriptor": None,
        },
    }


def onboarded(call: Call, account: Json) -> Json:
    """Record that the account said who it is: it may be paid."""
    platform_call = call.on("")
    platform_call.change(
        account, details_submitted=True, payouts_enabled=True, requirements=requirements([]),
        charges_enabled="card_payments" in account["capabilities"],
        capabilities=dict.fromkeys(account["capabilities"], "active"),
        external_accounts=lists.listed([_bank_account(account)], account["external_accounts"]["url"]),
        tos_acceptance={"date": call.now, "ip": "127.0.0.1", "user_agent": "fake"},
    )  # fmt: skip
    call.on(account["id"]).announce("account.updated", account)
    return account


def restrict(call: Call, account_id: str, reason: str = "requirements.past_due") -> Json:
    """Have an account be paid nothing more: its bank's account failed, or it was rejected."""
    account = retrieve(call, account_id)
    is_rejected = reason.startswith("rejected")
    needs = requirements([] if is_rejected else ["external_account"])
    call.on("").change(
        account, payouts_enabled=False, requirements=needs | {"disabled_reason": reason},
        capabilities=dict.fromkeys(account["capabilities"], "inactive" if is_rejected else "active"),
    )  # fmt: skip
    call.on(account_id).announce("account.updated", account)
    return account


def close(call: Call, account_id: str) -> Json:
    """Have an account be gone: whoever asks for it is told that it is not theirs."""
    account = retrieve(call, account_id)
    call.store.rows("UPDATE objects SET kind = 'closed account' WHERE id = ?", account_id)
    application = {"id": "ca_fake", "object": "application", "name": "Leadbourse"}
    call.on(account_id).announce("account.application.deauthorized", application)
    return account


def _bank_account(account: Json) -> Json:
    return {
        "id": new_id("ba"),
        "object": "bank_account",
        "account": account["id"],
        "account_holder_name": None,
        "account_holder_type": None,
        "account_type": None,
        "available_payout_methods": ["standard"],
        "bank_name": "STRIPE TEST BANK",
        "country": account["country"],
        "currency": account["default_currency"],
        "default_for_currency": True,
        "fingerprint": secrets.token_hex(8),
        "future_requirements": {"currently_due": [], "errors": [], "past_due": [], "pending_verification": []},
        "last4": "3000",
        "metadata": {},
        "requirements": {"currently_due": [], "errors": [], "past_due": [], "pending_verification": []},
        "routing_number": "110000000",
        "status": "new",
    }


@route("GET", "/v1/accounts/{}")
def retrieve(call: Call, account_id: str) -> Json:
    """Return an account."""
    account = call.store.find(account_id, "account")
    if account is None:
        message = f"The provided key does not have access to account '{account_id}' (or that account does not exist)."
        raise Refused(message, status=403, code="account_invalid")
    return account


@route("POST", "/v1/accounts/{}", NOTED)
def update(call: Call, account_id: str) -> Json:
    """Change what is noted on an account."""
    account, given = retrieve(call, account_id), call.params
    changes: Json = {name: given[name] for name in ("business_type", "default_currency", "email") if name in given}
    if "metadata" in given:
        changes["metadata"] = merged(account["metadata"], given["metadata"])
    if "business_profile" in given:
        changes["business_profile"] = {**account["business_profile"], **(given["business_profile"] or {})}
    if "settings" in given:
        changes["settings"] = _settings(given)
    changes["capabilities"] = _capabilities(account, given)
    call.on("").change(account, **changes)
    call.on(account_id).announce("account.updated", account)
    return account


@route("GET", "/v1/accounts", PAGE | {"created": instants})
def index(call: Call) -> Json:
    """Return a page of accounts."""
    return lists.page(call, "account", "/v1/accounts", created=call.params.get("created"))


LINK: Json = {
    "account": Needed(text),
    "collection_options": {"fields": text, "future_requirements": text},
    "refresh_url": text,
    "return_url": text,
    "type": Needed(one_of("account_onboarding", "account_update")),
}


@route("POST", "/v1/account_links", LINK)
def link(call: Call) -> Json:
    """Make the address, for five minutes and one visit, of the page on which an account says who it is."""
    given = call.params
    retrieve(call, given["account"])
    token = secrets.token_urlsafe(16)
    expires_at = call.now + LINK_SECONDS
    known = {"return_url": given.get("return_url"), "refresh_url": given.get("refresh_url"), "expires_at": expires_at}
    call.store.keep_private(given["account"], links={token: known})
    url = f"{call.base_url}/onboarding/{given['account']}/{token}"
    return {"object": "account_link", "created": call.now, "expires_at": expires_at, "url": url}
