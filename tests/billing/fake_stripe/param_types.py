"""A client whose parameters are held against the types that the `stripe` package declares for them."""

import importlib
import re
from collections.abc import Iterator, Mapping
from types import UnionType
from typing import Any, Literal, NotRequired, Union, get_args, get_origin, get_type_hints

import stripe
from stripe._stripe_object import UntypedStripeObject

# What the package's modules import for type checkers only.
BEHIND = {"Mapping": Mapping, "StripeContext": stripe.StripeContext}


class Typed:
    """Stands before a Stripe client, or a service of it, and checks what is passed on."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        if not callable(found):
            return Typed(found)

        def checked(*args: Any, **named: Any) -> Any:
            params = named.get("params", next((one for one in args if isinstance(one, dict)), None))
            wanted = _declared(type(self._inner), name)
            if wanted is not None and params is not None:
                wrong = list(type_faults(params, wanted))
                assert wrong == [], wrong
            return found(*args, **named)

        return checked


def _declared(service: type, method: str) -> Any:
    """Return the TypedDict of a method's `params`, found by the package's own naming of its modules."""
    said = str(getattr(service, method).__annotations__.get("params", ""))
    names = re.findall(r"ForwardRef\('(\w+)'\)|(?<!\w)\"?(\w+Params)\"?", said)
    if not names:
        return None
    name = names[0][0] or names[0][1]
    place = service.__module__.split(".")[1:-1]
    file = "_" + re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()
    return getattr(importlib.import_module(".".join(["stripe", "params", *place, file])), name)


def type_faults(value: Any, wanted: Any, path: str = "$") -> Iterator[str]:
    """Yield where a value is not of a type."""
    origin, args = get_origin(wanted), get_args(wanted)
    if wanted is Any:
        return
    if origin is NotRequired:
        yield from type_faults(value, args[0], path)
    elif origin in (Union, UnionType):
        tried = [list(type_faults(value, one, path)) for one in args]
        if all(tried):
            yield from min(tried, key=len)
    elif origin is Literal:
        yield from () if value in args else (f"{path}: {value!r} is none of {args}",)
    elif origin is list:
        if not isinstance(value, list):
            yield f"{path}: {value!r} is no list"
        for index, part in enumerate(value if isinstance(value, list) else ()):
            yield from type_faults(part, args[0], f"{path}.{index}")
    elif origin in (dict, UntypedStripeObject):  # the second is how the package writes "any metadata"
        yield from () if isinstance(value, dict) else (f"{path}: {value!r} is no dict",)
        for name, part in value.items() if isinstance(value, dict) else ():
            yield from type_faults(part, args[-1], f"{path}.{name}")
    elif hasattr(wanted, "__required_keys__"):
        yield from _dict_faults(value, wanted, path)
    elif not isinstance(value, wanted) or (wanted is int and isinstance(value, bool)):
        yield f"{path}: {value!r} is no {wanted.__name__}"


def _dict_faults(value: Any, wanted: Any, path: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{path}: {value!r} is no {wanted.__name__}"
        return
    hints = get_type_hints(wanted, localns=BEHIND, include_extras=True)
    for name, hint in hints.items():
        if name in value:
            yield from type_faults(value[name], hint, f"{path}.{name}")
        elif get_origin(hint) is not NotRequired and name in wanted.__required_keys__:
            yield f"{path}.{name}: missing"
    yield from (f"{path}.{name}: unknown" for name in value if name not in hints)
