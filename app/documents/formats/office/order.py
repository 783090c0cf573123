"""Puts an element where its schema wants it among its siblings."""

from __future__ import annotations

from collections.abc import Sequence

from lxml import etree

from app.documents.xml_tree import Element


def child_in_order(parent: Element, tag: str, order: Sequence[str]) -> Element:
    """The child of this tag; a new one stands before the first of those that come after it in `order`.

    What is not in `order` counts as coming last.
    """
    found = parent.find(tag)
    if found is not None:
        return found
    made = etree.SubElement(parent, tag)
    place = order.index(tag)
    for index, sibling in enumerate(parent):
        is_known = sibling.tag in order
        if sibling is not made and isinstance(sibling.tag, str) and (not is_known or order.index(sibling.tag) > place):
            parent.insert(index, made)
            break
    return made


def without(parent: Element, *tags: str) -> bool:
    """Takes the children of these tags out; whether there were any."""
    found = [child for child in parent if child.tag in tags]
    for child in found:
        parent.remove(child)
    return bool(found)
