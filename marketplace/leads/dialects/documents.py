"""XML as strangers send it, read without following anything it points to, and XML as the dialects answer it."""

from collections.abc import Sequence
from typing import Any
from xml.sax.saxutils import escape

from lxml import etree

from core.errors import Malformed

Elements = Sequence[tuple[str, "str | Elements"]]
_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'


def read_xml(raw: bytes) -> dict[str, Any]:
    """Return what the root's elements say by their names, one level of inner elements below them as dictionaries.

    Malformed for what is not well formed, has a document type (so no entity is ever resolved), or is nested absurdly.
    """
    if b"<!doctype" in raw.lower():
        raise Malformed("not_xml", "Send the XML without a document type.")
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(raw, parser)
    except (etree.XMLSyntaxError, ValueError):
        raise Malformed("not_xml", "Send one well-formed XML document.") from None
    if root.getroottree().docinfo.doctype:  # in another encoding
        raise Malformed("not_xml", "Send the XML without a document type.")
    found: dict[str, Any] = {}
    for element in _elements(root):
        name, value = _name(element), _value(element)
        if found.setdefault(name, value) != value:
            raise Malformed("repeated_parameter", f"Send {name[:100]!r} once; it came with different values.")
    return found


def _value(element: etree._Element) -> Any:
    inner = {_name(one): "".join(one.itertext()).strip() for one in _elements(element)}
    return inner or "".join(element.itertext()).strip()


def _elements(element: etree._Element) -> list[etree._Element]:
    return [one for one in element if isinstance(one.tag, str)]


def _name(element: etree._Element) -> str:
    return etree.QName(element).localname


def write_xml(root: str, elements: Elements) -> bytes:
    """Write a document; names are ours, texts are escaped and freed of what XML cannot hold."""
    return (_DECLARATION + _written(root, elements, "")).encode()


def _written(name: str, content: str | Elements, indent: str) -> str:
    if isinstance(content, str):
        return f"{indent}<{name}>{_escaped(content)}</{name}>\n"
    inside = "".join(_written(*element, indent + "  ") for element in content)
    return f"{indent}<{name}>\n{inside}{indent}</{name}>\n"


def _escaped(text: str) -> str:
    held = (letter for letter in text if letter in "\t\n\r" or (letter >= " " and letter not in "\ufffe\uffff"))
    return escape("".join(held)).encode("utf-8", "replace").decode()
