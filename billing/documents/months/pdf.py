"""Printing an invoice or a statement of any length as PDF: the same bytes each time, and a sum on each page."""

from billing.documents.months.sheet import LongSheet, Row
from billing.documents.pdf import INK, MARGIN, SECOND, Paper, print_head

HEIGHT, SMALL = 5, 4  # millimetres a line takes
WIDTHS = {4: (12, 22, 98, 38), 6: (12, 22, 50, 22, 32, 32)}
WHAT = 2  # the column with small print below it
SUM = 8  # what the page's sum takes with the line above it
TOTAL = 70


def month_pdf_of(sheet: LongSheet) -> bytes:
    """Print a sheet, as many pages as it takes."""
    paper = Paper(sheet)
    paper.add_page()
    print_head(paper)
    _rows(paper, sheet, WIDTHS[len(sheet.heads)])
    _totals(paper, sheet)
    return bytes(paper.output())


def _rows(paper: Paper, sheet: LongSheet, widths: tuple[int, ...]) -> None:
    _heads(paper, sheet, widths)
    on_page = 0
    for row in sheet.rows:
        if paper.get_y() + _height_of(paper, row, widths) + SUM > paper.page_break_trigger:
            _sum(paper, sheet, on_page)
            paper.add_page()
            _heads(paper, sheet, widths)
            on_page = 0
        _row(paper, row, widths)
        on_page += row.minor
    _sum(paper, sheet, on_page)


def _heads(paper: Paper, sheet: LongSheet, widths: tuple[int, ...]) -> None:
    paper.ink(SECOND, 8)
    for place, (head, width) in enumerate(zip(sheet.heads, widths, strict=True)):
        _write(paper, head, width, HEIGHT, is_right=place > WHAT)
    paper.ln(HEIGHT)
    paper.rule()
    paper.ln(1)


def _height_of(paper: Paper, row: Row, widths: tuple[int, ...]) -> float:
    """Return how much of a page a row takes; a long text is wrapped, at the worst one line more than it is wide."""
    width = paper.epw - sum(widths[:WHAT])
    paper.ink(SECOND, 7)
    paper.set_text_shaping(False)
    lines = sum(1 + int(paper.get_string_width(text) * 1.1 // width) for text in row.below)
    return HEIGHT + SMALL * lines


def _row(paper: Paper, row: Row, widths: tuple[int, ...]) -> None:
    paper.set_x(MARGIN)
    paper.ink(INK, 8)
    for place, (cell, width) in enumerate(zip(row.cells, widths, strict=True)):
        _write(paper, cell, width, HEIGHT, is_right=place > WHAT)
    paper.ln(HEIGHT)
    paper.ink(SECOND, 7)
    for text in row.below:
        paper.set_text_shaping(not _is_plain(text))
        paper.set_x(MARGIN + sum(widths[:WHAT]))
        paper.block(text, paper.epw - sum(widths[:WHAT]), SMALL)


def _sum(paper: Paper, sheet: LongSheet, minor: int) -> None:
    paper.set_x(MARGIN)
    paper.rule()
    paper.ln(1)
    _pair(paper, sheet.carried, sheet.money(minor))


def _totals(paper: Paper, sheet: LongSheet) -> None:
    paper.ln(4)
    for name, value in sheet.totals:
        paper.ink(INK, 9, "B")
        _pair(paper, name, value)
    paper.ln(4)
    paper.ink(SECOND, 9)
    paper.set_text_shaping(True)
    paper.block(sheet.note, paper.epw, HEIGHT)


def _pair(paper: Paper, name: str, value: str) -> None:
    """Write a name and beside it its value, both on as many lines as they take."""
    top = paper.get_y()
    paper.set_text_shaping(not _is_plain(name))
    paper.set_x(MARGIN)
    paper.block(name, TOTAL, HEIGHT)
    below = paper.get_y()
    if below < top:  # a new page was begun
        top = below - HEIGHT
    paper.set_text_shaping(not _is_plain(value))
    paper.set_xy(MARGIN + TOTAL, top)
    paper.block(value, paper.epw - TOTAL, HEIGHT, "R")
    paper.set_xy(MARGIN, max(below, paper.get_y()))


def _write(paper: Paper, text: str, width: int, height: int, *, is_right: bool) -> None:
    paper.set_text_shaping(not _is_plain(text))
    paper.cell(width, height, text, align="R" if is_right else "L")


def _is_plain(text: str) -> bool:
    """Tell whether a text reads right without being shaped, which takes seven times as long."""
    return all(letter < "\u0300" or "\u2000" <= letter < "\u2100" for letter in text)
