"""What a mail that came back says, read from its plain text alone.

Nothing is unpacked or nested into: no part of it can cost more than its first 256 KiB. Standard reports (RFC 3464) are
read by their fields; others leniently, when a mailer daemon wrote them, by the first code of a refusal that they quote.
"""

import re
from dataclasses import dataclass

MOST_BYTES = 262_144
MOST_CANDIDATES = 50
MOST_WORDS = 300
_TOKEN = re.compile(r"(?<![a-z0-9])([a-z][a-z2-7]{39})@", re.IGNORECASE)
_FROM_DAEMON = re.compile(r"^from:.*\b(?:mailer-daemon|postmaster|mail delivery|mdaemon)", re.IGNORECASE | re.MULTILINE)
_IS_REPORT = re.compile(
    r"^content-type:\s*multipart/report\b[^\0]{0,500}?delivery-status", re.IGNORECASE | re.MULTILINE
)
_STATUS_PART = re.compile(r"^content-type:\s*message/delivery-status\b", re.IGNORECASE | re.MULTILINE)
_FIELD = re.compile(r"^(action|status|final-recipient|original-recipient|diagnostic-code):[ \t]*(.*)$", re.IGNORECASE)
_LONG_CODE = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?![\d.])")
_SHORT_CODE = re.compile(r"(?<![\d.])([45]\d\d)[ -](?=\S)")
_ADDRESS = re.compile(r"[^\s@<>,;:\"\\()\[\]]{1,64}@[^\s@<>,;:\"\\()\[\]]{1,255}")
_QUOTED = re.compile(
    r"^.{0,80}\b(?:original message|copy of (?:your|the) message|returned message|message headers)\b",
    re.IGNORECASE | re.MULTILINE,
)


@dataclass(frozen=True, slots=True)
class Report:
    """A mail that came back: candidates for its token, whom it was for if it says so, and why.

    `code` is an enhanced status code (RFC 3463) where there is one, else a reply code, else empty.
    """

    tokens: tuple[str, ...]
    recipient: str
    code: str
    says: str

    @property
    def is_permanent(self) -> bool:
        """Tell whether trying again is of no use."""
        return self.code.startswith("5")


def read_report(raw: bytes) -> Report | None:
    """Read a mail; None for one that reports no failure: an answer of a person or an absent one, or a mere delay."""
    text = raw[:MOST_BYTES].decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n").replace("\0", " ")
    head, _, body = text.partition("\n\n")
    head = re.sub(r"\n[ \t]+", " ", head)
    tokens = tuple(dict.fromkeys(found[1].lower() for found in _TOKEN.finditer(f"{head}\n{body}")))[:MOST_CANDIDATES]
    if _IS_REPORT.search(head) and (part := _STATUS_PART.search(body)):
        return _standard(tokens, body[part.end() :])
    return _lenient(tokens, body) if _FROM_DAEMON.search(head) else None


def _standard(tokens: tuple[str, ...], part: str) -> Report | None:
    """Read the first recipient who failed; the fields end where the next part begins."""
    fields: dict[str, str] = {}
    for line in part.split("\n")[:500]:
        if line.startswith("--"):
            break
        if found := _FIELD.match(line):
            if found[1].lower() in ("final-recipient", "original-recipient") and fields.get("action") == "failed":
                break
            fields[found[1].lower()] = found[2].strip().lower() if found[1].lower() == "action" else found[2].strip()
    if fields.get("action") != "failed":
        return None
    code = _LONG_CODE.search(fields.get("status", "")) or _LONG_CODE.search(fields.get("diagnostic-code", ""))
    address = _ADDRESS.search(fields.get("final-recipient", "").partition(";")[2])
    says = fields.get("diagnostic-code") or fields.get("status", "")
    return Report(tokens, address[0].lower() if address else "", code[1] if code else "5.0.0", _plain(says))


def _lenient(tokens: tuple[str, ...], body: str) -> Report | None:
    """Read the words of a daemon: before what it quotes of our mail, the first line with a code that says no."""
    quoted = _QUOTED.search(body)
    own = body[: quoted.start()] if quoted else body
    for line in own.split("\n")[:500]:
        code = _LONG_CODE.search(line[:1000]) or _SHORT_CODE.search(line[:1000])
        if code and not code[1].startswith("2"):
            address = _ADDRESS.search(own)
            return Report(tokens, address[0].lower() if address else "", code[1], _plain(line))
    return None


def _plain(text: str) -> str:
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())[:MOST_WORDS]
