"""Writes tokens back into a paragraph of a DOCX."""

from __future__ import annotations

import copy
from collections.abc import Sequence

from lxml import etree

from app.documents.formats.office.nodes import Format, Group, Text, Token
from app.documents.formats.word.fields import Raw
from app.documents.formats.word.nodes import Holder, inside_of
from app.documents.formats.word.styles import PROPERTIES, RUN_PROPERTIES, W
from app.documents.xml_tree import Element

_RUN, _TEXT, _HYPHEN, _CONTROL = f"{W}r", f"{W}t", f"{W}noBreakHyphen", f"{W}sdt"
_SPACE = "{http://www.w3.org/XML/1998/namespace}space"
_BREAKS = str.maketrans("\n\t\r", "   ")


def rebuild(paragraph: Element, tokens: Sequence[Token]) -> list[Element]:
    """Puts the tokens in the place of all that the paragraph had but its properties; gives the runs with words."""
    for child in list(paragraph):
        if child.tag != PROPERTIES:
            _detach(child)
    builder = _Builder(paragraph)
    for token in tokens:
        builder.add(token)
    for control in (*paragraph.iterancestors(_CONTROL), *paragraph.iter(_CONTROL)):
        _unbind(control)
    return builder.runs


class _Builder:
    def __init__(self, paragraph: Element) -> None:
        self.runs: list[Element] = []
        self._parents = [paragraph]
        self._source: Element | None = None
        self._run: Element | None = None
        """The run that is being written, and the one it looks like; None where the next begins a new one."""

    def add(self, token: Token) -> None:
        """Writes the next token."""
        node = token.node
        if isinstance(node, Text):
            self._write(node)
        elif isinstance(node, Format):
            return
        elif isinstance(node, Group):
            self._end_run()
            getattr(self, f"_{token.role}")(node.payload)
        else:
            self._move(node.payload)

    def _write(self, node: Text) -> None:
        if self._run is None or self._source is not node.run or self._run not in self.runs:
            self.runs.append(self._begin(node.run))
        text = node.text.translate(_BREAKS)
        for index, part in enumerate(text.split("\u2011")):
            if index:
                etree.SubElement(self._run, _HYPHEN)
            if part:
                self._put(part)

    def _put(self, text: str) -> None:
        run = self._run
        last = run[-1] if run is not None and len(run) and run[-1].tag == _TEXT else etree.SubElement(run, _TEXT)
        last.text = (last.text or "") + text
        if last.text != last.text.strip() or "  " in last.text:
            last.set(_SPACE, "preserve")

    def _begin(self, source: Element) -> Element:
        """A new run that looks like another one."""
        self._source = source
        self._run = etree.SubElement(self._parents[-1], _RUN, dict(source.attrib))
        properties = source.find(RUN_PROPERTIES)
        if properties is not None:
            self._run.append(_copied(properties))
        return self._run

    def _end_run(self) -> None:
        self._run = self._source = None

    def _move(self, raws: Sequence[Raw]) -> None:
        for raw in raws:
            _detach(raw.element)
            if raw.run is None:
                self._end_run()
                self._parents[-1].append(raw.element)
                continue
            if self._source is not raw.run or self._run in self.runs:
                self._begin(raw.run)
            self._run.append(raw.element)  # type: ignore[union-attr]

    def _open(self, holder: Holder) -> None:
        if holder.element is None:
            self._move(holder.before)
            self._end_run()
            self._parents.append(self._parents[-1])
            return
        _detach(holder.element)
        self._parents[-1].append(holder.element)
        inside = inside_of(holder.element)
        for child in list(inside):
            if not (isinstance(child.tag, str) and child.tag.endswith("Pr")):
                _detach(child)
        self._parents.append(inside)

    def _close(self, holder: Holder) -> None:
        self._parents.pop()
        self._move(holder.after)
        self._end_run()

    def _single(self, holder: Holder) -> None:
        if holder.element is None:
            self._move((*holder.before, *holder.inside, *holder.after))
        else:
            _detach(holder.element)
            self._parents[-1].append(holder.element)
        self._end_run()


def _copied(properties: Element) -> Element:
    """Run properties without the record of how they were changed."""
    made = copy.deepcopy(properties)
    made.tail = None
    for change in made.findall(f"{W}rPrChange"):
        made.remove(change)
    return made


def _detach(element: Element) -> None:
    """Takes an element out of where it is, with no white space after it."""
    element.tail = None
    parent = element.getparent()
    if parent is not None:
        parent.remove(element)


def _unbind(control: Element) -> None:
    """A control that shows what is stored elsewhere in the file would show it again in place of its translation."""
    properties = control.find(f"{W}sdtPr")
    for binding in list(properties) if properties is not None else ():
        if isinstance(binding.tag, str) and binding.tag.endswith("}dataBinding"):
            properties.remove(binding)
