"""Sign-in, by Flask-Login through Flask-Security: the only place that knows either of them.

It runs on real time: a sped-up market must not end anybody's session. Its own views commit by themselves, the one
exception of this house besides the hot path.
"""

import base64
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from flask import Flask, current_app, request, session
from flask_login import current_user, user_logged_in
from flask_security import Security, uia_email_mapper
from flask_wtf import CSRFProtect
from werkzeug.middleware.proxy_fix import ProxyFix

from core.config import Settings
from core.db import transaction
from core.errors import TooMany
from core.identity.accounts import Place, hashing_costs
from core.identity.datastore import OneTimeCodes, Opened, People, places_here
from core.identity.forms import ConfirmAgainForm, RegisterForm
from core.identity.mail import SignInMail
from core.identity.models import User
from core.identity.sessions import PageSessions
from core.identity.throttle import forgive, network_of, refused_lately, subject_of, wait_after_try
from core.root_key import derive, read_root_key
from core.words import lazy_gettext as _l

KEY = "leadbourse_throttle_key"
SESSION_LIFE = timedelta(days=14)
# Who may open what Flask-Security serves; the house test finds a route that is not named here.
GUARDS = {
    "login": "public", "logout": "public", "register": "public", "forgot_password": "public",
    "reset_password": "public", "send_confirmation": "public", "confirm_email": "public", "verify": "person",
    "change_password": "person", "two_factor_setup": "person", "two_factor_setup_validate": "person",
    "two_factor_token_validation": "public", "two_factor_rescue": "public", "tf_select": "public",
    "mf_recovery_codes": "person", "mf_recovery": "public",
}  # fmt: skip
# What is counted when somebody posts to it.
ACTION_OF = {
    "login": "sign_in", "verify": "sign_in", "change_password": "sign_in", "two_factor_token_validation": "sign_in",
    "mf_recovery": "sign_in", "reset_password": "sign_in", "register": "mail", "forgot_password": "mail",
    "send_confirmation": "mail",
}  # fmt: skip
# What Flask-Security says, in this house's words; what is not here keeps its own.
SAYS = {
    "UNAUTHENTICATED": (_l("Sign in to go on."), "info"),
    "REAUTHENTICATION_REQUIRED": (_l("Give your password once more."), "info"),
    "GENERIC_AUTHN_FAILED": (
        _l("This address and password sign nobody in. If you have just registered, open the link in the mail first."),
        "error",
    ),
    "CONFIRM_REGISTRATION": (_l("A mail is on its way to %(email)s: open the link in it, then sign in."), "info"),
    "CONFIRMATION_REQUEST": (_l("If %(email)s waits to be confirmed, a mail is on its way to it."), "info"),
    "PASSWORD_RESET_REQUEST": (_l("If %(email)s is known here, a mail with a link is on its way to it."), "info"),
    "EMAIL_CONFIRMED": (_l("Your address is confirmed. Sign in."), "info"),
    "INVALID_CONFIRMATION_TOKEN": (_l("This link does not work any more. Have the mail sent again."), "error"),
    "INVALID_RESET_PASSWORD_TOKEN": (_l("This link does not work any more. Have another one sent."), "error"),
    "PASSWORD_RESET_NO_LOGIN": (_l("The new password is kept. Sign in with it."), "info"),
    "PASSWORD_CHANGE": (_l("The password is changed."), "info"),
    "PASSWORD_INVALID_LENGTH": (_l("Choose a password of at least 8 characters."), "error"),
    "PASSWORD_NOT_PROVIDED": (_l("Give the password."), "error"),
    "EMAIL_NOT_PROVIDED": (_l("Give your e-mail address."), "error"),
    "INVALID_EMAIL_ADDRESS": (_l("Give an e-mail address such as ada@example.com."), "error"),
    "RETYPE_PASSWORD_MISMATCH": (_l("Type the same password in both fields."), "error"),
    "INVALID_PASSWORD": (_l("This is not your password."), "error"),
    "TWO_FACTOR_INVALID_TOKEN": (_l("This code does not count. Type the six digits that the app shows now."), "error"),
    "INVALID_RECOVERY_CODE": (_l("This recovery code does not count. Each counts once."), "error"),
    "TWO_FACTOR_CHANGE_METHOD_SUCCESSFUL": (_l("The second factor is on."), "info"),
    "TWO_FACTOR_LOGIN_SUCCESSFUL": (_l("You are signed in."), "info"),
    "TWO_FACTOR_DISABLED": (_l("The second factor is off."), "info"),
    "TWO_FACTOR_PERMISSION_DENIED": (_l("Sign in with your password first."), "error"),
}
_SWITCHES = (
    "REGISTERABLE", "CONFIRMABLE", "RECOVERABLE", "CHANGEABLE", "TWO_FACTOR", "MULTI_FACTOR_RECOVERY_CODES",
    "RETURN_GENERIC_RESPONSES",
)  # fmt: skip
_OFF = (
    "EMAIL_HTML", "PASSWORD_CONFIRM_REQUIRED", "JOIN_USER_ROLES",
    "TWO_FACTOR_RESCUE_EMAIL", "AUTO_LOGIN_AFTER_CONFIRM",
)  # fmt: skip


def install_sign_in(app: Flask, settings: Settings, opened: Opened) -> CSRFProtect:
    """Let people sign in to this application; `opened` is told of each account that somebody registers.

    Returns the guard against forged posts, to which what carries no session is made known.
    """
    root = read_root_key(settings.data_folder, settings.root_key)
    app.extensions[KEY] = derive(root, "throttle")
    app.config.update(_configuration(settings, root))
    if settings.proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, settings.proxies, settings.proxies)  # type: ignore[method-assign]
    app.session_interface = PageSessions()
    app.before_request(_count)
    csrf = CSRFProtect(app)
    security = Security(
        app, People(opened), register_form=RegisterForm, send_confirmation_form=ConfirmAgainForm,
        mail_util_cls=SignInMail, totp_cls=OneTimeCodes,
    )  # fmt: skip
    security.want_json(lambda _: False)
    # Its tokens are not used; looking for one would read every request's whole JSON body before anybody limits it.
    security.login_manager.request_loader(lambda _: None)
    security.principal.identity_loaders.clear()
    for name, guard in GUARDS.items():
        vars(app.view_functions[f"security.{name}"])["guard"] = guard  # the house test reads it
    security.mail_context_processor(lambda: {"site": settings.address})
    user_logged_in.connect(_welcome, app)
    return csrf


def _configuration(settings: Settings, root: bytes) -> dict[str, Any]:
    secure = settings.address.startswith("https:")
    return {
        "SECRET_KEY": derive(root, "sessions").hex(),
        "SESSION_COOKIE_NAME": "leadbourse", "SESSION_COOKIE_HTTPONLY": True, "SESSION_COOKIE_SAMESITE": "Lax",
        "SESSION_COOKIE_SECURE": secure, "PERMANENT_SESSION_LIFETIME": SESSION_LIFE,
        "REMEMBER_COOKIE_HTTPONLY": True, "REMEMBER_COOKIE_SAMESITE": "Lax", "REMEMBER_COOKIE_SECURE": secure,
        "REMEMBER_COOKIE_DURATION": SESSION_LIFE, "REMEMBER_COOKIE_NAME": "leadbourse_remember",
        "WTF_CSRF_TIME_LIMIT": None, "WTF_CSRF_SSL_STRICT": False,
        "SECURITY_STATIC_FOLDER": None, "SECURITY_CACHE_CONTROL": None,
        "SECURITY_CLI_USERS_NAME": None, "SECURITY_CLI_ROLES_NAME": None,
        "SECURITY_PASSWORD_HASH": "argon2", "SECURITY_PASSWORD_SCHEMES": ["argon2"],
        "SECURITY_PASSWORD_HASH_PASSLIB_OPTIONS": {f"argon2__{name}": cost for name, cost in hashing_costs().items()},
        "SECURITY_DEPRECATED_PASSWORD_SCHEMES": [], "SECURITY_PASSWORD_SINGLE_HASH": ["argon2"],
        "SECURITY_PASSWORD_NORMALIZE_FORM": None, "SECURITY_HASHING_SCHEMES": ["hex_sha256"],
        "SECURITY_DEPRECATED_HASHING_SCHEMES": [],
        "SECURITY_USER_IDENTITY_ATTRIBUTES": [{"email": {"mapper": uia_email_mapper, "case_insensitive": False}}],
        "SECURITY_API_ENABLED_METHODS": ["session"], "SECURITY_FRESHNESS": timedelta(hours=1),
        "SECURITY_FRESHNESS_GRACE_PERIOD": timedelta(0), "SECURITY_DATETIME_FACTORY": lambda: datetime.now(UTC),
        "SECURITY_TWO_FACTOR_ENABLED_METHODS": ["authenticator"], "SECURITY_TOTP_ISSUER": "Leadbourse",
        "SECURITY_TOTP_SECRETS": {"1": derive(root, "second factors").hex()},
        "SECURITY_MULTI_FACTOR_RECOVERY_CODES_N": 10,
        "SECURITY_MULTI_FACTOR_RECOVERY_CODES_KEYS": [base64.urlsafe_b64encode(derive(root, "recovery codes"))],
        "SECURITY_POST_REGISTER_VIEW": "/login", "SECURITY_RESET_PASSWORD_WITHIN": timedelta(hours=2),
        **{f"SECURITY_MSG_{code}": said for code, said in SAYS.items()},
        **{f"SECURITY_{name}": True for name in _SWITCHES},
        **{f"SECURITY_{name}": False for name in _OFF},
    }  # fmt: skip


def _count() -> None:
    """Refuse (429) whoever tries too often, before anything is looked up, whether or not such a person exists."""
    blueprint, _, name = (request.endpoint or "").rpartition(".")
    action = ACTION_OF.get(name) if blueprint == "security" and request.method == "POST" else None
    if action is None:
        return
    person, address = _who(), subject_of(_key(), network_of(request.remote_addr or ""))
    with transaction():
        seconds = wait_after_try(action, subject_of(_key(), person) if person else None, address, datetime.now(UTC))
    if seconds:
        raise TooMany(f"Too many tries. Try again in {-(-seconds // 60)} minutes.", seconds)


def _who() -> str | None:
    """Name whom a try is about: the address typed, or the session's person, whose mark stands in the cookie."""
    typed: str | None = request.form.get("email") or session.get("tf_user_id") or session.get("_user_id")
    return typed


def _key() -> bytes:
    key: bytes = current_app.extensions[KEY]
    return key


def _welcome(_: Flask, user: User) -> None:
    """Forget the tries of whoever has signed in; the view commits."""
    for name in (user.email, user.fs_uniquifier):
        forgive("sign_in", subject_of(_key(), name), datetime.now(UTC))


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Who is signed in; a copy, since the row itself ends with the request's first transaction."""

    user_id: UUID
    email: str
    language: str | None
    has_second_factor: bool
    places: tuple[Place, ...]


def signed_in_user() -> SignedIn | None:
    """Return who is signed in with this request, None when nobody is."""
    if not current_user.is_authenticated:
        return None
    user: User = current_user
    return SignedIn(user.id, user.email, user.language, user.tf_primary_method is not None, places_here(user))


def refused_tries(email: str) -> int:
    """Return how many tries to sign in as this person were refused in the last thirty days."""
    return refused_lately(subject_of(_key(), email))
