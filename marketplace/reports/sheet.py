"""Lines of a CSV file (RFC 4180) that a spreadsheet can open without running anything."""

import csv
import io
from collections.abc import Iterable

from marketplace.leads.delivery.sheets import harmless


def sheet_line(cells: Iterable[object]) -> bytes:
    """Write one line in UTF-8, ended by CRLF; a text that would be taken for a formula gets an apostrophe before it."""
    line = io.StringIO()
    csv.writer(line, lineterminator="\r\n").writerow([harmless(str(cell)) for cell in cells])
    return line.getvalue().encode()
