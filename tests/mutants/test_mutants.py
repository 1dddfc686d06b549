"""Each patch beside this file still applies, and, with `LEADBOURSE_MUTANTS=1`, turns the test red that it names."""

import os
import re
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
PATCHES = sorted(HERE.glob("*.patch"))
TREE = ("affiliates", "billing", "core", "marketplace", "migrations", "templates", "static", "tests", "translations",
        "pyproject.toml", "wsgi.py")  # fmt: skip
KINDS = 10  # the eight of docs/money.md, a doubled fee, and an order that was turned round


def test_there_is_one_for_every_kind_of_bug() -> None:
    assert len(PATCHES) >= KINDS


@pytest.mark.parametrize("patch", PATCHES, ids=lambda patch: patch.stem)
def test_a_mutant_applies_and_names_a_test_that_exists(patch: Path) -> None:
    done = _git_apply(ROOT, patch, "--check")
    assert done.returncode == 0, done.stderr

    path, name = _test_of(patch).split("::")
    assert f"def {name}(" in (ROOT / path).read_text(encoding="utf-8")


@pytest.mark.parametrize("patch", PATCHES, ids=lambda patch: patch.stem)
def test_a_mutant_changes_what_is_in_force_and_no_function_that_was_replaced(patch: Path, tmp_path: Path) -> None:
    for name in re.findall(r"^\+\+\+ b/(migrations/sql/\S+)$", patch.read_text(encoding="utf-8"), re.MULTILINE):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
        assert _git_apply(tmp_path, patch, f"--include={name}").returncode == 0
        sound, changed = _functions_in(ROOT / name), _functions_in(tmp_path / name)
        for function in (one for one in sound if sound[one] != changed.get(one)):
            newest = max(path for path in (ROOT / "migrations/sql").glob("*/*.sql") if function in _functions_in(path))
            assert newest == ROOT / name, f"{function} is replaced by {newest.relative_to(ROOT)}"


@pytest.mark.skipif("LEADBOURSE_MUTANTS" not in os.environ, reason="LEADBOURSE_MUTANTS=1 runs the mutants")
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("patch", PATCHES, ids=lambda patch: patch.stem)
def test_a_mutant_turns_its_test_red(patch: Path, tmp_path: Path) -> None:
    for name in TREE:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
        elif (ROOT / name).exists():
            shutil.copy(ROOT / name, tmp_path / name)
    assert _git_apply(tmp_path, patch).returncode == 0

    done = _run(tmp_path, _test_of(patch))
    # Failed in words: what does not even start is a fault of the patch.
    assert done.returncode == 1 and re.search(r"^1 failed", done.stdout, re.MULTILINE), done.stdout


@cache
def _functions_in(path: Path) -> dict[str, str]:
    """Return the text of each function that a file makes or replaces, by its name."""
    parts = re.split(r"^CREATE (?:OR REPLACE )?FUNCTION (\S+?)\(", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def _test_of(patch: Path) -> str:
    named = re.search(r"^Turns red: (\S+)$", patch.read_text(encoding="utf-8"), re.MULTILINE)
    assert named, f"{patch.name} names no test"
    return named[1]


def _git_apply(folder: Path, patch: Path, *more: str) -> subprocess.CompletedProcess[str]:
    # Outside of any repository, or what is above would say which paths there are.
    environment = os.environ | {"GIT_CEILING_DIRECTORIES": str(folder.parent), "GIT_DIR": os.devnull}
    command = ["git", "apply", *more, str(patch)]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def _run(folder: Path, test: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": str(folder)}
    command = [sys.executable, "-m", "pytest", "-n", "0", "-q", "-p", "no:cacheprovider", test]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
