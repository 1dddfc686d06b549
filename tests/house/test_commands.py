"""The command line: every command is found, and whoever only serves does not load the application."""

import subprocess
import sys
import tomllib
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from marketplace.cli import MODULE_OF, leadbourse

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", MODULE_OF)
def test_every_command_is_loaded_by_its_own_name(name: str) -> None:
    command = leadbourse.get_command(None, name)
    assert isinstance(command, click.Command)
    assert command.name == name
    assert command.help


def test_a_command_that_does_not_exist_is_none() -> None:
    assert leadbourse.get_command(None, "nothing") is None


def test_the_version_is_that_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    asked = CliRunner().invoke(leadbourse, ["--version"], prog_name="leadbourse")
    assert asked.output == f"leadbourse {project['version']}\n"


def test_what_only_serves_does_not_load_the_application() -> None:
    asked = "import marketplace.cli.serving, sys; print(*{'flask', 'sqlalchemy', 'billing'} & set(sys.modules))"
    told = subprocess.run([sys.executable, "-c", asked], cwd=ROOT, check=True, capture_output=True, text=True)
    assert told.stdout.split() == []
