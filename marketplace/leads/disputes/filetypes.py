"""What an evidence file is, told from its own bytes; whatever is two things at once, or runs, is none of the types.

A type is accepted only when the file is that type from its first byte to its last, as far as its format says where it
ends. Nothing is ever unpacked or drawn here, so a bomb has nobody to hurt.
"""

import re
import struct
import unicodedata
from collections.abc import Callable
from email.parser import HeaderParser

TEXT = "text/plain"
SUFFIX_OF = {
    "application/pdf": ".pdf", "image/png": ".png", "image/jpeg": ".jpg", "image/webp": ".webp", "audio/mpeg": ".mp3",
    "audio/wav": ".wav", "audio/ogg": ".ogg", "message/rfc822": ".eml", TEXT: ".txt",
}  # fmt: skip
MOST_PIXELS = 100_000_000
MOST_NAME = 80
SNIFFED = 4096  # browsers guess a type from less
_ARCHIVE_END = b"PK\x05\x06"  # a ZIP is found by its end, whatever stands before it
_MARKUP = re.compile(rb"<\s*(!doctype|html|head|body|script|iframe|svg|\?php)", re.IGNORECASE)
_ACTIVE_PDF = re.compile(rb"/(JavaScript|JS|Launch|EmbeddedFile|OpenAction|RichMedia|XFA)\b")
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f]")


def type_of(data: bytes) -> str | None:
    """Return the media type of a file, None for what is empty, unknown, active, or more than one thing."""
    found = next((kind for kind, fits in _BINARY.items() if fits(data)), None)
    if found is None:
        return _text_type(data)
    return None if _ARCHIVE_END in data or _MARKUP.search(data[:SNIFFED]) else found


def clean_name(name: str, media_type: str) -> str:
    """Return a name that is safe to save under: no folders, no controls, no hidden file, the type's own suffix."""
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", name))[-1]
    kept = "".join(letter for letter in last if unicodedata.category(letter)[0] not in "CZ" or letter == " ")
    stem = re.sub(r'[<>:"|?*;]', "", kept).rpartition(".")[0] or re.sub(r'[<>:"|?*;.]', "", kept)
    return (stem.strip(" .")[:MOST_NAME].strip(" .") or "evidence") + SUFFIX_OF[media_type]


def _is_pdf(data: bytes) -> bool:
    ends = b"%%EOF" in data[-1024:]
    return data.startswith(b"%PDF-") and ends and not _ACTIVE_PDF.search(data)


def _is_png(data: bytes) -> bool:
    if not data.startswith(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR") or len(data) < 45:
        return False
    width, height = struct.unpack(">II", data[16:24])
    return data.endswith(b"\0\0\0\0IEND\xaeB`\x82") and 0 < width * height <= MOST_PIXELS


def _is_jpeg(data: bytes) -> bool:
    return data.startswith(b"\xff\xd8\xff") and data.endswith(b"\xff\xd9")


def _is_riff(data: bytes, kind: bytes) -> bool:
    """Tell whether a RIFF file of this kind is as long as it says; a chunk of odd length is padded."""
    if len(data) < 16 or data[:4] != b"RIFF" or data[8:12] != kind:
        return False
    said = struct.unpack("<I", data[4:8])[0] + 8
    return len(data) in (said, said + said % 2)


def _is_mp3(data: bytes) -> bool:
    frame = len(data) > 4 and data[0] == 0xFF and data[1] in (0xFA, 0xFB, 0xF2, 0xF3)
    return frame or (data.startswith(b"ID3") and len(data) > 10 and data[3] in (2, 3, 4))


_BINARY: dict[str, Callable[[bytes], bool]] = {
    "application/pdf": _is_pdf,
    "image/png": _is_png,
    "image/jpeg": _is_jpeg,
    "image/webp": lambda data: _is_riff(data, b"WEBP"),
    "audio/wav": lambda data: _is_riff(data, b"WAVE"),
    "audio/ogg": lambda data: data.startswith(b"OggS\0") and len(data) > 27,
    "audio/mpeg": _is_mp3,
}


def _text_type(data: bytes) -> str | None:
    """Tell text and mail from the rest; markup is plain text too and is served as nothing else."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return None
    if not text.strip() or _CONTROLS.search(text) or text.startswith("%PDF"):
        return None
    headers = HeaderParser().parsestr(text, headersonly=True)
    is_mail = "From" in headers and ("Date" in headers or "Received" in headers) and not headers.defects
    return "message/rfc822" if is_mail else TEXT
