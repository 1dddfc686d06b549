"""What a view says of itself beyond its address and its guard, so that the OpenAPI document can be made from it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

View = TypeVar("View", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Query:
    """A parameter of the query string; `words` are its allowed values, none for any."""

    name: str
    says: str
    words: tuple[str, ...] = ()
    kind: str = "string"
    required: bool = False


@dataclass(frozen=True, slots=True)
class Described:
    """A view's shapes: what body it takes, what it gives (one of several, none for a file), and whether that is a list.

    `pages` adds `limit` and `cursor` to a list, `versioned` means that If-Match is heeded, `limited` that it is
    refused when asked too often.
    """

    gives: tuple[Any, ...]
    takes: Any = None
    status: int = 200
    is_list: bool = False
    pages: bool = False
    versioned: bool = False
    limited: bool = False
    media_types: tuple[str, ...] = ("application/json",)
    query: tuple[Query, ...] = ()


def describe(*gives: Any, pages: bool = False, is_list: bool = False, **more: Any) -> Callable[[View], View]:
    """Say what a view gives and takes, as in `Described`; it stands closest to the view, below the guard."""

    def declare(view: View) -> View:
        view.described = Described(gives, is_list=is_list or pages, pages=pages, **more)  # type: ignore[attr-defined]
        return view

    return declare
