"""Printing a sheet as PDF: the same sheet gives the same bytes, on any day and in any process.

Nothing in it is compressed, since compressors differ in their bytes; its dates are the document's, its id none.
"""

from datetime import UTC
from pathlib import Path

from fpdf import FPDF
from fpdf.enums import XPos, YPos

from billing.documents.sheet import Head, Sheet

FONTS = Path(__file__).parent / "fonts"
INK, SECOND, RULE, WARNING = (23, 26, 31), (86, 93, 104), (231, 227, 218), (179, 50, 44)
MARGIN, HALF, AMOUNT = 20, 85, 45  # millimetres
# A4 is higher, Letter wider: what lies between these margins prints whole on both.
BOTTOM = 40


class Paper(FPDF):
    """A4 paper that numbers its pages."""

    def __init__(self, sheet: Head) -> None:
        super().__init__(format="A4")
        self.sheet = sheet
        self.set_compression(False)
        self.set_text_shaping(True)
        self.c_margin = 0
        self.set_margin(MARGIN)
        self.set_auto_page_break(True, BOTTOM)
        self.add_font("ours", "", FONTS / "DejaVuSans.ttf")
        self.add_font("ours", "B", FONTS / "DejaVuSans-Bold.ttf")
        self.set_creation_date(sheet.issued_at.astimezone(UTC))
        self.set_title(f"{sheet.title} {sheet.number}")
        self.set_lang(sheet.language)
        self.set_producer("Leadbourse")

    def footer(self) -> None:
        """Say which page of how many this is."""
        self.set_y(-BOTTOM + 10)
        self.ink(SECOND, 8)
        self.cell(w=self.epw, text=self.sheet.page.format(page=self.page_no(), pages="{nb}"), align="R")

    def ink(self, colour: tuple[int, int, int], size: float, style: str = "") -> None:
        """Write on in this colour and size."""
        self.set_font("ours", style, size)
        self.set_text_color(*colour)

    def rule(self) -> None:
        """Draw a line across."""
        self.set_draw_color(*RULE)
        self.line(self.l_margin, self.get_y(), self.w - self.r_margin, self.get_y())

    def block(self, text: str, width: float, height: float, align: str = "L") -> None:
        """Write a text in a column of this width, as many lines as it takes, and stay in the column."""
        self.multi_cell(width, height, text, align=align, new_x=XPos.LEFT, new_y=YPos.NEXT)


def pdf_of(sheet: Sheet) -> bytes:
    """Print a sheet."""
    paper = Paper(sheet)
    paper.add_page()
    print_head(paper)
    _table(paper, sheet)
    return bytes(paper.output())


def print_head(paper: Paper) -> None:
    """Print what a document begins with: its title, whose it is, and its facts."""
    _title(paper)
    _parties(paper)
    _facts(paper)


def _title(paper: Paper) -> None:
    paper.ink(INK, 20, "B")
    paper.block(paper.sheet.title, paper.epw, 10)
    paper.ink(SECOND, 10)
    paper.block(paper.sheet.number, paper.epw, 6)
    if paper.sheet.warning:
        paper.ink(WARNING, 10, "B")
        paper.block(paper.sheet.warning, paper.epw, 8)
    paper.ln(6)


def _parties(paper: Paper) -> None:
    top, lowest = paper.get_y(), paper.get_y()
    for column, (role, lines) in enumerate(paper.sheet.parties):
        paper.set_xy(MARGIN + column * HALF, top)
        paper.ink(SECOND, 8)
        paper.block(role, HALF - 5, 5)
        paper.ink(INK, 10, "B")
        for line in lines:
            paper.block(line, HALF - 5, 5)
            paper.ink(INK, 10)
        lowest = max(lowest, paper.get_y())
    paper.set_xy(MARGIN, lowest + 8)


def _facts(paper: Paper) -> None:
    for name, value in paper.sheet.facts:
        top = paper.get_y()
        paper.ink(SECOND, 9)
        paper.block(name, AMOUNT + 10, 5)
        paper.set_xy(MARGIN + AMOUNT + 10, top)
        paper.ink(INK, 9)
        paper.block(value, paper.epw - AMOUNT - 10, 5)
        paper.set_x(MARGIN)
    paper.ln(8)


def _table(paper: Paper, sheet: Sheet) -> None:
    paper.ink(SECOND, 8)
    _row(paper, *sheet.heads)
    paper.rule()
    paper.ln(2)
    for line in sheet.lines:
        paper.ink(INK, 10)
        _row(paper, line.what, line.amount)
        paper.ink(SECOND, 9)
        for below in line.below:
            _row(paper, below, "")
        paper.ln(2)
    paper.rule()
    paper.ln(2)
    paper.ink(INK, 11, "B")
    _row(paper, *sheet.total)
    paper.ln(8)
    paper.ink(SECOND, 9)
    paper.block(sheet.note, paper.epw, 5)


def _row(paper: Paper, what: str, amount: str) -> None:
    top = paper.get_y()
    paper.set_x(MARGIN)
    paper.block(what, paper.epw - AMOUNT, 6)
    below = paper.get_y()
    paper.set_xy(MARGIN + paper.epw - AMOUNT, top)
    paper.cell(AMOUNT, 6, amount, align="R")
    paper.set_xy(MARGIN, below)
