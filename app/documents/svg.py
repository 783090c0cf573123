"""Drawings (SVG) by strangers, rewritten so that they name nothing outside themselves before anything draws them.

Qt's reader opens any picture or style sheet of this computer that a drawing names.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote_to_bytes

from lxml import etree

Element = Any
"""An lxml element; lxml brings no types."""

_REFERENCES = frozenset(("href", "src", "base"))
# References to own parts ("#gradient") stay; `[^)]*` with an optional end, so that an unclosed one goes, too.
_URL = re.compile(r"url\(\s*(?![\s\"']*#)[^)]*\)?", re.IGNORECASE)
_IMPORT = re.compile(r"@import\b[^;]*;?", re.IGNORECASE)
_NAMESPACES = etree.ErrorDomains.NAMESPACE


class SvgDamaged(ValueError):
    """The drawing isn't well-formed XML, or has an external entity."""


def make_self_contained(svg: bytes, find_picture: Callable[[bytes], str]) -> bytes:
    """Keep references to the drawing's own parts and embedded bitmaps, and drop all others.

    Instructions and the document type are dropped as well; a drawing with an external entity is refused. `find_picture`
    names the format of bytes, as `app.documents.decoding` does. Raises SvgDamaged.
    """
    is_entity_free = b"<!ENTITY" not in svg and b"\0" not in svg  # UTF-16 has zeros
    parser = etree.XMLParser(
        resolve_entities="internal",
        no_network=True,
        load_dtd=False,
        # libxml2 bounds what entities grow to only without it.
        huge_tree=is_entity_free,
        remove_pis=True,
        remove_comments=True,
        recover=True,  # Qt knows no namespaces, and editors leave prefixes undeclared
    )
    try:
        root = etree.fromstring(svg, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise SvgDamaged from error
    if root is None or any(_is_damage(error) for error in parser.error_log):
        raise SvgDamaged
    # A list: what is taken out of a style sheet would end a walk over the tree there, and leave the rest as it is.
    for element in list(root.iter()):
        _clean_element(element, find_picture)
    result: bytes = etree.tostring(root, encoding="utf-8")
    return result


def _is_damage(error: Any) -> bool:
    return bool(error.level >= etree.ErrorLevels.ERROR and error.domain != _NAMESPACES)


def _clean_element(element: Element, find_picture: Callable[[bytes], str]) -> None:
    # By the local name, whatever prefix: editors leave them undeclared, and Qt knows no namespaces.
    for name, value in element.attrib.items():
        if name.rpartition("}")[2].rpartition(":")[2].lower() in _REFERENCES:
            _set_attribute(element, name, _own_reference(value, find_picture))
        elif "url" in value.lower():
            # Presentation attributes hold CSS: fill="url(file:///…)".
            _set_attribute(element, name, _clean_css(value))
    if element.tag.rpartition("}")[2].rpartition(":")[2].lower() == "style":
        css = "".join(element.itertext())
        # Only its words stay: markup inside of a style sheet could hide an address from the pattern.
        for child in list(element):
            element.remove(child)
        element.text = _clean_css(css)


def _set_attribute(element: Element, name: str, value: str) -> None:
    """Set an attribute, or remove it if empty; lxml can't set one with an undeclared prefix."""
    del element.attrib[name]
    with contextlib.suppress(ValueError):  # "y:" and "y:1" are no names without their prefix
        if value:
            element.set(name if name.startswith("{") else name.rpartition(":")[2], value)


def _own_reference(value: str, find_picture: Callable[[bytes], str]) -> str:
    """Return the new value of a reference; "" for an outside one.

    Embedded bitmaps are encoded again: Qt parses data addresses its own way, and must find what was checked here.
    """
    value = value.strip()
    if value.startswith("#"):
        return value
    head, comma, payload = value.partition(",")
    if not comma or not head.lower().startswith("data:"):
        return ""
    try:
        data = unquote_to_bytes(payload)
        if head.lower().rstrip().endswith("base64"):
            # Padding is optional in data addresses; too much of it is ignored.
            data = base64.b64decode(data + b"===", validate=False)
    except (binascii.Error, ValueError):
        return ""
    format_ = find_picture(data[:4096])
    if format_ in ("", "svg", "heic"):  # a drawing inside a drawing could name files in its turn
        return ""
    return f"data:image/{format_};base64,{base64.b64encode(data).decode()}"


def _clean_css(css: str) -> str:
    return _IMPORT.sub("", _URL.sub("none", css))
