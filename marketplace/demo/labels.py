"""What each posted lead truly is, in a file of the simulator's own; it is never sent anywhere."""

import json
from pathlib import Path
from typing import TextIO

from marketplace.demo.behaviour import Known
from marketplace.demo.state import FOLDER

FILE = "labels.ndjson"


class LabelBook:
    """The true labels by lead, kept on disk as they are learned; one process writes at a time."""

    def __init__(self, data_folder: Path) -> None:
        path = data_folder / FOLDER / FILE
        path.parent.mkdir(parents=True, exist_ok=True)
        self._known: dict[str, Known] = {}
        if path.is_file():
            for line in path.read_text(encoding="utf-8").splitlines():
                self._take(line)
        self._file: TextIO = path.open("a", encoding="utf-8")

    def _take(self, line: str) -> None:
        try:
            lead, name, label = json.loads(line)
        except ValueError:
            return  # the last line of a process that was killed while it wrote
        self._known[lead] = Known(name, label)

    def write(self, lead: str, known: Known) -> None:
        """Note what a lead truly is."""
        self._known[lead] = known
        self._file.write(json.dumps([lead, *known]) + "\n")

    def find(self, lead: str) -> Known | None:
        """Find what is known of a lead; None for one that somebody else posted."""
        return self._known.get(lead)

    def flush(self) -> None:
        """Hand what was written to the operating system."""
        self._file.flush()

    def close(self) -> None:
        """End with everything written."""
        self._file.close()
