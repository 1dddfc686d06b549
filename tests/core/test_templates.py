"""Templates call functions and macros at once, and give everything else what Jinja gives it."""

from typing import Any

import pytest
from jinja2 import Environment, pass_context, pass_eval_context
from jinja2.runtime import Context
from markupsafe import Markup

from core import templates


class Counter:
    """Something that can be called, and has a method that can be."""

    def __init__(self) -> None:
        self.called = 0

    def __call__(self, by: int = 1) -> int:
        """Count on."""
        self.called += by
        return self.called

    def twice(self) -> int:
        """Count on by two."""
        return self(2)


@pass_context
def of_context(context: Context, name: str) -> Any:
    return context.resolve(name)


@pass_eval_context
def is_html(here: Any) -> bool:
    return bool(here.autoescape)


CALLS = [
    ("{{ plain(1, b='<') }}", "1&lt;"),
    ("{% for x in [1, 2] %}{{ plain(x) }}{% endfor %}", "1-2-"),
    ("{% for x in [1, 2] %}{% set y = x %}{{ of_context('y') }}{{ of_context('here') }}{% endfor %}", "1h2h"),
    ("{% block a %}{% set y = 3 %}{{ of_context('y') }}{% endblock %}", "3"),
    ("{{ is_html() }}", "True"),
    ("{{ count() }}{{ count(3) }}{{ count.twice() }}", "146"),
    ("{% macro m(a, b='x') %}<i>{{ a }}{{ b }}{{ kwargs.c }}{{ varargs | length }}</i>{% endmacro %}"
     "{{ m('<', c=1) }}{{ m(1, 2, 3, 4) }}", "<i>&lt;x10</i><i>122</i>"),
    ("{% macro m(row) %}[{{ caller(row) }}]{% endmacro %}"
     "{% for z in 'ab' %}{% call(r) m(z) %}{{ r }}{{ z }}{{ plain(r) }}{% endcall %}{% endfor %}", "[aaa-][bbb-]"),
    ("{% macro m(n) %}{{ n }}{{ m(n - 1) if n else '' }}{% endmacro %}{{ m(3) }}", "3210"),
    ("{% autoescape false %}{% macro m() %}{{ is_html() }}{% endmacro %}{{ m() }}{% endautoescape %}", "False"),
    ("{{ super_text.upper() }}{{ markup('<b>') }}", "T<b>"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), CALLS)
def test_what_is_called_comes_out_as_from_jinja(text: str, expected: str) -> None:
    def shown(environment: Environment) -> str:
        environment.globals.update(
            plain=lambda a, b="-": f"{a}{b}", of_context=of_context, is_html=is_html, count=Counter(), markup=Markup
        )
        return environment.from_string(text).render(here="h", super_text="t")

    ours = Environment(autoescape=True)  # it is on
    templates.install(ours)
    assert shown(ours) == shown(Environment(autoescape=True)) == expected
