"""Reads DOCX (Word, LibreOffice and others): its body as a stream, then what no paragraph calls."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass, field

from app.documents.archive import Archive
from app.documents.blocks import Kind, Piece
from app.documents.formats.office.code_lines import code_joined
from app.documents.formats.office.package import Package, Related
from app.documents.formats.word.blocks import Blocks
from app.documents.formats.word.numbering import Numbering
from app.documents.formats.word.styles import Styles, W
from app.documents.formats.word.text import NoteMark
from app.documents.source import Item, Opened, Remark, Source
from app.documents.xml_tree import Element, Numbered, Places, stream_blocks

_USUAL_PART = "word/document.xml"
_CONTAINERS = frozenset(
    f"{W}{name}" for name in ("document", "body", "sdt", "sdtContent", "customXml", "ins", "moveTo")
)
_NOTES = {"footnote": "footnotes", "endnote": "endnotes", "comment": "comments"}
_SEPARATORS = frozenset(("separator", "continuationSeparator", "continuationNotice"))


def read(source: Source) -> Iterator[Item]:
    """The pieces of a DOCX. It has no pages: where they break depends on the printer.

    Footnotes, endnotes and comments come after the block that calls them; headers and footers, each once, at the end.
    """
    try:
        with Archive(source) as archive:
            yield from _Document(Package(archive, source)).items()
    except RecursionError:
        raise source.unreadable("too_deep") from None


@dataclass
class _Notes:
    """The notes of one kind that were not read yet."""

    places: Places
    waiting: dict[str, Element] = field(default_factory=dict)


class _Document:
    def __init__(self, package: Package) -> None:
        self._package = package
        self._part = package.main_part(_USUAL_PART)
        self._related = package.related(self._part)
        self._missing = [each.target for each in self._related.values() if _is_missed(each, package.archive)]
        styles = Styles(self._root_of("styles"))
        self._blocks = Blocks(styles, Numbering(self._root_of("numbering"), styles), self._followers)
        self._notes = {kind: self._notes_of(kind, part) for kind, part in _NOTES.items()}

    def items(self) -> Iterator[Item]:
        """Everything."""
        archive, source = self._package.archive, self._package.source
        archive.refuse_crowd(self._part)
        with archive.open(self._part) as stream:
            yield Opened(title=self._package.title())
            yield from code_joined(self._body(stream_blocks(stream, source, _CONTAINERS)))
        for kind, notes in self._notes.items():
            yield from self._followers([NoteMark(kind, id_) for id_ in notes.waiting], [])
        yield from self._margins()
        for part in self._missing:
            yield Remark("missing_part", {"part": part})
        for each in self._related.values():
            if each.kind == "aFChunk" and each.target in archive:
                yield Remark("attachment", {"name": each.target, "size_bytes": archive.size(each.target)})
        if self._blocks.pictures:
            yield Remark("pictures", {"count": self._blocks.pictures})

    def _body(self, elements: Iterator[Numbered]) -> Iterator[Piece]:
        for start, end, element in elements:
            yield from self._blocks.read(element, Places(self._part, element, start, end))

    def _followers(self, marks: list[NoteMark], parts: list[str]) -> Iterator[Piece]:
        for id_ in parts:
            related = self._related.get(id_)
            if related is not None and related.target in self._package.archive:
                yield from self._package.drawn(related.target)
        for mark in marks:
            notes = self._notes[mark.kind]
            note = notes.waiting.pop(mark.id, None)
            if note is not None:
                yield from self._gathered(note, notes.places, mark.kind)

    def _gathered(self, element: Element, places: Places, label: str) -> Iterator[Piece]:
        """All paragraphs of a note as one piece; the notes that are called in it follow."""
        pieces = [piece for child in element for piece in self._blocks.read(child, places)]
        own = [piece for piece in pieces if piece.kind is not Kind.NOTE]
        text = "\n".join(f"{piece.label} {piece.text}" if piece.label else piece.text for piece in own).strip("\n")
        if text:
            yield Piece(Kind.NOTE, text, None, places.place(element), label=label)
        yield from (piece for piece in pieces if piece.kind is Kind.NOTE)

    def _margins(self) -> Iterator[Piece]:
        """Headers, then footers, those that say the same once."""
        said: set[tuple[str, str]] = set()
        for kind in ("header", "footer"):
            for each in self._related.values():
                if each.kind != kind or each.target not in self._package.archive:
                    continue
                root = self._package.root(each.target)
                for piece in self._gathered(root, Places(each.target, root), kind):
                    if (kind, piece.text) not in said:
                        said.add((kind, piece.text))
                        yield piece

    def _notes_of(self, kind: str, part: str) -> _Notes:
        name = self._name_of(part)
        if name is None:
            return _Notes(Places("", None))
        root = self._package.root(name)
        notes = _Notes(Places(name, root))
        for each in root.iter(f"{W}{kind}"):
            if each.get(f"{W}type") not in _SEPARATORS:
                notes.waiting[each.get(f"{W}id", "")] = each
        return notes

    def _root_of(self, kind: str) -> Element | None:
        name = self._name_of(kind)
        return self._package.root(name) if name is not None else None

    def _name_of(self, kind: str) -> str | None:
        """The part of a kind, by relationship or, where there is none, by its usual name."""
        usual = posixpath.join(posixpath.dirname(self._part), f"{kind}.xml")
        names = [each.target for each in self._related.values() if each.kind == kind]
        return next((name for name in (*names, usual) if name in self._package.archive), None)


def _is_missed(related: Related, archive: Archive) -> bool:
    return related.kind in ("header", "footer", *_NOTES.values()) and related.target not in archive
