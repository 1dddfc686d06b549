"""Templates and catalogues: nothing inline, nothing from elsewhere, no variable taken for markup, no stale words."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po

from core.i18n import LANGUAGES
from tests.house.tree import ROOT, files, text_of

TEMPLATES = [path for path in files() if path.parts[0] == "templates"]
CATALOGUES = [ROOT / "translations" / code / "LC_MESSAGES" / "messages.po" for code in LANGUAGES if code != "en"]


def _found(pattern: str) -> list[str]:
    return [f"{path}: {match[0]}" for path in TEMPLATES for match in re.finditer(pattern, text_of(path))]


def test_no_template_holds_a_style_or_a_script_of_its_own() -> None:
    assert len(TEMPLATES) > 20
    assert _found(r"\sstyle=|<style|\son\w+=\"|<script(?![^>]*\ssrc=)") == []


def test_no_template_loads_anything_from_another_host() -> None:
    assert _found(r"""(?:src|href|action)=["'](?:https?:)?//""") == []


def test_forms_that_may_stand_in_a_drawer_name_where_they_are_sent() -> None:
    """Without it they would be sent to the page that the drawer stands on."""
    stories = [(path, text_of(path)) for path in TEMPLATES if 'id="story"' in text_of(path)]
    assert len(stories) > 5
    sent = [(path, form) for path, text in stories for form in re.findall(r"<form[^>]*post[^>]*>", text)]
    assert [(path, form) for path, form in sent if "action=" not in form] == []


def test_only_words_written_in_a_template_are_taken_for_markup() -> None:
    """What `_` gives is not escaped; what a variable holds goes through the filter `said`."""
    assert _found(r"\b(?:_|gettext|ngettext)\(\s*[^\"\s]") == []
    assert _found(r"\|\s*safe\b") == []


def test_the_template_of_the_catalogues_holds_what_pages_say(tmp_path: Path) -> None:
    made = tmp_path / "messages.pot"
    command = ["babel.messages.frontend", "extract", "-F", "pyproject.toml", "--no-location", "--omit-header",
               "-k", "lazy_gettext", "-k", "_l", "-o", str(made), "core", "billing", "affiliates", "marketplace",
               "templates", "templates/_macros"]  # fmt: skip
    subprocess.run([sys.executable, "-m", *command], cwd=ROOT, check=True, capture_output=True)
    kept = ROOT / "translations" / "messages.pot"

    assert made.read_text("utf-8") == kept.read_text("utf-8"), "run pybabel as docs/pages.md says"


def test_every_catalogue_knows_the_same_words_and_is_compiled() -> None:
    words = set(_said(ROOT / "translations" / "messages.pot"))
    assert len(words) > 100
    for place in CATALOGUES:
        said = _said(place)
        assert said.keys() == words, place
        for word, text in said.items():
            assert not _plain(text) or _holes(str(word)) == _holes(str(text)), (place, word)
        with place.with_suffix(".mo").open("rb") as file:
            compiled = {_plain(message.id): _plain(message.string) for message in read_mo(file) if message.id}
        assert compiled == {word: text for word, text in said.items() if _plain(text)}, place


def _plain(said: Any) -> Any:
    """Return words as they are compared, one form or several; empty when none is said yet."""
    return said if isinstance(said, str) else tuple(said) if all(said) else ""


def _holes(text: str) -> set[str]:
    return set(re.findall(r"%\(\w+\)s", text))


def _said(place: Path) -> dict[Any, Any]:
    with place.open("rb") as file:
        return {message.id: message.string for message in read_po(file) if message.id}
