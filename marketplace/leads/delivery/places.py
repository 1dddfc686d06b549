"""Where mail and files may go: addresses and SFTP servers as settings name them, judged without asking anybody."""

import binascii
import re
from base64 import b64decode
from collections.abc import Iterator
from itertools import pairwise
from urllib.parse import urlsplit

from core.errors import Fault
from marketplace.leads.addresses import read_email
from marketplace.leads.delivery.settings import Addresses, CsvDelivery, addresses_of

MOST_ADDRESSES, MAX_URL, MAX_KEY = 10, 2000, 10_000
_KEY_TYPES = ("ssh-ed25519", "ssh-rsa", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521")


def mail_faults(where: str, to: Addresses) -> Iterator[Fault]:
    """Yield what is wrong with the addresses that mail shall go to."""
    addresses = addresses_of(to)
    if to is not None and not 1 <= len(addresses) <= MOST_ADDRESSES:
        yield Fault(where, "invalid_email", f"Name 1 to {MOST_ADDRESSES} addresses, or null for your own.")
    for address in addresses:
        if read_email(address) is None or not address.isprintable() or not address.isascii():
            message = "Send usable e-mail addresses; write a domain in the ASCII form."
            yield Fault(where, "invalid_email", message)
            return


def sftp_faults(settings: CsvDelivery) -> Iterator[Fault]:
    """Yield what is wrong with the server that files shall go to."""
    if settings.sftp_url is None:
        for name in ("password", "private_key", "host_key"):
            if getattr(settings, name) is not None:
                yield Fault(name, "invalid_value", "Leave it out: only files by SFTP (sftp_url) have it.")
        return
    if not is_sftp_url(settings.sftp_url):
        yield Fault("sftp_url", "invalid_url", "Write sftp://user@host/folder; the password has a field of its own.")
    if not settings.host_key:
        message = "Send the server's public key, as ssh-keyscan prints it: without it anybody could take the files."
        yield Fault("host_key", "required", message)
    elif read_host_key(settings.host_key) is None:
        yield Fault("host_key", "invalid_value", f"Send one line with {' or '.join(_KEY_TYPES)} and the key in Base64.")
    if settings.password is not None and settings.private_key is not None:
        yield Fault("password", "one_source", "Give either password or private_key.")
    for name in ("password", "private_key"):
        if len(getattr(settings, name) or "") > MAX_KEY:
            yield Fault(name, "too_long", f"Use at most {MAX_KEY} characters.")


def is_sftp_url(url: str) -> bool:
    """Tell whether a text is sftp://user@host:port/folder and nothing more."""
    if len(url) > MAX_URL or not url.isascii() or re.search(r"[\s\\\"<>{}^`|\x00-\x1f\x7f]", url):
        return False
    try:
        parts = urlsplit(url)
        sound = parts.scheme == "sftp" and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        return False
    return sound and bool(parts.username) and parts.password is None and not parts.query and not parts.fragment


def read_host_key(line: str) -> tuple[str, bytes] | None:
    """Read a public key's type and bytes from a line of ssh-keyscan, known_hosts or a .pub file; None without one."""
    words = line.split()
    for kind, text in pairwise(words):
        if kind in _KEY_TYPES:
            try:
                return kind, b64decode(text, validate=True)
            except (binascii.Error, ValueError):
                return None
    return None
