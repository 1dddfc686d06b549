"""Where a value stands: paths and patterns that are quick whatever the answer is."""

import pytest

from marketplace.leads.delivery.finding import MAX_BODY, Answer, reader_of


def found(kind: str, expression: str, body: bytes) -> str | None:
    return reader_of(kind, expression)(Answer(body))


@pytest.mark.parametrize(
    ("kind", "expression", "body", "value"),
    [
        ("json", "$.a.b", b'\xef\xbb\xbf {"a": {"b": 1.50}}', "1.50"),
        ("json", "$.a[0]", b'{"a": [true]}', "true"),
        ("json", "$..error", b'{"x": [{"error": "No"}]}', "No"),
        ("json", "$.a", b'"{\\"a\\": 7}"', "7"),
        ("json", "$.a", b"<a>1</a>", None),
        ("json", "$.a", b'{"a": null}', None),
        ("json", "$.a", '{"a": "é"}'.encode("utf-16"), "é"),
        ("xpath", "//status", b'<?xml version="1.0" encoding="utf-16"?><r xmlns="urn:x"><status>Ok</status></r>', "Ok"),
        ("xpath", "/r/@code", b"<r code='7'/>", "7"),
        ("xpath", "//error[2]", b"<r><error>a</error><error>b</error></r>", "b"),
        ("xpath", "//field[@name='x']", b"<r><field name='y'>1</field><field name='x'>2</field></r>", "2"),
        ("xpath", "//a", b"not xml", None),
        ("xpath", "//a", b"<r><a>cut o", "cut o"),
        ("css", "div.result > span", b"<html><div class='result'><span>Yes</span></div>", "Yes"),
        ("css", "#id", b"<p id=id>7", "7"),
        ("regex", r"code=(\d+)", b"CODE=12;", "12"),
        ("regex", "caf.", "le café".encode("latin-1"), "café"),
    ],
)
def test_values_are_found_whatever_was_declared(kind: str, expression: str, body: bytes, value: str | None) -> None:
    assert found(kind, expression, body) == value


@pytest.mark.parametrize(
    ("kind", "expression"),
    [
        ("json", ""), ("json", "a"), ("json", "$["), ("json", "$[?@.a]"), ("json", "$[?match(@.a, '(a+)+')]"),
        ("json", "$[*,*]"), ("json", "$..a..b"), ("json", "$" + "[0]" * 200),
        ("xpath", "//a[//b]"), ("xpath", "//a//b"), ("xpath", "//a/.."), ("xpath", "//a | //b"), ("xpath", "count(//a)"),
        ("xpath", "//x:a"), ("xpath", "/a/following::b"), ("xpath", "document('file:///etc/passwd')"),
        ("css", "a:not(b)"), ("css", "a ~ b"), ("css", "a, b"), ("css", "a b c d"), ("css", "x|a"), ("css", "]"),
        ("regex", "("), ("regex", "(?=a)"), ("regex", r"(a)\1"), ("regex", "(a)(b)"), ("regex", "a" * 301),
    ],
)  # fmt: skip
def test_expensive_and_broken_expressions_are_refused(kind: str, expression: str) -> None:
    with pytest.raises(ValueError):
        reader_of(kind, expression)


@pytest.mark.parametrize(
    ("kind", "expression", "body"),
    [
        ("json", "$..b", b'{"a":' * 50_000 + b"1" + b"}" * 50_000),
        ("json", "$..*[*][*].z", b"[" + b"[[1]]," * 40_000 + b"1]"),
        ("xpath", "//z", b"<a>" * 80_000),
        ("xpath", "//a/a/a[z='1']", b"<r>" + b"<a><a><a/></a></a>" * 12_000 + b"</r>"),
        ("css", "a a a", b"<a>" * 80_000),
        ("regex", "(a+)+$", b"a" * 200_000 + b"!"),
        ("xpath", "//a", b"<r>&" + b"x" * 300_000),
    ],
)
def test_large_and_deep_answers_say_nothing_in_a_moment(kind: str, expression: str, body: bytes) -> None:
    assert found(kind, expression, body) is None


def test_entities_are_never_expanded() -> None:
    laughs = b'<!DOCTYPE r [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]><r>&b;</r>'
    outside = b'<!DOCTYPE r SYSTEM "file:///etc/passwd"><r>1</r>'

    assert found("xpath", "/r", laughs) is None
    assert found("xpath", "/r", outside) == "1"


def test_only_the_beginning_of_a_body_is_read() -> None:
    assert found("regex", "here", b" " * MAX_BODY + b"here") is None
