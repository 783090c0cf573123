"""Contracts of readers and rewriters.

A reader is a generator over one file. It yields `Opened` first, then `BlockPiece`s in reading order, a `PageRead` after
each page (slide, sheet, chapter) if the format has them, and `ReadingRemark`s for the user. It raises document
AppErrors; any other exception counts as damage. It opens no other file, uses no network, and keeps as little as
possible in memory.

Every word of the source is yielded exactly once. Left out on purpose: running headers and page numbers of a PDF,
deleted text of tracked changes, scripts and styles, hidden text.

A rewriter walks its file once, passes every segment to its visit in reading order, and writes the file with the
results. The same walk finds segments (`out` is None, every visit returns None) and writes them, so that both number
alike. It raises what a reader raises.

It promises: no text a reader would yield is missing from the segments; a segment whose visit returns None or its own
content leaves its part of the file unchanged, byte for byte where the format allows, and parts (members of an archive)
without changes are copied. A returned content has exactly the segment's marks (`nests` holds), perhaps in another
order; whatever it holds, the file stays well-formed: characters the format can't hold are removed, others escaped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from app.core.errors.document_errors import DocumentUnreadable
from app.core.lazy_dataclasses import dataclass, field
from app.documents.blocks import BlockPiece
from app.documents.limits import TextBudget
from app.documents.segments import Content, Segment, SegmentKind

MOST_INFLATED_BYTES = 1_000_000_000
"""All members of an archive together; also no more than `MOST_INFLATION` times the file, once it is `FREE_BYTES`."""
MOST_INFLATION = 200
FREE_BYTES = 100_000_000

ENCODINGS = (
    "utf-8", "utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be", "cp1252", "cp1250", "cp1251", "cp1253", "cp1254",
    "cp1255", "cp1256", "cp1257", "cp1258", "cp874", "cp850", "cp852", "cp866", "koi8-r", "koi8-u", "iso8859-2",
    "iso8859-5", "iso8859-7", "mac-roman", "cp932", "euc_jis_2004", "iso2022_jp_2", "gb18030", "big5hkscs", "cp949",
)  # fmt: skip
"""Encodings detected and offered. Of near-identical code pages, the more common one."""


@dataclass
class FileSource:
    """A file to read. `encoding` is the user's choice, "" to detect it; for formats without one, that of its fonts
    (`app.documents.clean`).

    `first_page` and `last_page` choose a part (inclusive; 0 is open), in formats with pages. `recognize` allows
    tesseract for pages without text.
    """

    path: Path
    password: str = ""
    encoding: str = ""
    first_page: int = 0
    last_page: int = 0
    recognize: bool = True
    remarks: list[ReadingRemark] = field(default_factory=list, repr=False)
    """Remarks of a rewriter; a reader yields its own."""
    on_step: Callable[[], None] = field(default=lambda: None, repr=False)
    """Called whenever more of the file was read."""
    inflated_bytes: int = field(default=0, repr=False, init=False)
    counts_generated: bool = field(default=False, repr=False, init=False)
    """True for translations from when libraries' descriptions were segments: the numbers count them."""

    @property
    def name(self) -> str:
        return self.path.name

    def wants(self, page: int) -> bool:
        return page >= self.first_page and (not self.last_page or page <= self.last_page)

    def inflated(self, size_bytes: int) -> None:
        """Count inflated bytes as they come. Raises DocumentUnreadable for a bomb."""
        # A step even where nothing is yielded for long: the child's silence would otherwise end it.
        self.on_step()
        self.inflated_bytes += size_bytes
        most = min(MOST_INFLATED_BYTES, max(FREE_BYTES, MOST_INFLATION * self.path.stat().st_size))
        if self.inflated_bytes > most:
            raise self.unreadable("inflates")

    @cached_property
    def text(self) -> TextBudget:
        """Budget left for this file's text. Blocks are counted when sent; makers of large ones check first."""
        return TextBudget(self.path)

    def remark(self, name: str, **values: str | int) -> None:
        """Add a remark of a rewriter, unless its count is 0."""
        if values.get("count", 1):
            self.remarks.append(ReadingRemark(name, values))

    def unreadable(self, reason: str) -> DocumentUnreadable:
        return DocumentUnreadable(str(self.path), reason)


@dataclass(frozen=True)
class Opened:
    """The file is open. `unit` is page, slide, sheet, chapter, file, or "" where there are none; `pages` counts them.

    `title` is the document's own, "" where it has none. `encoding` is a text file's, as Python calls it. `names` are
    those of the documents in an archive, in order. `seconds` is how long a recording is.
    """

    unit: str = ""
    pages: int = 0
    title: str = ""
    encoding: str = ""
    names: tuple[str, ...] = ()
    seconds: float = 0.0


@dataclass(frozen=True)
class PageRead:
    """A page is done. `has_text` is False for a picture or an empty page, `is_picture` tells a picture.

    `recognized`: the text was read from the picture. `figures` are pictures on a page with text: left, top, right and
    bottom of each, in points.
    """

    page: int
    has_text: bool = True
    is_picture: bool = False
    recognized: bool = False
    figures: tuple[tuple[float, float, float, float], ...] = ()


@dataclass(frozen=True)
class ReadingRemark:
    """Something to tell: its name and values, put into words by `app.features.document_messages`.

    really (format, ending): the content is of another format than the name says.
    encoding (encoding): a text file that is not UTF-8.
    odd_bytes (count): bytes that are no text in this encoding, replaced.
    damaged_pages (count): pages that could not be read.
    no_recognition (count): pages that are pictures, and tesseract is not installed.
    read_in (languages): the codes of those in which tesseract read pictures, as "de+en".
    rows_cut (sheet, rows, shown): a sheet with more rows than are read.
    beside_cells_lost (): comments and text boxes of an old workbook that could not all be read.
    hidden (unit, name): a hidden sheet or slide, which was read.
    missing_part (part): a part that the document names and does not have.
    hidden_characters (count): zero-width, direction or tag characters that were taken out.
    unseen_words (count): words of a PDF that were read and that nobody sees: white, tiny, undrawn or beside the page.
    legacy_font (encoding, read, meant): a font shows other letters than its codes say, with a word as an example.
    not_read_inside (name): a document in an archive that could not be read.
    others_inside (count): files in an archive that are no documents, or too many.
    recognized (): pages whose text was read from a picture.
    unclear (count): pieces of a recording that the model did not hear to their end, or repeated itself over.
    no_pages (): pages were chosen of a document that has none.
    fewer_pages (unit, pages, last): pages were chosen that come after the last one.
    attachment (name, size_bytes): a file inside, not read.
    pictures (count): pictures inside, not read.
    old_format (format): read from a format that is no longer made.
    long_lines (count): lines of code that were cut for their length.
    long_segments (count): texts that are too long to be translated as one, and were left.
    left_blocks (count): tables, drawings and code in a plain text, which were left.
    left_markup (count): pieces of HTML in another format, whose text was left.
    left_names (count): names of sheets, which formulas and links use, were left.
    left_values (count): texts with a structure of their own (ICU plurals, templates), which were left.
    became_utf8 (encoding): written as UTF-8, since the encoding lacks some of its letters.
    """

    name: str
    values: dict[str, str | int] = field(default_factory=dict)


def counted(name: str, count: int) -> Iterator[ReadingRemark]:
    """Yield the remark on how many there are, where there are any."""
    if count:
        yield ReadingRemark(name, {"count": count})


Item = Opened | BlockPiece | PageRead | ReadingRemark
Reader = Callable[[FileSource], Iterator[Item]]


@dataclass(frozen=True)
class TargetLanguage:
    """The language that the file is in when it is written, as BCP 47 has it ("pt-BR"), and its direction.

    The file's own marks of language and direction are set to it; None in place of a Target leaves them.
    """

    language: str
    is_rtl: bool = False


Visit = Callable[[Segment], Content | None]
Rewrite = Callable[[FileSource, BinaryIO | None, Visit, TargetLanguage | None], None]


class ContentCallback(Protocol):
    """Returns a new content, or None to keep it."""

    def __call__(
        self, content: Content, kind: SegmentKind = ..., page: int = ..., level: int = ..., context: str = ...
    ) -> Content | None: ...


class SegmentVisits:
    """Numbers segments from 1 in the order in which they are shown to the visit."""

    def __init__(self, visit: Visit) -> None:
        self._visit = visit
        self.count = 0

    def __call__(
        self,
        content: Content,
        kind: SegmentKind = SegmentKind.PARAGRAPH,
        page: int = 0,
        level: int = 0,
        context: str = "",
        *,
        translated: Content = (),
    ) -> Content | None:
        """Visit a segment; return the new content, or None to keep it."""
        # Counted before the visit, so that segments that are left still have their number.
        self.count += 1
        new = self._visit(Segment(self.count, content, kind, page, level, context, translated))
        # A rewriter that gets None copies the bytes; an equal content would be serialised anew.
        return None if new == content else new


class CodeCount:
    """Counts pieces of code, which are no segments: paragraphs of it that follow each other are one piece."""

    def __init__(self) -> None:
        self.count = 0
        self._goes_on = False

    def paragraph(self, *, is_code: bool) -> None:
        """Count a paragraph of code, unless the one before it was code, too."""
        self.count += is_code and not self._goes_on
        self._goes_on = is_code


class CachedContent:
    """Ask once for each content and repeat the answer, for text stored twice in a file."""

    def __init__(self, ask: ContentCallback) -> None:
        self._ask = ask
        self._known: dict[Content, Content | None] = {}

    def __call__(self, content: Content, *told: Any, **more: Any) -> Content | None:
        # By content alone: an alternative in another place is the same text, and has to get the same translation.
        if content not in self._known:
            self._known[content] = self._ask(content, *told, **more)
        return self._known[content]
