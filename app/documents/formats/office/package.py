"""What DOCX and PPTX have in common: parts that name each other, a title, and drawings kept in parts of their own."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from urllib.parse import unquote

from app.documents.archive import Archive
from app.documents.blocks import Kind, Piece, Place
from app.documents.source import Source
from app.documents.xml_tree import Element, parse

RELATIONSHIPS = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
COMPATIBILITY = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"
DRAWING = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
DIAGRAM = "{http://schemas.openxmlformats.org/drawingml/2006/diagram}"
CHART = "{http://schemas.openxmlformats.org/drawingml/2006/chart}"
MATH = "{http://schemas.openxmlformats.org/officeDocument/2006/math}"
ALTERNATE = f"{COMPATIBILITY}AlternateContent"
_PACKAGE = "{http://schemas.openxmlformats.org/package/2006/relationships}"
_TITLE = "{http://purl.org/dc/elements/1.1/}title"
_CODE_FONTS = re.compile(
    r"courier|consolas|lucida console|monaco|menlo|inconsolata|andale mono|.*\b(mono|code|console)\b", re.IGNORECASE
)
_NUMBER_CACHES = (f"{CHART}numCache", f"{CHART}numLit")


@dataclass(frozen=True)
class Related:
    """What a part names: the last word of the relationship's type, and the name of the member."""

    kind: str
    target: str


class Package:
    """The parts of an open archive. Methods raise DocumentUnreadable as `Archive` and `xml_tree` do."""

    def __init__(self, archive: Archive, source: Source) -> None:
        self.archive = archive
        self.source = source

    def related(self, part: str) -> dict[str, Related]:
        """What a part names, by relationship id; the package itself is the part "". Links to elsewhere are no parts."""
        folder, name = posixpath.split(part)
        member = posixpath.join(folder, "_rels", f"{name}.rels")
        if member not in self.archive:
            return {}
        found = {}
        for each in parse(self.archive.read(member), self.source).iter(f"{_PACKAGE}Relationship"):
            if each.get("TargetMode") != "External":
                target = unquote(each.get("Target", ""))
                target = posixpath.normpath(posixpath.join("/", folder, target)).lstrip("/")
                found[each.get("Id", "")] = Related(each.get("Type", "").rpartition("/")[2], target)
        return found

    def main_part(self, usual: str) -> str:
        """The name of the document's part; `usual` where the package names none."""
        for each in self.related("").values():
            if each.kind == "officeDocument" and each.target in self.archive:
                return each.target
        return usual

    def title(self) -> str:
        """The document's own title, "" where it has none."""
        name = "docProps/core.xml"
        if name not in self.archive:
            return ""
        title = parse(self.archive.read(name), self.source).find(f".//{_TITLE}")
        return " ".join((title.text or "").split()) if title is not None else ""

    def root(self, part: str) -> Element:
        """The root of a part."""
        return parse(self.archive.read(part), self.source)

    def drawn(self, part: str, page: int | None = None) -> Iterator[Piece]:
        """The words of a diagram's data or of a chart: a piece for each paragraph, title and category.

        A chart's categories are repeated for each of its series, and are given once; its numbers are not read.
        """
        root = self.root(part)
        said: set[str] = set()
        for number, element in enumerate(root.iter()):
            if element.tag == f"{DRAWING}p":
                text = drawing_text(element)
            elif element.tag == f"{CHART}v" and next(element.iterancestors(*_NUMBER_CACHES), None) is None:
                text = (element.text or "").strip()
                text = "" if text in said else text
                said.add(text)
            else:
                continue
            if text:
                place = Place(part, number, number + sum(1 for _ in element.iter()))
                yield Piece(Kind.PARAGRAPH, text, page, place)


def is_code_font(name: str) -> bool:
    """Whether a font is one that code is written in."""
    return _CODE_FONTS.match(name) is not None


def drawing_text(paragraph: Element) -> str:
    """The text of one paragraph of DrawingML; a break is a line end."""
    words = []
    for element in paragraph.iter(f"{DRAWING}t", f"{DRAWING}br", f"{DRAWING}tab"):
        words.append({"t": element.text or "", "br": "\n", "tab": "\t"}[element.tag.rpartition("}")[2]])
    return "".join(words).replace("\x0b", "\n").strip()


def chosen(alternate: Element) -> Iterator[Element]:
    """The one branch to read of several that say the same: the first with text, else the first."""
    branches = [each for each in alternate if each.tag in (f"{COMPATIBILITY}Choice", f"{COMPATIBILITY}Fallback")]
    speaking = [branch for branch in branches if _speaks(branch)]
    yield from (speaking or branches)[:1]


def _speaks(branch: Element) -> bool:
    return next(branch.iter(*_speaking_tags()), None) is not None


@cache
def _speaking_tags() -> tuple[str, ...]:
    texts = ("{http://schemas.openxmlformats.org/wordprocessingml/2006/main}t", f"{DRAWING}t")
    return (*texts, f"{MATH}t", f"{DIAGRAM}relIds", f"{CHART}chart")
