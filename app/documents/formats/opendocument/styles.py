"""The styles of an OpenDocument: what a paragraph is by its style, and how the items of a list are counted."""

from __future__ import annotations

import re
from typing import NamedTuple

from app.core.lazy_dataclasses import dataclass, field
from app.documents.archive import Archive
from app.documents.formats.markup.xml_tree import Element, parse, words_in
from app.documents.formats.office.paragraphs import MOST_ANCESTORS, ParagraphRole, spelled
from app.documents.source import FileSource

_ODF = "urn:oasis:names:tc:opendocument:xmlns:"
OFFICE, TEXT, STYLE, TABLE, DRAW, PRESENTATION = (
    f"{{{_ODF}{name}:1.0}}" for name in ("office", "text", "style", "table", "drawing", "presentation")
)
CONTENT, STYLES, META = "content.xml", "styles.xml", "meta.xml"
PARAGRAPHS = frozenset((f"{TEXT}p", f"{TEXT}h"))
_LEVELS = 10
MOST_SPACES = 100
# Writer's names encode spaces as _20_.
_CODE_NAMES = ("preformatted", "source_20_code", "source_20_text", "source_text", "code", "listing")
OUTLINE = "\0outline"
"""The name under which the numbering of headings is kept: no style can have it."""


class ResolvedStyle(NamedTuple):
    """A style with what it has from the ones it is based on. `list_style` is the list it belongs to, "" for none."""

    role: ParagraphRole
    is_hidden: bool
    list_style: str


@dataclass
class _OdfStyle:
    parent: str
    list_style: str | None
    is_hidden: bool


@dataclass
class _OdfListLevel:
    bullet: str = ""
    format: str = ""
    prefix: str = ""
    suffix: str = ""
    start: int = 1
    shown: int = 1


class OpenDocumentStyles:
    """All styles so far; automatic ones are derived from named ones."""

    def __init__(self) -> None:
        self._styles: dict[str, _OdfStyle] = {}
        self._looks: dict[str, ResolvedStyle] = {}
        self._hidden_pages: set[str] = set()
        self.lists: dict[str, list[_OdfListLevel]] = {}
        self.hides = False
        """True if any style hides its text."""

    def add(self, root: Element) -> None:
        # An automatic style may be defined after it was asked for.
        self._looks.clear()
        for element in root.iter(f"{STYLE}style", f"{TEXT}list-style", f"{TEXT}outline-style"):
            if element.tag == f"{TEXT}list-style":
                self.lists[element.get(f"{STYLE}name", "")] = _list_levels(element)
            elif element.tag == f"{TEXT}outline-style":
                self.lists[OUTLINE] = _list_levels(element)
            else:
                self._add_style(element)

    def _add_style(self, each: Element) -> None:
        name = each.get(f"{STYLE}name", "")
        family = each.get(f"{STYLE}family")
        if family == "drawing-page":
            properties = each.find(f"{STYLE}drawing-page-properties")
            if properties is not None and properties.get(f"{PRESENTATION}visibility") == "hidden":
                self._hidden_pages.add(name)
        elif family in ("paragraph", "text"):
            properties = each.find(f"{STYLE}text-properties")
            is_hidden = properties is not None and properties.get(f"{TEXT}display") == "none"
            self.hides |= is_hidden
            self._styles[name] = _OdfStyle(
                each.get(f"{STYLE}parent-style-name", ""), each.get(f"{STYLE}list-style-name"), is_hidden
            )

    def find(self, name: str) -> ResolvedStyle:
        """Return a style; an unknown one is judged by its name alone."""
        found = self._looks.get(name)
        if found is None:
            found = self._looks[name] = self._resolved(name)
        return found

    def is_hidden_page(self, name: str) -> bool:
        return name in self._hidden_pages

    def _resolved(self, name: str) -> ResolvedStyle:
        lineage = self._lineage(name)
        roles = (_role_of_name(style_name.lower()) for style_name in (name, *(style.parent for style in lineage)))
        return ResolvedStyle(
            next((role for role in roles if role is not ParagraphRole.BODY), ParagraphRole.BODY),
            any(style.is_hidden for style in lineage),
            next((style.list_style for style in lineage if style.list_style is not None), ""),
        )

    def _lineage(self, name: str) -> list[_OdfStyle]:
        found: list[_OdfStyle] = []
        while name in self._styles and len(found) < MOST_ANCESTORS:
            found.append(self._styles[name])
            name = found[-1].parent
        return found


@dataclass
class ListCounters:
    """Count the items of all lists: one row of counters for each list style, one counter a level."""

    styles: OpenDocumentStyles
    _at: dict[str, list[int | None]] = field(default_factory=dict)

    def begin(self, style: str) -> None:
        """Forget where a list was, so that its next item is the first."""
        self._at.pop(style, None)

    def label(self, style: str, level: int, start: int | None = None) -> str:
        """Return a list's next label at a level (from 1); `start` restarts it there."""
        levels = self.styles.lists.get(style)
        if levels is None:
            return ""
        index = min(level, _LEVELS) - 1
        own = levels[index]
        if own.bullet:
            return own.bullet
        at = self._at.setdefault(style, [None] * _LEVELS)
        now = at[index]
        at[index] = start if start is not None else own.start if now is None else now + 1
        # Deeper levels begin anew under the next item.
        at[index + 1 :] = [None] * (_LEVELS - index - 1)
        if not own.format:
            return (own.prefix + own.suffix).strip()
        # `display-levels`: how many levels the label shows, as in 2.1.3.
        first = max(0, index + 1 - max(1, own.shown))
        numbers = [
            spelled(levels[number].start if (value := at[number]) is None else value, levels[number].format)
            for number in range(first, index + 1)
            if levels[number].format
        ]
        return f"{own.prefix}{'.'.join(numbers)}{own.suffix}".strip()


def _role_of_name(name: str) -> ParagraphRole:
    if name.startswith("title"):
        return ParagraphRole.TITLE
    if name.startswith("caption"):
        return ParagraphRole.CAPTION
    return ParagraphRole.CODE if name.startswith(_CODE_NAMES) else ParagraphRole.BODY


def _list_levels(element: Element) -> list[_OdfListLevel]:
    levels = [_OdfListLevel() for _ in range(_LEVELS)]
    for level in element:
        number = parse_whole(level.get(f"{TEXT}level"), 0)
        if not 1 <= number <= _LEVELS:
            continue
        is_image = level.tag == f"{TEXT}list-level-style-image"
        levels[number - 1] = _OdfListLevel(
            _bullet_text(level.get(f"{TEXT}bullet-char", "•" if is_image else "")),
            level.get(f"{STYLE}num-format", ""),
            level.get(f"{STYLE}num-prefix", "")[:30],
            level.get(f"{STYLE}num-suffix", "")[:30],
            parse_whole(level.get(f"{TEXT}start-value")),
            parse_whole(level.get(f"{TEXT}display-levels")) or 1,
        )
    return levels


def _bullet_text(character: str) -> str:
    """Return a list's bullet; a symbol font's own character has no meaning in another font."""
    return "•" if character and 0xE000 <= ord(character[0]) <= 0xF8FF else character[:1]


def parse_whole(value: str | None, otherwise: int = 1) -> int:
    """Return a whole number of an attribute that may not be there."""
    return int(value) if value is not None and re.fullmatch(r"[0-9]{1,9}", value) else otherwise


def title_in(root: Element) -> str:
    """Return the title in what a document says of itself, "" where it has none."""
    return words_in(next(root.iter("{http://purl.org/dc/elements/1.1/}title"), None))


def refuse_protected(archive: Archive, source: FileSource) -> None:
    """Raise DocumentUnreadable (protected) for a document whose members are encrypted."""
    if "META-INF/manifest.xml" in archive:
        manifest = parse(archive.read("META-INF/manifest.xml"), source)
        if next(manifest.iter("{*}encryption-data"), None) is not None:
            raise source.unreadable("protected")


_REVISION = "rsid"
_PROPERTIES = f"{STYLE}text-properties"
_LOOKS = {
    "font-weight": ("bold", ("normal", "400")),
    "font-style": ("italic", ("normal",)),
    "text-underline-style": ("underline", ("none",)),
    "text-line-through-style": ("strike", ("none",)),
    "text-line-through-type": ("strike", ("none",)),
    "text-position": ("small", ("0%", "0% 100%")),
}


class TextStyles(OpenDocumentStyles):
    """Styles, and how runs of text look in which something is to be written."""

    def __init__(self) -> None:
        super().__init__()
        self._silent: set[str] = set()
        self._own_looks: dict[str, str] = {}

    def add(self, root: Element) -> None:
        super().add(root)
        for style in root.iter(f"{STYLE}style"):
            if style.get(f"{STYLE}family") == "text":
                name = style.get(f"{STYLE}name", "")
                said = [key for child in style for key in child.attrib]
                # LibreOffice gives each session of typing a style with nothing but a revision id ("rsid").
                if all(_REVISION in key for key in said) and not style.get(f"{STYLE}parent-style-name"):
                    self._silent.add(name)
                if look := _style_look(style):
                    self._own_looks[name] = look

    def is_code(self, name: str) -> bool:
        return self.find(name).role is ParagraphRole.CODE

    def is_silent(self, name: str) -> bool:
        """Return whether a text style changes no look: LibreOffice marks with such ones what was typed at one time."""
        return name in self._silent

    def look_of(self, name: str) -> str:
        """Return how a text of a text style looks, in words of `Mark`."""
        names = [name, *(style.parent for style in self._lineage(name))]
        if found := next((self._own_looks[name] for name in names if name in self._own_looks), ""):
            return found
        lower = names[-1].lower()
        return "bold" if lower.startswith("strong") else "italic" if lower.startswith("emphasis") else "other"


def _style_look(style: Element) -> str:
    for properties in style.iter(_PROPERTIES):
        for key, value in properties.items():
            found = _LOOKS.get(key.rpartition("}")[2])
            if found is not None and value not in found[1]:
                return found[0]
    return ""
