"""The mail of sign-in: rendered here, queued, and handed over by the worker, so that no answer waits for it."""

from typing import Any

import email_validator
from flask import Flask, Response, after_this_request
from flask_security import MailUtil, hash_password
from flask_security.mail_util import EmailValidateException

from core.db import transaction
from core.jobs import enqueue
from core.words import gettext

JOB = "core.mail"
# Asked for by somebody who is not signed in: an unknown address costs a password's hash, so a known one does too.
ASKED_BY_ANYBODY = ("security/email/reset_instructions", "security/email/confirmation_instructions")


class SignInMail(MailUtil):
    """Hands mail to the queue, in the transaction in which the request ends."""

    def __init__(self, app: Flask) -> None:
        super().__init__(app)

    def send_mail(
        self, template: str, subject: str, recipient: Any, sender: Any, body: str | None, html: str | None,  # noqa: ARG002
        **kwargs: Any,  # noqa: ARG002
    ) -> None:  # fmt: skip
        """Queue one mail; the subject is ours, by the name of its template."""
        if template in ASKED_BY_ANYBODY:
            hash_password("not-a-password")
        enqueue(JOB, to=str(recipient), subject=subject_of(template), text=body or "", html=html or "")
        after_this_request(_keep)

    def normalize(self, email: str) -> str:
        """Return an address as it is stored."""
        return self.validate(email)

    def validate(self, email: str) -> str:
        """Return an address as it is stored, without asking the network; EmailValidateException when it is none."""
        try:
            email_validator.validate_email(email.strip(), check_deliverability=False, globally_deliverable=False)
        except ValueError as wrong:
            raise EmailValidateException(gettext("Give an e-mail address such as ada@example.com.")) from wrong
        return email.strip().lower()


def _keep(response: Response) -> Response:
    """Commit what the request left in the session."""
    with transaction():
        return response


def subject_of(template: str) -> str:
    """Return the subject of a mail in the reader's language: what it wants of them."""
    subjects: dict[str, str] = {
        "welcome": gettext("Leadbourse: confirm your e-mail address"),
        "welcome_existing": gettext("Leadbourse: you are registered already"),
        "confirmation_instructions": gettext("Leadbourse: confirm your e-mail address"),
        "reset_instructions": gettext("Leadbourse: choose a new password"),
        "reset_notice": gettext("Leadbourse: your password was changed"),
        "change_notice": gettext("Leadbourse: your password was changed"),
    }
    return subjects[template.rpartition("/")[2]]
