"""CAMT.053 read as it streams by: statements of ISO 20022 in any version, with nothing of XML that could do harm.

A document type, and with it every entity, is refused before it is read; so is what is nested deep or written without
end. No more is kept than one entry, of a batch no more than the first parts.
"""

from collections.abc import Iterator
from typing import IO
from xml.parsers import expat

from billing.bank.camt_entries import Faulty, Node, Told, balance_of, entries_of, text_of
from billing.bank.lines import Closed, Entry, Opened, kept
from core.errors import Fault, Invalid

NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:camt.053.001."
MOST_DEPTH, MOST_LETTERS, MOST_PARTS, PIECE = 30, 20_000, 5_000, 1 << 16
MOST_ELEMENTS = 100_000  # of one entry; a batch of many parts has many
MOST_ATTRIBUTES = 10  # of one element; amounts have one
ENCODINGS = ("utf-8", "utf-16", "us-ascii", "iso-8859-1")  # which the parser reads by itself
ADDED = "SplmtryData"  # in it a bank may write what it likes, and nothing is read
_PASSES = ("Document", "BkToCstmrStmt", "Stmt")


def read_camt(file: IO[bytes]) -> Iterator[Opened | Entry | Closed]:
    """Read the statements of a file; Invalid `bad_statement` with what is wrong and at which line of the file.

    Entries are given as they are read, so a file that turns out to be wrong has given some already.
    """
    reader = _Reader()
    try:
        while piece := file.read(PIECE):
            reader.parser.Parse(piece, False)
            yield from reader.taken()
        reader.parser.Parse(b"", True)
    except expat.ExpatError as broken:
        says = f"Ask the bank for the file again: its XML is broken ({expat.ErrorString(broken.code)})."
        raise _refused("broken_xml", says, broken.lineno) from None
    except Faulty as wrong:
        raise _refused(wrong.code, wrong.says, reader.parser.CurrentLineNumber) from None
    yield from reader.taken()


def _refused(code: str, says: str, line: int) -> Invalid:
    return Invalid("bad_statement", "Nothing was booked of this file.", [Fault(f"line {line}", code, says)])


class _Reader:
    """What is known at one place of the file: the elements that are open, and the statement they belong to."""

    def __init__(self) -> None:
        self.parser = expat.ParserCreate(namespace_separator=" ")
        self.parser.buffer_text = True
        self.parser.XmlDeclHandler = self._demand_encoding
        self.parser.StartDoctypeDeclHandler = self._refuse_doctype
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._letters
        self._open: list[Node] = []
        self._statement: Told | None = None
        self._out: list[Opened | Entry | Closed] = []
        self._line = 0
        self._space, self._iban = "", ""

    def taken(self) -> list[Opened | Entry | Closed]:
        """Hand over what was read since the last time."""
        out, self._out = self._out, []
        return out

    def _demand_encoding(self, _version: str, encoding: str | None, _standalone: int) -> None:
        if encoding is not None and encoding.lower() not in ENCODINGS:
            raise Faulty("broken_xml", f"Ask the bank for the file in UTF-8; this one says {encoding[:40]}.")

    def _refuse_doctype(self, *_: object) -> None:
        raise Faulty("dtd_forbidden", "Send the file as the bank made it: a statement has no document type.")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        space, _, local = name.rpartition(" ")
        self._demand_space(space, local)
        if len(self._open) == MOST_DEPTH:
            raise Faulty("too_deep", f"Send a bank statement: none has {MOST_DEPTH} elements within each other.")
        if len(attributes) > MOST_ATTRIBUTES:
            raise Faulty("too_long", f"Send a bank statement: no element in one has {MOST_ATTRIBUTES} attributes.")
        if local == "Stmt" and len(self._open) == len(_PASSES) - 1:
            self._statement = Told()
        self._open.append(Node(local, attributes))

    def _demand_space(self, space: str, local: str) -> None:
        """Refuse elements of another form, which would be read as if they were of this one, but in what banks add."""
        if not self._open:
            self._space = space
            if local != "Document" or not space.startswith(NAMESPACE):
                raise Faulty("wrong_namespace", "Send a bank statement in the form CAMT.053; this is something else.")
        elif space != self._space and not any(one.name == ADDED for one in self._open):
            says = f"Ask the bank: the element {local[:40]} is of another form than the statement."
            raise Faulty("foreign_namespace", says)

    def _letters(self, text: str) -> None:
        if self._open:
            node = self._open[-1]
            if len(node.text) + len(text) > MOST_LETTERS:
                raise Faulty("too_long", f"Send a bank statement: no text in one has {MOST_LETTERS} letters.")
            node.text += text

    def _end(self, _: str) -> None:
        node = self._open.pop()
        depth, statement = len(self._open), self._statement
        if depth == len(_PASSES) and statement is not None:
            self._part(statement, node)
        elif depth == len(_PASSES) - 1 and node.name == "Stmt" and statement is not None:
            self._close(statement)
        elif depth > len(_PASSES):
            self._keep(self._open[-1], node)

    def _keep(self, parent: Node, node: Node) -> None:
        parts = self._open[len(_PASSES)]
        parts.size += 1
        if parts.size > MOST_ELEMENTS:
            raise Faulty("too_long", f"Send a bank statement: no entry in one has {MOST_ELEMENTS} elements.")
        if node.name == "TxDtls":
            parts.parts += 1
            if parts.parts > MOST_PARTS:
                return
        parent.children.append(node)

    def _part(self, statement: Told, node: Node) -> None:
        if node.name == "Id":
            statement.name = kept(node.text)
        elif node.name == "Acct":
            self._account(statement, node)
        elif node.name == "Bal":
            self._open_statement(statement, balance_of(node, statement))
        elif node.name == "Ntry":
            self._open_statement(statement, "")
            for entry in entries_of(node, statement, self._line, is_whole=node.parts <= MOST_PARTS):
                self._line = entry.line
                self._out.append(entry)

    def _account(self, statement: Told, node: Node) -> None:
        iban = text_of(node, "Id", "IBAN").replace(" ", "").upper()
        if statement.has_account or statement.is_open or self._iban not in ("", iban):
            raise Faulty("second_account", "Send a file for each account: this one tells of a second.")
        statement.has_account, statement.iban, statement.currency = True, iban, text_of(node, "Ccy")
        self._iban = iban

    def _open_statement(self, statement: Told, currency: str) -> None:
        statement.currency = statement.currency or currency
        if not statement.is_open and statement.currency:
            statement.is_open = True
            self._out.append(Opened(statement.iban, statement.currency, statement.name))

    def _close(self, statement: Told) -> None:
        self._open_statement(statement, "")
        if not statement.is_open:
            raise Faulty("no_account", "Send a statement that says of which account and currency it is.")
        closing = statement.interim if statement.closing is None else statement.closing
        self._out.append(Closed(statement.opening, closing, statement.moved))
        self._statement = None
