"""Sending mail: through the installation's mail server, or into a folder of .eml files when it has none."""

import re
import smtplib
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from email.headerregistry import AddressHeader
from email.message import EmailMessage
from email.utils import make_msgid, parseaddr
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

from core.clock import REAL_TIME
from core.http import kept_by_app, settings
from core.ids import new_id
from core.jobs import job

MOST_BYTES = 10_000_000
MOST_RECIPIENTS = 50
TIMEOUT_SECONDS = 20
_ADDRESS = re.compile(r"[^\s@<>,;:\"\\()\[\]]{1,64}@[^\s@<>,;:\"\\()\[\]]{1,255}")
_TOKEN = re.compile(r"[a-z0-9_]{0,40}")
_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_PORT_OF = {"smtp": 587, "smtps": 465}
_TRY_AGAIN = range(400, 500)  # replies that pass, RFC 5321 section 4.2.1


class NotSent(Exception):
    """The mail was not handed over.

    The code is `bad_mail` (it can never be sent), `refused` (the server will not have it), or `later` and `connection`,
    after which it is worth trying again; the text says it for people. `status` is the server's
    reply code, if it gave one.
    """

    def __init__(self, code: str, says: str, status: int | None = None) -> None:
        self.code, self.status = code, status
        super().__init__(says)


@dataclass(frozen=True, slots=True)
class Sent:
    """What was handed over: its Message-ID, and the recipients whom the server would not have, with its words."""

    message_id: str
    refused: Mapping[str, str]


class Mailer:
    """Hands mail over; threads may share it, since each mail has a connection of its own."""

    def __init__(self, folder: Path, smtp_url: str | None, sender: str) -> None:
        self._folder, self._sender = folder, sender
        self._host = parseaddr(sender)[1].rpartition("@")[2]
        self._server = urlsplit(smtp_url) if smtp_url else None

    def message_id(self, token: str) -> str:
        """Return the Message-ID of what a token stands for, the same at every try, by which a repetition is known."""
        return f"<{token}@{self._host}>"

    def send(self, message: EmailMessage, bounce_token: str = "") -> Sent:
        """Hand one mail over, adding From, Date and Message-ID where they are missing; NotSent when it fails.

        What comes back as undeliverable goes to the sender's address with `+` and the token in it, which tells for
        what it was sent.
        """
        self._complete(message)
        sender, recipients = self._envelope_sender(bounce_token), recipients_of(message)
        check_mail(message, recipients)
        if self._server is None:
            self._store(message, sender, recipients)
            return Sent(message["Message-ID"], {})
        return Sent(message["Message-ID"], self._hand_over(self._server, message, sender, recipients))

    def _complete(self, message: EmailMessage) -> None:
        for name, text in (("From", self._sender), ("Message-ID", make_msgid(domain=self._host))):
            if name not in message:
                message[name] = text
        if "Date" not in message:
            message["Date"] = REAL_TIME.now()

    def _envelope_sender(self, token: str) -> str:
        if not _TOKEN.fullmatch(token):
            raise ValueError("a bounce token is up to 40 small letters and digits")
        name, _, host = parseaddr(self._sender)[1].rpartition("@")
        return f"{name}+{token}@{host}" if token else f"{name}@{host}"

    def _store(self, message: EmailMessage, sender: str, recipients: list[str]) -> None:
        """Write the file beside its place and move it there: whoever reads the folder sees whole mails only."""
        self._folder.mkdir(parents=True, exist_ok=True)
        envelope = f"Return-Path: <{sender}>\nDelivered-To: {', '.join(recipients)}\n"
        made = self._folder / f".{new_id()}.new"
        made.write_bytes(envelope.encode() + message.as_bytes())
        made.rename(self._folder / f"{made.name[1:-4]}.eml")

    def _hand_over(
        self, server: SplitResult, message: EmailMessage, sender: str, recipients: list[str]
    ) -> dict[str, str]:
        try:
            with _connect(server) as connection:
                refused = connection.send_message(message, sender, recipients)
        except smtplib.SMTPRecipientsRefused as wrong:
            # While one of them may be taken later it is worth trying again.
            code, words = min(wrong.recipients.values())
            raise _refusal(code, _words(words)) from wrong
        except smtplib.SMTPAuthenticationError as wrong:
            raise NotSent("connection", "The mail server does not accept our password.") from wrong
        except smtplib.SMTPResponseException as wrong:
            raise _refusal(wrong.smtp_code, _words(wrong.smtp_error)) from wrong
        except (smtplib.SMTPNotSupportedError, UnicodeError) as wrong:
            raise NotSent("bad_mail", f"The mail server cannot carry this mail: {wrong}") from wrong
        except (OSError, smtplib.SMTPException) as wrong:
            raise NotSent("connection", "The mail server cannot be reached, or hung up.") from wrong
        return {address: f"{code} {_words(words)}" for address, (code, words) in refused.items()}


def mailer() -> Mailer:
    """Return this application's mailer."""
    told = settings()
    return kept_by_app("leadbourse_mailer", lambda: Mailer(told.data_folder / "mail", told.smtp_url, told.mail_from))


@job("core.mail")
def send_queued(to: str, subject: str, text: str, html: str) -> None:
    """Hand over one mail from the queue; NotSent puts it back for another try, the last leaves the job as failed."""
    message = EmailMessage()
    message["To"], message["Subject"] = to, subject
    message.set_content(text)
    if html:
        message.add_alternative(html, subtype="html")
    mailer().send(message)


def recipients_of(message: EmailMessage) -> list[str]:
    """Return the addresses of To, Cc and Bcc, each once, in their order."""
    fields = [field for name in ("To", "Cc", "Bcc") for field in message.get_all(name, [])]
    return list(
        dict.fromkeys(
            address.addr_spec for field in fields if isinstance(field, AddressHeader) for address in field.addresses
        )
    )


def check_mail(message: EmailMessage, recipients: list[str]) -> None:
    """Raise NotSent for a mail that could carry a second one, goes to nobody or too many, or is too large."""
    if any("\r" in str(text) or "\n" in str(text) for _, text in message.raw_items()):
        raise NotSent("bad_mail", "A header of the mail holds a line break.")
    if not 1 <= len(recipients) <= MOST_RECIPIENTS or not all(map(_ADDRESS.fullmatch, recipients)):
        raise NotSent("bad_mail", f"A mail goes to 1 to {MOST_RECIPIENTS} addresses that can be read.")
    if len(message.as_bytes()) > MOST_BYTES:
        raise NotSent("bad_mail", f"The mail is larger than {MOST_BYTES} bytes.")


def _connect(server: SplitResult) -> smtplib.SMTP:
    """Connect and sign in; a password travels over TLS only, unless the server is on this machine."""
    host = server.hostname or ""
    port = server.port or _PORT_OF[server.scheme]
    trust = ssl.create_default_context()
    if server.scheme == "smtps":
        connection: smtplib.SMTP = smtplib.SMTP_SSL(host, port, timeout=TIMEOUT_SECONDS, context=trust)
    else:
        connection = smtplib.SMTP(host, port, timeout=TIMEOUT_SECONDS)
    try:
        _sign_in(connection, server, host, trust)
    except BaseException:
        connection.close()
        raise
    return connection


def _sign_in(connection: smtplib.SMTP, server: SplitResult, host: str, trust: ssl.SSLContext) -> None:
    connection.ehlo()
    is_secret = server.scheme == "smtps" or host in _LOOPBACK
    if server.scheme == "smtp" and connection.has_extn("starttls"):
        connection.starttls(context=trust)
        is_secret = True
    if server.username is not None:
        if not is_secret:
            raise NotSent("connection", "The mail server offers no encryption, so the password was not sent to it.")
        connection.login(unquote(server.username), unquote(server.password or ""))


def _refusal(code: int, words: str) -> NotSent:
    if code in _TRY_AGAIN:
        return NotSent("later", f"The mail server asks to try again later: {code} {words}", code)
    return NotSent("refused", f"The mail server refused the mail: {code} {words}", code)


def _words(said: bytes | str) -> str:
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
    return text[:300]
