"""Read documents of chats and jobs into the store (in a child), and read them from there."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Container, Generator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from app.core.errors.document_errors import DocumentUnreadable
from app.core.lazy_dataclasses import asdict, dataclass
from app.documents.blocks import (
    Block,
    BlockKind,
    BlockNumbering,
    BlockPiece,
    BlockPlace,
    as_markdown,
    block_from_fields,
    block_to_fields,
    piece_of,
)
from app.documents.formats.registry import can_draw
from app.features.shown_document import TextHighlight

if TYPE_CHECKING:
    from app.core.events import CancelToken, ModelLoaded
    from app.core.paths import AppPaths
    from app.documents import read_document
    from app.documents.protocol import Done, Drawn, Event, Found, Read
    from app.documents.source import PageRead
    from app.features.leaving import OutboundConsent
    from app.store.attachments import Attachment, Attachments
    from app.store.database import Database
    from app.store.document_store import DocumentStore, Fields, PageReadings, StoredDocument, StoredPageReading

LOOK_EVERY_S = 0.1
MOST_PARAGRAPH = 8_000
"""Characters, as in a text that is read from a file."""
LANGUAGE_CHARACTERS = 10_000
_BLANK_LINES = re.compile(r"\n(?:[ \t]*\n)+")
_UNSPACED = re.compile("[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003134f]")
"""Letters of scripts without spaces."""


@dataclass(frozen=True)
class Waits:
    """Event: waiting, because another document is being read."""


@dataclass(frozen=True)
class DocumentStored:
    """Final event: the whole document is stored."""

    document: StoredDocument


RankByModel: TypeAlias = "Callable[[DocumentStore, int, str, int], list[list[int]]]"
"""Rankings of a document's blocks by an embedding model, best first: store, document, question, how many at most."""
Hear: TypeAlias = "Callable[[Read, CancelToken], Generator[Event, None, None]]"
ReadEvent: TypeAlias = "Event | Waits | DocumentStored"


@dataclass(frozen=True)
class ReadRange:
    """Part of a file to read: a page range (0 is open) and the chosen encoding, "" for automatic."""

    first_page: int = 0
    last_page: int = 0
    encoding: str = ""


WHOLE = ReadRange()


class DocumentLibrary:
    """Read, store and show documents, from any thread.

    Owns no thread: reading is a generator. `folder` is the child's working directory. Passwords stay in memory.
    `readings` holds what anyone read from picture pages; with `recognizes`, tesseract (if installed) reads them at
    once. `hear` turns recordings into documents.
    """

    def __init__(
        self,
        store: DocumentStore,
        attachments: Attachments,
        folder: Path,
        readings: PageReadings | None = None,
        *,
        recognizes: bool = True,
        consent: OutboundConsent | None = None,
        hear: Hear | None = None,
        rank_by_model: RankByModel | None = None,
    ) -> None:
        self.store, self.attachments, self.readings = store, attachments, readings
        self.folder, self._recognizes, self._consent = folder, recognizes, consent
        self._transcriber, self._rank_by_model = hear, rank_by_model
        self._reading, self._listening = threading.Lock(), threading.Lock()
        self._passwords: dict[int, str] = {}

    def let_out(
        self, document_ids: Sequence[int], model: ModelLoaded | None, pictures: Mapping[str, str] | None = None
    ) -> None:
        """Return once these documents, and pictures (names by SHA-256), may go where the model runs.

        Raises DocumentStaysHere; may block for the user's answer.
        """
        if self._consent is not None:
            self._consent.let_out(self.store, document_ids, model, pictures)

    def read_file(
        self, path: Path, cancel: CancelToken, *, password: str = "", part: ReadRange = WHOLE, name: str = ""
    ) -> Iterator[ReadEvent]:
        """Read a file into the store; the last event is DocumentStored, unless cancelled.

        `name` replaces the file's name. An unchanged file isn't read twice. Raises the child's errors (see
        `app.documents.read_document.read`) and the store's; nothing of the file is stored then.
        """
        # By size and time, not content: a large file would be read to find that it was read before.
        found = _file_status(path)
        if (known := self._known_document(path, found, part)) is not None:
            yield DocumentStored(known)
            return
        hear = self._transcriber_for(path)
        turns = self._reading if hear is None else self._listening  # what takes minutes keeps nothing else waiting
        while not turns.acquire(timeout=LOOK_EVERY_S):
            if cancel.cancelled:
                return
            yield Waits()
        try:
            yield from self._read_blocks(path, found, cancel, password, part, hear=hear, name=name)
        finally:
            turns.release()

    def rank_by_model(self, document_id: int, question: str, limit: int) -> list[list[int]]:
        """Return rankings of a document's blocks by the chosen embedding model; none without one. Takes at most 2 s."""
        return self._rank_by_model(self.store, document_id, question, limit) if self._rank_by_model is not None else []

    def _transcriber_for(self, path: Path) -> Hear | None:
        """Return the transcriber if the file is a recording."""
        from app.documents.formats.sound import is_sound  # with the wire of a child

        return self._transcriber if self._transcriber is not None and is_sound(path) else None

    def _read_blocks(
        self,
        path: Path,
        found: tuple[int, int],
        cancel: CancelToken,
        password: str,
        part: ReadRange,
        *,
        hear: Hear | None,
        name: str,
    ) -> Iterator[ReadEvent]:
        from app.documents import read_document  # processes and their wire: a window that reads nothing does without
        from app.documents.protocol import BlocksRead, Done, Found, Read
        from app.documents.source import Opened, PageRead

        request = Read(str(path), password, part.encoding, part.first_page, part.last_page, recognize=self._recognizes)
        # The row is there before its blocks, so that a killed run leaves something to be found and discarded.
        document_id, kept = self.store.begin_document(path, *found, name=name), None
        events = (
            hear(request, cancel)
            if hear is not None
            else read_document.read(request, folder=self.folder, cancel=cancel)
        )
        opening = Found("", Opened())
        pages: list[PageRead] = []
        words = 0
        try:
            for event in events:
                if isinstance(event, BlocksRead):
                    self.store.add_blocks(document_id, [block_to_fields(block) for block in event.blocks])
                    words += sum(count_words(block.text) for block in event.blocks)
                elif isinstance(event, Found):
                    opening = event
                # Pages of plain text need no entry; hundreds of them would only make the row large.
                elif isinstance(event, PageRead) and (event.is_picture or not event.has_text or event.figures):
                    pages.append(event)
                elif isinstance(event, Done):
                    # An empty transcript is the model's doing, not the file's.
                    if not event.blocks and opening.format == "sound":
                        raise DocumentUnreadable(str(path), "no_speech")
                    kept = self._finish_document(document_id, part, opening, event, pages, words=words)
                yield event
            if kept is not None:
                if password:
                    self._passwords[document_id] = password
                yield DocumentStored(self._with_readings(kept))
        # Also when the generator is closed halfway: a document is stored whole or not at all.
        finally:
            events.close()
            if kept is None:
                self.store.discard_document(document_id)

    def _finish_document(
        self, document_id: int, part: ReadRange, opening: Found, done: Done, pages: Sequence[PageRead], *, words: int
    ) -> StoredDocument:
        opened = opening.opened
        info: dict[str, Any] = {"title": opened.title, "encoding": opened.encoding, "language": done.language}
        info |= {"pages_without_text": list(done.pages_without_text), "part": asdict(part)}
        info["words"] = words
        if opened.names:
            info["names"] = list(opened.names)
        if opened.seconds:
            info["seconds"] = opened.seconds
        info["pages"] = [asdict(page) for page in pages]
        info["remarks"] = [asdict(remark) for remark in done.remarks]
        return self.store.finish_document(
            document_id, format_=opening.format, unit=opened.unit, pages=done.pages, sha256=done.sha256, info=info
        )

    def _with_readings(self, document: StoredDocument) -> StoredDocument:
        """Return the document with earlier readings of its pages, stored as another document of the same content."""
        # Read by somebody before in another document of the same bytes; the reading belongs to the content.
        known = self.readings is not None and not self._recognizes and self.readings.read_pages(document.sha256)
        return self.refresh_document(document.id) if known else document

    def refresh_document(self, document_id: int) -> StoredDocument:
        """Return the document with everything now read from its pictures, a new one only if something is new.

        Raises KeyError if it is gone.

        A document that is complete stays as it is, since summaries, translations and answers count its blocks: what
        is read later makes another one, which takes its place in chats.
        """
        if (document := self.store.get(document_id)) is None:
            raise KeyError(document_id)
        readings = self._readings_of(document)
        before = self.read_blocks(document_id)
        after = list(with_readings(before, readings, _recognized_pages(document)))
        info = _renewed_info(document, after)
        # Reading again without news must not make summaries and translations outdated.
        if after == before and info == document.info:
            return document
        kept = (document.path, document.size_bytes, document.mtime_ns)
        renewed_id, renewed = self.store.begin_document(*kept, name=document.name), None
        try:
            self.store.add_blocks(renewed_id, [block_to_fields(block) for block in after])
            renewed = self.store.finish_document(
                renewed_id, format_=document.format, unit=document.unit, pages=document.pages, sha256=document.sha256,
                info=info,
            )  # fmt: skip
            # In chats; what counts the old one's blocks keeps it.
            self.store.replace_document(document_id, renewed_id)
        finally:
            if renewed is None:
                self.store.discard_document(renewed_id)
        if document_id in self._passwords:
            self._passwords[renewed_id] = self._passwords[document_id]
        return renewed

    def current_document(self, document: StoredDocument) -> StoredDocument:
        """Return the newest reading of a document's file, or the document itself."""
        # Documents read from the same file with the same part; the highest id was read last.
        known = self.store.find_read(document.path, document.size_bytes, document.mtime_ns)
        part = document.info.get("part")
        return next(
            (
                stored_document
                for stored_document in known
                if stored_document.info.get("part") == part and stored_document.id >= document.id
            ),
            document,
        )

    def has_unread_pictures(self, document: StoredDocument) -> bool:
        """Return whether some pages are pictures not read yet. Always False where tesseract read them at once."""
        if self._recognizes or self.readings is None:
            return False
        known = self.readings.read_pages(document.sha256)
        return any(page["is_picture"] and page["page"] not in known for page in document.info.get("pages", ()))

    def password_of(self, document_id: int) -> str:
        """Return the password a document was opened with, "" for none."""
        return self._passwords.get(document_id, "")

    def _readings_of(self, document: StoredDocument) -> dict[int, StoredPageReading]:
        found = self.readings.read_pages(document.sha256) if self.readings is not None and document.sha256 else {}
        part = ReadRange(**document.info.get("part", {}))
        last = part.last_page or document.pages
        return {page: page_reading for page, page_reading in found.items() if max(1, part.first_page) <= page <= last}

    def _known_document(self, path: Path, found: tuple[int, int], part: ReadRange) -> StoredDocument | None:
        documents = self.store.find_read(path, *found)
        return next((document for document in documents if document.info.get("part") == asdict(part)), None)

    def keep_text(self, text: str, name: str) -> StoredDocument:
        """Store a text without a file (such as a pasted one) as a document of its paragraphs.

        `text_of` returns it. Raises the store's errors; nothing is stored then.
        """
        import hashlib  # as in `_read_blocks`

        from app.language.language_detection import language_of

        # Blanks in an empty line would make a paragraph of nothing; the number of breaks stays, for `text_of`.
        text = _BLANK_LINES.sub(lambda gap: "\n" * gap[0].count("\n"), text)
        data = text.encode("utf-8", "replace")  # a pasted text may hold lone surrogates
        digest = hashlib.sha256(data).hexdigest()
        document_id, is_kept = (
            self.store.begin_document(Path("pasted", f"{digest[:16]}.txt"), len(data), 0, name=name),
            False,
        )
        try:
            pieces = (
                BlockPiece(BlockKind.PARAGRAPH, part, place=BlockPlace("", at, at + len(part)))
                for at, part in split_paragraphs(text)
            )
            numbering = BlockNumbering()
            self.store.add_blocks(document_id, [block_to_fields(numbering.block(piece)) for piece in pieces])
            info: dict[str, Any] = {"part": asdict(WHOLE), "words": count_words(text), "pasted": True}
            info["language"] = language_of(text[:LANGUAGE_CHARACTERS])
            kept = self.store.finish_document(document_id, format_="text", unit="", pages=0, sha256=digest, info=info)
            is_kept = True
        finally:
            if not is_kept:
                self.store.discard_document(document_id)
        return kept

    def text_of(self, document: StoredDocument) -> str:
        """Return a document's text: a pasted one verbatim, others as Markdown."""
        blocks = self.read_blocks(document.id)
        if not document.info.get("pasted"):
            return "".join(as_markdown(blocks, document.unit)).strip()
        text, end = "", 0
        # Offsets tell how many line breaks stood between the paragraphs.
        for block in blocks:
            text += "\n" * (block.place.start - end) + block.text
            end = block.place.end
        return text

    def document_of(self, attachment: Attachment) -> StoredDocument:
        """Return an attachment's document. Raises KeyError if it is gone."""
        if (document := self.store.get(attachment.document_id)) is None:
            raise KeyError(attachment.document_id)
        return document

    def read_blocks(self, document_id: int) -> list[Block]:
        return [block_from_fields(fields) for fields in self.store.every_block(document_id)]

    def read_texts(self, document_id: int) -> list[Block]:
        """Read the blocks without line positions, and with equal headings shared: a third of the memory."""
        paths: dict[tuple[str, ...], tuple[str, ...]] = {}
        blocks = []
        for fields in self.store.every_block(document_id):
            path = tuple(fields["heading_path"])
            fields.pop("boxes", None)
            # Hundreds of blocks share one heading; sharing the tuple saves most of the memory.
            blocks.append(block_from_fields(fields | {"heading_path": paths.setdefault(path, path)}))
        return blocks

    def some_blocks(self, document_id: int, numbers: list[int]) -> list[Block]:
        """Return the blocks with these ids, in order."""
        return [block_from_fields(fields) for fields in self.store.some_blocks(document_id, numbers)]

    def open_document(self, document_id: int) -> KeptDocument:
        """Open a document for the document view. Raises KeyError if it is gone."""
        if (document := self.store.get(document_id)) is None:
            raise KeyError(document_id)
        return KeptDocument(document, self.store, self.folder, self._passwords.get(document_id, ""))


def with_readings(
    before: Sequence[Block], readings: dict[int, StoredPageReading], replaced: Container[int] = ()
) -> Iterator[Block]:
    """Yield a document's blocks, renumbered, with the text read from its pictures; see `_merge_readings`."""
    numbering = BlockNumbering()
    return (numbering.block(piece) for piece in _merge_readings(before, readings, replaced))


def _merge_readings(
    before: Sequence[Block], readings: dict[int, StoredPageReading], replaced: Container[int]
) -> Iterator[BlockPiece]:
    """Yield the blocks with each page's reading after its own text, replacing earlier readings.

    `replaced` are pages whose blocks are an earlier reading without being marked so.
    """
    waiting = sorted(readings)
    for block in before:
        page = block.page or 0
        # A page that is only a picture has no blocks of its own, so its reading comes where the next page begins.
        while waiting and page > waiting[0]:
            yield from _pieces_of(readings[waiting.pop(0)])
        # An earlier reading gives way to the newer one.
        if not block.origin and not (page in readings and page in replaced):
            yield piece_of(block)
    for page in waiting:
        yield from _pieces_of(readings[page])


def _pieces_of(reading: StoredPageReading) -> Iterator[BlockPiece]:
    return (piece_of(block_from_fields(fields)) for fields in reading.blocks)


def _recognized_pages(document: StoredDocument) -> set[int]:
    """Return the pages read from pictures before blocks were marked so."""
    return {page["page"] for page in document.info.get("pages", ()) if page.get("recognized")}


def _renewed_info(document: StoredDocument, blocks: Sequence[Block]) -> Fields:
    """Return document info updated after its pictures were read."""
    from app.language.language_detection import language_of

    with_text = {block.page for block in blocks if block.page}
    pages = [
        fields | {"has_text": fields["page"] in with_text, "recognized": fields["page"] in with_text}
        if fields["is_picture"]
        else fields
        for fields in document.info.get("pages", ())
    ]
    # What says that a page is a picture without text is no longer true.
    info: Fields = document.info | {"pages": pages, "words": sum(count_words(block.text) for block in blocks)}
    pictures = {fields["page"] for fields in pages if fields["is_picture"]}
    without = sorted(pictures.union(document.info.get("pages_without_text", ())) - with_text)
    # Remarks about reading pictures are made anew below.
    told = ("no_recognition", "recognized", "read_in")
    remarks = [remark for remark in document.info.get("remarks", ()) if remark["name"] not in told]
    if any(block.origin for block in blocks):
        remarks.append({"name": "recognized", "values": {}})
    info |= {"pages_without_text": without, "remarks": remarks}
    # Before its pictures were read there was no text to tell a language by.
    if not info.get("language"):
        info["language"] = language_of("\n".join(block.text for block in blocks)[:LANGUAGE_CHARACTERS])
    return info


class KeptDocument:
    """A stored document as the document view asks for it; see `ShownDocument`."""

    def __init__(self, document: StoredDocument, store: DocumentStore, folder: Path, password: str = "") -> None:
        self._document, self._store, self._folder, self._password = document, store, folder, password
        # Asked once: a page is drawn many times, and the file lies on any disk.
        self._is_there = _is_unchanged(document)
        self._drawing: read_document.PageRenderer | None = None
        self.block_count = store.block_count(document.id)

    @property
    def name(self) -> str:
        return self._document.name

    @property
    def unit(self) -> str:
        return self._document.unit

    @property
    def pages(self) -> int:
        return self._document.pages

    @property
    def pages_without_text(self) -> tuple[int, ...]:
        return tuple(self._document.info.get("pages_without_text", ()))

    @property
    def address(self) -> str:
        """Where a page of the web is from; "" for other documents."""
        return str(self._document.info.get("address", ""))

    @property
    def can_draw(self) -> bool:
        """True if pages can be drawn and the file is unchanged."""
        return can_draw(self._document.format) and self._is_there

    @property
    def note(self) -> str:
        """Reason why pages can't be drawn, where the user would expect them; else ""."""
        if not can_draw(self._document.format) or self._is_there or self.address:
            return ""
        # An unchanged file is drawn as it was read; a changed one would show other words than the text beside it.
        return "The file was moved, deleted or changed. This is the text read from it earlier."

    def read_blocks(self, first_id: int, count: int) -> list[Block]:
        return [block_from_fields(fields) for fields in self._store.read_blocks(self._document.id, first_id, count)]

    def blocks_of_page(self, page: int) -> list[Block]:
        """Return the blocks that begin on a page, and the one that runs into it."""
        found = [block_from_fields(fields) for fields in self._store.blocks_of_page(self._document.id, page)]
        return [block for block in found if block.page == page or any(box.page == page for box in block.place.boxes)]

    def search_text(self, text: str, limit: int = 1000) -> list[TextHighlight]:
        """Find every occurrence of a text, ignoring case, in order."""
        from app.features.finding import find_occurrences  # with the first search

        wanted = text.casefold()
        found: list[TextHighlight] = []
        if not wanted.strip():
            return found
        for fields in self._store.every_block(self._document.id):
            found += [
                TextHighlight(int(fields["id"]), start, end)
                for start, end in find_occurrences(str(fields["text"]), wanted)
            ]
            # A letter found a thousand times helps nobody.
            if len(found) >= limit:
                break
        return found[:limit]

    def draw_page(self, page: int, scale: float, cancel: CancelToken) -> Iterator[Drawn]:
        """Draw one page in the child, which starts on first use."""
        from app.documents import read_document  # as for reading
        from app.documents.protocol import Draw

        # Started with the first page that is drawn: most documents are only read.
        if self._drawing is None:
            self._drawing = read_document.PageRenderer(self._folder)
        request = Draw(str(self._document.path), page, scale, self._password)
        yield from self._drawing.draw(request, cancel)

    def close(self) -> None:
        """End the drawing child."""
        if self._drawing is not None:
            self._drawing.close()
            self._drawing = None


def split_paragraphs(text: str) -> Iterator[tuple[int, str]]:
    """Split at blank lines, with offsets; overlong paragraphs split at line or word ends."""
    at = 0
    for gap in [*_BLANK_LINES.finditer(text), None]:
        end = gap.start() if gap is not None else len(text)
        while end - at > MOST_PARAGRAPH:
            window = text[at : at + MOST_PARAGRAPH]
            cut = max(window.rfind("\n"), window.rfind(" "))
            # Not in the first half, or a paragraph of one long line would become many short ones.
            cut = cut if cut > MOST_PARAGRAPH // 2 else MOST_PARAGRAPH - 1
            yield at, window[: cut + 1].rstrip("\n")
            at += cut + 1
        if text[at:end].strip():
            yield at, text[at:end]
        at = gap.end() if gap is not None else end


def count_words(text: str) -> int:
    """Count words as a word processor does: in unspaced scripts each character is one."""
    spaced, unspaced = _UNSPACED.subn(" ", text)
    return unspaced + sum(any(map(str.isalnum, word)) for word in spaced.split())


def _file_status(path: Path) -> tuple[int, int]:
    """Return size and modification time. Raises DocumentUnreadable."""
    try:
        found = path.stat()
    except (OSError, ValueError) as error:
        raise DocumentUnreadable.by_system(path, error) from error
    return found.st_size, found.st_mtime_ns


def _is_unchanged(document: StoredDocument) -> bool:
    try:
        return _file_status(document.path) == (document.size_bytes, document.mtime_ns)
    except DocumentUnreadable:
        return False


def build_documents(
    paths: AppPaths,
    database: Database,
    consent: OutboundConsent | None = None,
    *,
    recognizes: bool = True,
    hear: Hear | None = None,
    rank_by_model: RankByModel | None = None,
) -> DocumentLibrary:
    """Build the document library of a database.

    With `recognizes`, tesseract reads picture pages at once. Without `consent`, documents go wherever a model is
    chosen (the terminal names its documents).
    """
    from app.store.attachments import Attachments
    from app.store.document_store import DocumentStore, PageReadings

    store, attachments, readings = DocumentStore(database), Attachments(database), PageReadings(database)
    return DocumentLibrary(
        store,
        attachments,
        paths.documents,
        readings,
        recognizes=recognizes,
        consent=consent,
        hear=hear,
        rank_by_model=rank_by_model,
    )
