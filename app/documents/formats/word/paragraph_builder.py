"""Write tokens back into a paragraph of a DOCX."""

from __future__ import annotations

import copy
from collections.abc import Sequence

from lxml import etree

from app.documents.formats.markup.xml_tree import Element
from app.documents.formats.office.package import SPACE, W
from app.documents.formats.office.runs import BREAKS, ParagraphToken, RunFormat, StyledText, WordGroup
from app.documents.formats.word.paragraph_reader import GroupHolder, inside_of
from app.documents.formats.word.word_model import PROPERTIES, RUN, RUN_PROPERTIES, TEXT, RawElement

_HYPHEN, _CONTROL = f"{W}noBreakHyphen", f"{W}sdt"


def rebuild_paragraph(paragraph: Element, tokens: Sequence[ParagraphToken]) -> list[Element]:
    """Replace a paragraph's content by the tokens, keeping its properties; return the runs with words."""
    for child in list(paragraph):
        if child.tag != PROPERTIES:
            _detach_element(child)
    builder = _ParagraphBuilder(paragraph)
    for token in tokens:
        builder.add(token)
    # A bound control shows what the file stores elsewhere, and Word would put that back over the translation.
    for control in (*paragraph.iterancestors(_CONTROL), *paragraph.iter(_CONTROL)):
        _unbind_control(control)
    return builder.runs


class _ParagraphBuilder:
    def __init__(self, paragraph: Element) -> None:
        self.runs: list[Element] = []
        self._parents = [paragraph]
        self._source: Element | None = None
        self._run: Element | None = None
        """The run being written and its model; None to start a new one."""

    def add(self, token: ParagraphToken) -> None:
        node = token.node
        if isinstance(node, StyledText):
            self._write_text(node)
        elif isinstance(node, RunFormat):
            return
        elif isinstance(node, WordGroup):
            self._end_run()
            {"open": self._open_holder, "close": self._close_holder, "single": self._write_single}[token.role](
                node.payload
            )
        else:
            self._move_elements(node.payload)

    def _write_text(self, node: StyledText) -> None:
        # The run may hold things that are no words, and these have to stay in order with them.
        if self._run is None or self._source is not node.run or self._run not in self.runs:
            self.runs.append(self._begin_run(node.run))
        text = node.text.translate(BREAKS)
        for index, part in enumerate(text.split("\u2011")):
            if index:
                etree.SubElement(self._run, _HYPHEN)
            if part:
                self._append_text(part)

    def _append_text(self, text: str) -> None:
        run = self._run
        last = run[-1] if run is not None and len(run) and run[-1].tag == TEXT else etree.SubElement(run, TEXT)
        last.text = (last.text or "") + text
        # Without it Word drops spaces at the ends of a run.
        if last.text != last.text.strip() or "  " in last.text:
            last.set(SPACE, "preserve")

    def _begin_run(self, source: Element) -> Element:
        self._source = source
        self._run = etree.SubElement(self._parents[-1], RUN, dict(source.attrib))
        properties = source.find(RUN_PROPERTIES)
        if properties is not None:
            self._run.append(_copy_properties(properties))
        return self._run

    def _end_run(self) -> None:
        self._run = self._source = None

    def _move_elements(self, raws: Sequence[RawElement]) -> None:
        for raw in raws:
            _detach_element(raw.element)
            if raw.run is None:
                self._end_run()
                self._parents[-1].append(raw.element)
                continue
            if self._source is not raw.run or self._run in self.runs:
                self._begin_run(raw.run)
            self._run.append(raw.element)  # type: ignore[union-attr]

    def _open_holder(self, holder: GroupHolder) -> None:
        if holder.element is None:
            self._move_elements(holder.before)
            self._end_run()
            # A field has no element around it: what is inside goes into the same parent.
            self._parents.append(self._parents[-1])
            return
        _detach_element(holder.element)
        self._parents[-1].append(holder.element)
        inside = inside_of(holder.element)
        for child in list(inside):
            # Properties (rPr, sdtPr …) stay in the holder.
            if not (isinstance(child.tag, str) and child.tag.endswith("Pr")):
                _detach_element(child)
        self._parents.append(inside)

    def _close_holder(self, holder: GroupHolder) -> None:
        self._parents.pop()
        self._move_elements(holder.after)
        self._end_run()

    def _write_single(self, holder: GroupHolder) -> None:
        if holder.element is None:
            self._move_elements((*holder.before, *holder.inside, *holder.after))
        else:
            _detach_element(holder.element)
            self._parents[-1].append(holder.element)
        self._end_run()


def _copy_properties(properties: Element) -> Element:
    """Return a copy of run properties without tracked changes, which belong to the old words."""
    made = copy.deepcopy(properties)
    made.tail = None
    for change in made.findall(f"{W}rPrChange"):
        made.remove(change)
    return made


def _detach_element(element: Element) -> None:
    """Remove an element and the white space after it."""
    element.tail = None
    parent = element.getparent()
    if parent is not None:
        parent.remove(element)


def _unbind_control(control: Element) -> None:
    """Unbind a control, which would show the stored data in place of its translation."""
    properties = control.find(f"{W}sdtPr")
    for binding in list(properties) if properties is not None else ():
        if isinstance(binding.tag, str) and binding.tag.endswith("}dataBinding"):
            properties.remove(binding)
