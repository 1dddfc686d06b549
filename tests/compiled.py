"""What the applications of one test session need not compile anew: their routes, their templates and their queries."""

from collections.abc import Callable
from typing import Any

from jinja2 import BytecodeCache
from jinja2.bccache import Bucket
from sqlalchemy import Engine
from werkzeug.routing import Rule

OF_A_ROUTE = ("_parts", "_trace", "_converters", "arguments")


def once_a_route(compiling: Callable[[Rule], None]) -> Callable[[Rule], None]:
    """Return what compiles a route by copying from the equal route of another application, if there is one."""
    kept: dict[tuple[str, ...], dict[str, Any]] = {}

    def compiled(rule: Rule) -> None:
        key = tuple(repr(told) for told in (rule.rule, rule.defaults, rule.subdomain, rule.host, rule.merge_slashes))
        if key not in kept:
            compiling(rule)
            kept[key] = {name: getattr(rule, name) for name in OF_A_ROUTE}
            kept[key] |= {name: getattr(rule, name).__func__ for name in ("_build", "_build_unknown")}
            return
        for name in OF_A_ROUTE:
            setattr(rule, name, kept[key][name].copy())
        for name in ("_build", "_build_unknown"):
            setattr(rule, name, kept[key][name].__get__(rule))

    return compiled


def once_a_query(making: Callable[..., Engine]) -> Callable[..., Engine]:
    """Return what makes an engine that compiles and keeps queries together with those made before it."""
    kept: list[Engine] = []

    def made(*told: Any) -> Engine:
        engine = making(*told)
        if not kept or kept[0].dialect.server_version_info is None:  # it never asked its server what that can do
            kept[:] = [engine]
        engine.dialect, engine._compiled_cache = kept[0].dialect, kept[0]._compiled_cache
        return engine

    return made


class CompiledTemplates(BytecodeCache):
    """Keeps the code of templates in memory, by name and text."""

    def __init__(self) -> None:
        """Begin with none."""
        self._codes: dict[tuple[str, str], Any] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Give the code, if it is here."""
        bucket.code = self._codes.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep the code."""
        self._codes[bucket.key, bucket.checksum] = bucket.code
