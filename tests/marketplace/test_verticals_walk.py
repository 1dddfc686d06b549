"""The walk through docs/verticals.md, done as it is written: its files, its commands, and what they print."""

import os
import re
from pathlib import Path

from tests.command_line import run_program
from tests.factories import Market
from tests.house.tree import text_of

PAGE = text_of(Path("docs/verticals.md"))
FILES = dict(re.findall(r"^```yaml (\S+)\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE))
STEPS = [
    line for block in re.findall(r"^```sh\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE) for line in block.splitlines()
]
COMMAND = "./run leadbourse "


def test_the_walk_does_what_it_says(market: Market, database_url: str, tmp_path: Path) -> None:
    for name, content in FILES.items():
        (tmp_path / name).write_text(content)
    said, status = "", 0
    for step in STEPS:
        if step.startswith(COMMAND):
            said, status = run(step.removeprefix(COMMAND), database_url, tmp_path)
        else:
            promised, exits = re.fullmatch(r"# (.*?)(?: \(exit (\d)\))?", step).groups()
            assert promised in said and status == int(exits or 0), (step, said)
    assert len(FILES) == 3 and sum(step.startswith(COMMAND) for step in STEPS) == 7

    publisher, buyer = market.make_publisher(), market.make_buyer()
    level = {"field": "attributes.level", "op": "eq", "value": "beginner"}
    market.make_order(buyer, vertical="piano-lessons", regions=["FR-ARA"], filters=[level])
    lead = publisher.post("/leads", publisher.get("/verticals/piano-lessons")["example"])
    assert lead["status"] == "sold"


def run(command: str, database_url: str, folder: Path) -> tuple[str, int]:
    done = run_program(*command.split(), environment=os.environ | {"DATABASE_URL": database_url}, folder=folder)
    return done.stdout + done.stderr, done.returncode
