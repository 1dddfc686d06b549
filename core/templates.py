"""How templates call what they are given: without asking each time what it wants to be told.

A page calls a thousand things. Jinja asks each four questions first, which takes a twentieth of the page; a function
that wants nothing, and a macro, which wants its surroundings, are known by their types.
"""

from types import FunctionType
from typing import Any

from jinja2 import Environment
from jinja2.runtime import Context, Macro


class Calls(Context):
    """Variables of a template, from which functions and macros are called at once, and all else as Jinja does."""

    def call(self, called: Any, /, *given: Any, **named: Any) -> Any:
        """Call something from a template with what stands there."""
        kind = type(called)
        is_macro = kind is Macro
        if not is_macro and (kind is not FunctionType or hasattr(called, "jinja_pass_arg")):
            return super().call(called, *given, **named)
        named.pop("_block_vars", None)
        named.pop("_loop_vars", None)
        return called(self.eval_ctx, *given, **named) if is_macro else called(*given, **named)


def install(environment: Environment) -> None:
    """Have an environment's templates call so."""
    environment.context_class = Calls
