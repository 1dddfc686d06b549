"""What a publisher's programmer needs for one vertical: the fields, where to post, and a post in four languages.

Fields that are measured and not asked are left out. The example is complete, fresh, and a test where its form allows.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from marketplace.catalog.verticals import Vertical
from marketplace.leads.imports.mapping import WAYS_TO_REACH, MappingFile

REQUIRED, ONE_OF, OPTIONAL = "required", "one_of", "optional"
_ATTRIBUTE = "attributes."


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a post: what the post calls it, what it says, and which values it takes."""

    name: str
    label: str
    help: str
    need: str
    values: tuple[str, ...]
    example: str


@dataclass(frozen=True, slots=True)
class Post:
    """An example of a post: where it goes, how it is written, and its body."""

    address: str
    media_type: str
    headers: Mapping[str, str]
    body: str


def example_of(vertical: Vertical, example: Mapping[str, Any]) -> dict[str, Any]:
    """Return the example of a body without what is empty and what nobody is asked, as a test."""
    body = _filled(example)
    body["attributes"] = {name: value for name, value in body.get("attributes", {}).items() if name in _asked(vertical)}
    return body | {"test": True}


def json_fields(vertical: Vertical, body: Mapping[str, Any]) -> list[Field]:
    """Describe the fields of a JSON post."""
    paths = [f"contact.{name}" for name in body["contact"]]
    paths += ["region", *(_ATTRIBUTE + name for name in _asked(vertical)), "consent.text", "consent.given_at"]
    return [_field(vertical, path, path, body) for path in paths]


def form_fields(vertical: Vertical, mapping: MappingFile, body: Mapping[str, Any]) -> list[Field]:
    """Describe the fields of a form in a vendor's own words, by the mapping of the source that takes it."""
    hidden = {_ATTRIBUTE + field.name for field in vertical.fields if not field.asked}
    found: dict[str, Field] = {}
    for path, rules in mapping.fields.items():
        column = next((rule.column for rule in rules if rule.column), None)
        if column and path not in hidden and column not in found:  # one field of a form may say two of a lead's
            found[column] = _field(vertical, path, column, body)
    return list(found.values())


def json_post(address: str, body: Mapping[str, Any]) -> Post:
    """Write a JSON post whose key stands in the environment."""
    text = json.dumps(body, ensure_ascii=False, indent=2)
    return Post(address, "application/json", {"Authorization": "Bearer YOUR_API_KEY"}, text)


def form_post(address: str, fields: list[Field], credentials: Mapping[str, str]) -> Post:
    """Write a form post with its credentials and an example in each field that has one."""
    filled = {field.name: field.example for field in fields if field.example}
    return Post(address, "application/x-www-form-urlencoded", {}, urlencode(dict(credentials) | filled))


def in_languages(post: Post) -> dict[str, str]:
    """Write the same post for a shell, Python, PHP and a browser's language, with nothing beyond what each ships."""
    headers = {"Content-Type": post.media_type, **post.headers}
    return {"curl": _curl(post, headers), "Python": _python(post, headers), "PHP": _php(post, headers),
            "JavaScript": _javascript(post, headers)}  # fmt: skip


def _curl(post: Post, headers: Mapping[str, str]) -> str:
    said = "".join(f" \\\n  -H {_shell(f'{name}: {text}')}" for name, text in headers.items())
    return f"curl {_shell(post.address)}{said} \\\n  --data-raw {_shell(post.body)}"


def _python(post: Post, headers: Mapping[str, str]) -> str:
    return (
        "import urllib.request\n\n"
        f"body = {post.body!r}\n"
        f"post = urllib.request.Request({post.address!r}, body.encode(), {dict(headers)!r})\n"
        "print(urllib.request.urlopen(post, timeout=30).read().decode())"
    )


def _php(post: Post, headers: Mapping[str, str]) -> str:
    said = ", ".join(_php_text(f"{name}: {text}") for name, text in headers.items())
    return (
        f"<?php\n$post = curl_init({_php_text(post.address)});\n"
        f"curl_setopt_array($post, [\n  CURLOPT_POSTFIELDS => {_php_text(post.body)},\n"
        f"  CURLOPT_HTTPHEADER => [{said}],\n"
        "  CURLOPT_RETURNTRANSFER => true,\n  CURLOPT_TIMEOUT => 30,\n]);\necho curl_exec($post);"
    )


def _javascript(post: Post, headers: Mapping[str, str]) -> str:
    said = json.dumps(dict(headers), ensure_ascii=False)
    body = json.dumps(post.body, ensure_ascii=False)
    return (
        f'// On your server: a key never belongs into a page.\nconst answer = await fetch("{post.address}", {{\n'
        f'  method: "POST",\n  headers: {said},\n  body: {body},\n}});\nconsole.log(await answer.text());'
    )


def _shell(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


def _php_text(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _filled(value: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out what is null, empty or false, at every depth."""
    inner = {name: _filled(item) if isinstance(item, dict) else item for name, item in value.items()}
    return {name: item for name, item in inner.items() if item not in (None, "", False, {}, [])}


def _asked(vertical: Vertical) -> tuple[str, ...]:
    return vertical.asked_fields


def _field(vertical: Vertical, path: str, name: str, body: Mapping[str, Any]) -> Field:
    given = next((one for one in vertical.fields if path == _ATTRIBUTE + one.name), None)
    values, label = (given.values, given.label) if given else ((), _label(path))
    if given is not None and given.type == "boolean":
        values = ("true", "false")
    return Field(name, label, given.help if given else "", _need(vertical, path), values, _text(_at(body, path)))


def _label(path: str) -> str:
    """Say in words what a field of a lead is that no vertical describes."""
    head, _, name = path.rpartition(".")
    if head == "source.sub":
        return f"sub id {name}"
    words = {"consent.text": "words of the consent", "consent.given_at": "instant of the consent"}
    return words.get(path, name.replace("_", " "))


def _need(vertical: Vertical, path: str) -> str:
    attributes = {_ATTRIBUTE + field.name for field in vertical.fields if field.required}
    must = {f"contact.{name}" for name in vertical.contact_required} | attributes | {"region"}
    if vertical.consent.required:
        must |= {"consent.text", "consent.given_at"}
    return REQUIRED if path in must else ONE_OF if path in WAYS_TO_REACH else OPTIONAL


def _at(body: Mapping[str, Any], path: str) -> Any:
    value: Any = body
    for part in path.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value


def _text(value: Any) -> str:
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
