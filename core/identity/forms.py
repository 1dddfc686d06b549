"""The forms of sign-in where they are ours: registering an organisation, asking again for the confirming mail."""

from typing import Any

from flask_security import RegisterFormV2, SendConfirmationForm, hash_password
from wtforms import RadioField, SelectChoice, StringField
from wtforms.validators import DataRequired, InputRequired, Length

from core.words import lazy_gettext as _l


class RegisterForm(RegisterFormV2):
    """Registers an organisation with its first user; operators are made on the command line only."""

    kind = RadioField(
        choices=[SelectChoice("publisher", _l("I send leads")), SelectChoice("buyer", _l("I buy leads"))],
        validators=[InputRequired(_l("Choose what you want to do."))],
    )
    account = StringField(
        filters=[lambda text: text and text.replace("\0", "").strip()],
        validators=[
            DataRequired(_l("Give the name of your organisation.")),
            Length(max=200, message=_l("Give a name of at most 200 characters.")),
        ],
    )

    def to_dict(self, only_user: bool) -> dict[str, Any]:
        """Return what the datastore opens the account with."""
        given: dict[str, Any] = super().to_dict(only_user)
        return given | {"kind": self.kind.data, "account": self.account.data}


class ConfirmAgainForm(SendConfirmationForm):
    """Asks for the confirming mail again; an address that waits for none costs as much as one that does."""

    def validate(self, **given: Any) -> bool:
        """Tell whether a mail is to be sent."""
        wanted: bool = super().validate(**given)
        if not wanted:
            hash_password("not-a-password")
        return wanted
