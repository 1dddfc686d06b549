"""The root key: made once whoever asks first, readable by its owner only, and different for each purpose."""

import stat
from pathlib import Path

from core.root_key import derive, read_root_key
from tests.at_once import at_once


def test_many_processes_that_ask_at_once_get_one_key(tmp_path: Path) -> None:
    keys = at_once([lambda: read_root_key(tmp_path / "new", None)] * 16)
    assert len(set(keys)) == 1 and len(keys[0]) >= 32
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["root.key"]
    assert stat.S_IMODE((tmp_path / "new" / "root.key").stat().st_mode) == 0o600


def test_a_key_that_is_given_is_used_and_none_is_made(tmp_path: Path) -> None:
    assert read_root_key(tmp_path, "k" * 32) == b"k" * 32
    assert list(tmp_path.iterdir()) == []


def test_each_purpose_has_a_key_of_its_own() -> None:
    assert len({derive(b"root", purpose) for purpose in ("sessions", "second factors", "throttle")}) == 3
    assert derive(b"root", "sessions") != derive(b"another root", "sessions")
