"""What a request brings: its body in each of its forms, the page and the filter it asks for; and files to save."""

from collections.abc import Collection
from typing import IO, TypeVar
from urllib.parse import quote

from flask import Response, request
from werkzeug.exceptions import RequestEntityTooLarge, UnsupportedMediaType

from core.errors import Fault, Malformed
from core.http.surroundings import settings
from core.paging import PageRequest, read_page
from core.schemas import decode

T = TypeVar("T")
FORM_BYTES = 10_000  # what a multipart form may weigh beside its file


def raw_body(limit: int | None = None) -> bytes:
    """Return the request's body; refuses one above the limit (413) before reading it whole."""
    most = limit or settings().max_body_bytes
    if (request.content_length or 0) <= most:
        request.max_content_length = most + 1  # of a chunked body, Werkzeug returns no more and says nothing
        raw = request.get_data(cache=True)
        if len(raw) <= most:
            return raw
    raise RequestEntityTooLarge(f"Send a body of at most {most} bytes.")


class LimitedStream:
    """A request's body read in pieces, and refused (413) as soon as it is longer than it may be."""

    def __init__(self, stream: IO[bytes], most: int) -> None:
        self._stream, self._left = stream, most

    def read(self, size: int) -> bytes:
        """Return up to `size` bytes, none at the end."""
        piece = self._stream.read(size)
        self._left -= len(piece)
        if self._left < 0:
            raise RequestEntityTooLarge("The body is longer than this address takes.")
        return piece


def stream_body(most: int) -> LimitedStream:
    """Return the request's body as a stream of at most `most` bytes, for what must not be held in memory whole."""
    if (request.content_length or 0) > most:
        raise RequestEntityTooLarge(f"Send a body of at most {most} bytes.")
    request.max_content_length = most + 1
    return LimitedStream(request.stream, most)


def body(shape: type[T], limit: int | None = None) -> T:
    """Read the JSON body as this shape; Malformed with all bad fields at once."""
    require_media_type("application/json")
    return decode(raw_body(limit), shape)


def page_request(prefix: str) -> PageRequest:
    """Read which page of a list of these ids the query string asks for; Malformed when it cannot be read."""
    return read_page(prefix, request.args)


def filter_of(name: str, words: Collection[str]) -> str | None:
    """Read a filter of a list from the query string, None without it; Malformed for a word it does not know."""
    word = request.args.get(name)
    if word is not None and word not in words:
        fault = Fault(name, "not_allowed_value", f"Choose one of {', '.join(words)}.")
        raise Malformed("bad_filter", "This list cannot be shown.", [fault])
    return word


def uploaded_file(field_name: str, most_bytes: int) -> tuple[str, bytes]:
    """Return the name and the bytes of the one file of a multipart form; Malformed when there is none or another.

    The body may be a little longer than the file, for the form around it; a longer one is refused (413).
    """
    require_media_type("multipart/form-data")
    raw_body(most_bytes + FORM_BYTES)
    files = request.files.getlist(field_name)
    if len(files) != 1 or len(request.files) != 1:
        fault = Fault(field_name, "missing", f"Send one file in the form field {field_name}.")
        raise Malformed("invalid_fields", "The form cannot be read.", [fault])
    return files[0].filename or "", files[0].read()


def download(name: str, media_type: str, data: bytes) -> Response:
    """Answer with a file that somebody else sent: to be saved, never shown or run in this site's name."""
    response = Response(data, mimetype=media_type)
    response.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(name)}"
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response.headers["Cache-Control"] = "private, no-store"
    return response


def require_media_type(*known: str) -> None:
    """Refuse a body of another media type (415); one that names none is taken for what is asked for."""
    if request.mimetype not in known and request.mimetype != "":
        raise UnsupportedMediaType(f"Send {' or '.join(known)}.")
