"""Settings: everything that the environment may decide, read once into one frozen value."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Seller:
    """Whom this exchange's documents are from; the address in lines."""

    name: str = "Leadbourse"
    address: str = ""
    vat_id: str = ""

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> "Seller":
        """Read it from environment variables; the lines of the address stand between semicolons."""
        lines = (line.strip() for line in environment.get("LEADBOURSE_SELLER_ADDRESS", "").split(";"))
        name = environment.get("LEADBOURSE_SELLER_NAME") or "Leadbourse"
        return cls(name, "\n".join(filter(None, lines)), environment.get("LEADBOURSE_SELLER_VAT_ID") or "")


@dataclass(frozen=True, slots=True)
class _Told:
    """Environment variables, read one by one; ValueError names the one that cannot be read."""

    environment: Mapping[str, str]

    def text(self, name: str) -> str | None:
        """Read a text; an empty one says nothing."""
        return self.environment.get(name) or None

    def whole(self, name: str, default: int, low: int, high: int) -> int:
        """Read a whole number between two others."""
        text = self.environment.get(name, str(default))
        if not text.isascii() or not text.isdigit() or not low <= int(text) <= high:
            raise ValueError(f"{name} must be a whole number from {low} to {high}, not {text!r}")
        return int(text)

    def switch(self, name: str) -> bool:
        """Read a 0 or a 1."""
        text = self.environment.get(name, "0")
        if text not in ("0", "1", ""):
            raise ValueError(f"{name} must be 0 or 1, not {text!r}")
        return text == "1"

    def checked(self, name: str, is_right: Callable[[str], bool], must: str) -> str | None:
        """Read a text that has to look right."""
        text = self.text(name)
        if text is not None and not is_right(text):
            raise ValueError(f"{name} must {must}")
        return text


@dataclass(frozen=True, slots=True)
class Settings:
    """What this process was told; `database_url` None means the embedded PostgreSQL under `data_folder`."""

    data_folder: Path
    database_url: str | None = None
    host: str = "127.0.0.1"
    port: int = 8000
    web_processes: int = 2
    web_threads: int = 8
    web_spare_threads: int = 64
    sync_seconds: int = 25
    pool_size: int = 16
    refuse_test_contacts: bool = False
    allow_private_targets: bool = False
    metrics: bool = False
    smtp_url: str | None = None
    mail_from: str = "leadbourse@localhost"
    public_url: str | None = None
    proxies: int = 0
    root_key: str | None = field(default=None, repr=False)
    show_design: bool = False
    bounces_url: str | None = None
    stripe_secret_key: str | None = field(default=None, repr=False)
    stripe_webhook_secret: str | None = field(default=None, repr=False)
    stripe_connect_webhook_secret: str | None = field(default=None, repr=False)
    stripe_api_base: str | None = None
    test_money: bool = False
    seller: Seller = Seller()
    max_body_bytes: int = 1_000_000
    max_batch_bytes: int = 32_000_000

    @classmethod
    def read(cls, environment: Mapping[str, str] = os.environ) -> "Settings":
        """Read the settings from environment variables; ValueError names the variable that cannot be read."""
        told = _Told(environment)
        return cls(
            data_folder=Path(told.text("LEADBOURSE_DATA") or "var").absolute(),
            database_url=told.text("DATABASE_URL"),
            host=told.text("HOST") or "127.0.0.1",
            port=told.whole("PORT", 8000, 1, 65535),
            web_processes=told.whole("LEADBOURSE_WEB_PROCESSES", min(os.cpu_count() or 1, 8), 1, 64),
            web_threads=told.whole("LEADBOURSE_WEB_THREADS", 8, 1, 256),
            web_spare_threads=told.whole("LEADBOURSE_WEB_SPARE_THREADS", 64, 0, 1024),
            sync_seconds=told.whole("LEADBOURSE_SYNC_SECONDS", 25, 1, 60),
            pool_size=told.whole("LEADBOURSE_POOL_SIZE", 16, 2, 256),
            refuse_test_contacts=told.switch("LEADBOURSE_REFUSE_TEST_CONTACTS"),
            allow_private_targets=told.switch("LEADBOURSE_ALLOW_PRIVATE_TARGETS"),
            metrics=told.switch("LEADBOURSE_METRICS"),
            smtp_url=told.checked("LEADBOURSE_SMTP_URL", is_smtp_url, "look like smtp://user:password@host:587"),
            mail_from=told.text("LEADBOURSE_MAIL_FROM") or "leadbourse@localhost",
            public_url=told.checked("LEADBOURSE_URL", is_public_url, "look like https://leads.example.com, no path"),
            proxies=told.whole("LEADBOURSE_PROXIES", 0, 0, 8),
            root_key=told.checked("LEADBOURSE_ROOT_KEY", is_strong, "have at least 32 random characters"),
            show_design=told.switch("LEADBOURSE_SHOW_DESIGN"),
            bounces_url=told.checked(
                "LEADBOURSE_BOUNCES_URL", is_imaps_url, "look like imaps://user:password@host/BOX"
            ),
            stripe_secret_key=told.text("STRIPE_SECRET_KEY"),
            stripe_webhook_secret=told.text("STRIPE_WEBHOOK_SECRET"),
            stripe_connect_webhook_secret=told.text("STRIPE_CONNECT_WEBHOOK_SECRET"),
            stripe_api_base=told.checked("STRIPE_API_BASE", is_public_url, "look like http://127.0.0.1:8420, no path"),
            seller=Seller.read(environment),
            test_money=told.switch("LEADBOURSE_TEST_MONEY") or is_test_key(told.text("STRIPE_SECRET_KEY") or ""),
        )

    @property
    def takes_cards(self) -> bool:
        """Tell whether a card processor is set up: Stripe, or the fake that `serve` starts without its key."""
        return self.stripe_secret_key is not None

    @property
    def stripe_webhook_secrets(self) -> tuple[str | None, ...]:
        """Return with what Stripe may sign its events: those of our account, and those of accounts that are paid."""
        return (self.stripe_webhook_secret, self.stripe_connect_webhook_secret)

    @property
    def address(self) -> str:
        """Return where people reach this installation; links in mail begin with it, whatever a request says."""
        return (self.public_url or f"http://{self.host}:{self.port}").rstrip("/")


def is_smtp_url(text: str) -> bool:
    """Tell whether a text names a mail server: smtp or smtps, a host, perhaps a port and credentials, no more."""
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return False
    named = parts.scheme in ("smtp", "smtps") and bool(parts.hostname)
    return named and port != 0 and parts.path in ("", "/") and not parts.query and not parts.fragment


def is_imaps_url(text: str) -> bool:
    """Tell whether a text names a mailbox behind TLS: imaps, user, password and host, perhaps a port and a folder."""
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return False
    named = parts.scheme == "imaps" and bool(parts.hostname) and bool(parts.username) and bool(parts.password)
    return named and port != 0 and not parts.query and not parts.fragment


def is_public_url(text: str) -> bool:
    """Tell whether a text is the address of a site: http or https, a host, perhaps a port, no more."""
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return False
    named = parts.scheme in ("http", "https") and bool(parts.hostname)
    return named and port != 0 and parts.path in ("", "/") and not parts.query and not parts.fragment


def is_test_key(text: str) -> bool:
    """Tell whether a key of Stripe's moves no real money."""
    return text.startswith(("sk_test_", "rk_test_"))


def is_strong(text: str) -> bool:
    """Tell whether a secret is long enough to be one."""
    return len(text) >= 32
