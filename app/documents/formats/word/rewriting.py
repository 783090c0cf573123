"""Rewrites DOCX: every paragraph a person sees, in place; runs, links, fields, notes and drawings stay what they are.

Left as they are: deleted and hidden text, the code of fields and what Word finds out by itself for them (numbers,
dates, names), paragraphs and stretches of code, the choices of lists in content controls, building blocks
(word/glossary), and the workbooks inside of charts.
How text is read (Word's furigana) is lost with the text. A control that is bound to data elsewhere in the file is
bound no more once its words are translated, for Word would put the data back in their place.
"""

from __future__ import annotations

import posixpath
from itertools import islice
from typing import BinaryIO

from app.documents.archive import Archive
from app.documents.formats.office import labels
from app.documents.formats.office.drawing_parts import Drawings
from app.documents.formats.office.parts import Part, Parts
from app.documents.formats.word.language import Direction
from app.documents.formats.word.looks import Looks
from app.documents.formats.word.numbers import list_labels
from app.documents.formats.word.styles import VAL, W
from app.documents.formats.word.walk import Walk
from app.documents.segments import SegmentKind
from app.documents.source import Remark, Source
from app.documents.visits import Target, Visit, Visits
from app.documents.xml_tree import Element

_USUAL_PART = "word/document.xml"
_NOTES = ("footnote", "endnote", "comment")
_READ = frozenset(("header", "footer", *(f"{kind}s" for kind in _NOTES)))
_SEPARATORS = frozenset(("separator", "continuationSeparator", "continuationNotice"))
_MOST_LOOKED_AT = 4000
"""Runs, to find out what a document is written in."""


def rewrite(source: Source, out: BinaryIO | None, visit: Visit, target: Target | None) -> None:
    """Segments: properties, the body with its text boxes, charts and diagrams, notes and comments, headers, footers."""
    try:
        with Archive(source) as archive:
            document = _Document(Parts(archive, source), Visits(visit), target if out is not None else None)
            document.rewrite()
            if out is not None:
                document.parts.write(out)
    except RecursionError:
        raise source.unreadable("too_deep") from None


class _Document:
    def __init__(self, parts: Parts, ask: Visits, target: Target | None) -> None:
        self.parts = parts
        self._ask = ask
        self._target = target
        self._direction = Direction(target) if target is not None else None
        self._main = parts.main_part(_USUAL_PART)
        self._related = parts.related(self._main)
        self._drawings = Drawings(parts, target)
        styles = self._name_of("styles")
        root = parts.root(styles) if styles else None
        self._looks = Looks(root)
        self._used_lists = _lists_in(root)

    def rewrite(self) -> None:
        """All parts, in an order that is the same each time."""
        labels.properties(self.parts, self._ask, self._target)
        self._body()
        for kind in _NOTES:
            if name := self._name_of(f"{kind}s"):
                self._notes(name, kind)
        for kind in ("header", "footer"):
            for each in self._related.values():
                if each.kind == kind and each.target in self.parts.archive:
                    self._margin(each.target)
        if name := self._name_of("numbering"):
            with self.parts.opened(name) as part:
                list_labels(part, self._used_lists, self._ask)
        if self._direction is not None and self._main in self.parts.changed:
            self._defaults(self._direction)
        self._tell()

    def _body(self) -> None:
        with self.parts.opened(self._main) as part:
            self._looks.is_typewritten = _is_typewritten(part.root, self._looks)
            self._used_lists |= _lists_in(part.root)
            self._walk(part).read(part.root, SegmentKind.PARAGRAPH)
            self._drawings.related(self._main, part.root, self._ask)
            if part.is_changed and self._direction is not None:
                self._direction.sections(part.root)

    def _notes(self, name: str, kind: str) -> None:
        with self.parts.opened(name) as part:
            for note in part.root.iter(f"{W}{kind}"):
                if note.get(f"{W}type") not in _SEPARATORS:
                    self._walk(part).read(note, SegmentKind.NOTE)
            self._drawings.related(name, part.root, self._ask)

    def _margin(self, name: str) -> None:
        with self.parts.opened(name) as part:
            self._walk(part).read(part.root, SegmentKind.HEADER)
            self._drawings.related(name, part.root, self._ask)

    def _walk(self, part: Part) -> Walk:
        return Walk(part, self._looks, self._drawings, self._direction, self._ask)

    def _tell(self) -> None:
        source, archive = self.parts.source, self.parts.archive
        if self._drawings.left.count:
            source.remark("left_blocks", count=self._drawings.left.count)
        for each in self._related.values():
            if each.kind in _READ and each.target not in archive:
                source.remark("missing_part", part=each.target)
            elif each.kind == "aFChunk" and each.target in archive:
                values: dict[str, str | int] = {"name": each.target, "size_bytes": archive.size(each.target)}
                source.remarks.append(Remark("attachment", values))

    def _defaults(self, direction: Direction) -> None:
        """Language and direction where no paragraph says its own."""
        for kind, change in (("styles", direction.styles), ("settings", direction.settings)):
            if name := self._name_of(kind):
                with self.parts.opened(name) as part:
                    change(part.root)
                    part.is_changed = True

    def _name_of(self, kind: str) -> str | None:
        """The part of a kind, by relationship or, where there is none, by its usual name."""
        usual = posixpath.join(posixpath.dirname(self._main), f"{kind}.xml")
        names = [each.target for each in self._related.values() if each.kind == kind]
        return next((name for name in (*names, usual) if name in self.parts.archive), None)


def _lists_in(root: Element | None) -> set[str]:
    return {each.get(VAL, "") for each in root.iter(f"{W}numId")} if root is not None else set()


def _is_typewritten(root: Element, looks: Looks) -> bool:
    """Whether most of a document is in a font for code; then the font tells nothing."""
    style, code, all_ = looks.styles.find(looks.styles.default), 0, 0
    for run in islice(root.iter(f"{W}r"), _MOST_LOOKED_AT):
        length = sum(len(each.text or "") for each in run.iterchildren(f"{W}t"))
        all_ += length
        code += length if length and looks.is_monospace(run, style) else 0
    return code * 2 > all_
