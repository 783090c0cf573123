"""`read FILE` in the terminal: a document as Markdown with page marks, or its blocks as JSON."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.cli import terminal
from app.core.catalogue import tr, use_english
from app.core.counted_units import count_units
from app.core.events import CancelToken
from app.core.lazy_dataclasses import dataclass, field, replace
from app.core.paths import AppPaths
from app.documents.blocks import Block, as_markdown
from app.documents.protocol import BlocksRead, Done, Event, Found, Read
from app.documents.read_document import read
from app.documents.source import PageRead, ReadingRemark
from app.features.document_messages import pages_words, remark_sentence

if TYPE_CHECKING:
    from app.features.page_reading.readings import ByModel
    from app.store.document_store import StoredPageReading


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", type=Path)
    terminal.add_password(parser)
    parser.add_argument(
        "--encoding", metavar="NAME", default="", type=_parse_encoding, help=tr("text encoding, such as cp1251")
    )
    parser.add_argument(
        "--pages",
        metavar="3-7",
        default=(0, 0),
        type=_parse_pages,
        help=tr("only these pages, including the first and last"),
    )
    parser.add_argument(
        "--pictures",
        choices=["model", "tesseract", "none"],
        default="tesseract",
        help=tr(
            "how to read pages that are pictures: a vision model (also reads figures) or tesseract; "
            "default: tesseract, if installed"
        ),
    )
    parser.add_argument(
        "--no-ocr", action="store_const", const="none", dest="pictures", help=tr("same as --pictures none")
    )
    terminal.add_model_option(parser, "model that reads pictures; default: the chat’s")
    terminal.add_json(parser, run_read)


def _parse_encoding(name: str) -> str:
    """Parse the name of an encoding Python knows; "" is none."""
    try:
        # Python knows encodings by many names; encoding nothing tries the name alone.
        "".encode(name or "utf-8")
    except (LookupError, ValueError):
        raise argparse.ArgumentTypeError(tr("there’s no encoding named {name}", name=name)) from None
    return name


def _parse_pages(text: str) -> tuple[int, int]:
    """Parse "3-7", "3", "3-" or "-7" into first and last page; 0 is open."""
    first, dash, last = text.partition("-")
    try:
        chosen = int(first or 0), int(last or 0) if dash else int(first)
    except ValueError:
        # Refused below with the same sentence.
        chosen = -1, -1
    if min(chosen) < 0 or chosen == (0, 0) or (chosen[1] and chosen[0] > chosen[1]):
        raise argparse.ArgumentTypeError(tr("must look like 3-7, 3 or 3-"))
    return chosen


def run_read(options: argparse.Namespace) -> int:
    """Run `read`; Ctrl+C ends it with exit code 130."""
    path = options.file.expanduser().absolute()
    first, last = options.pages

    def output(password: str) -> int:
        request = Read(str(path), password, options.encoding, first, last, recognize=options.pictures == "tesseract")
        with terminal.interruptible_token() as cancel:
            # With `tesseract` or `none` the model's name has no meaning.
            model = options.model if options.pictures == "model" else None
            return _MarkdownOutput(path, cancel, options.json, options.pictures == "model", model).write_request(
                request
            )

    return terminal.read_unlocked(options.password, output)


@dataclass
class _MarkdownOutput:
    """Write one document to standard output."""

    path: Path
    cancel: CancelToken
    as_json: bool
    by_model: bool = False
    model: Path | None = None
    found: Found | None = None
    pages: list[PageRead] = field(default_factory=list)
    done: Done | None = None

    def __post_init__(self) -> None:
        self._line = terminal.TerminalProgress()
        # Text that scrolls on the same terminal is progress enough.
        self._shows_progress = self.as_json or not sys.stdout.isatty()

    def write_request(self, request: Read) -> int:
        """Read and print; return the exit code."""
        blocks = self._with_pictures(request) if self.by_model else self._read_blocks(request)
        try:
            if self.as_json:
                listed = [_block_fields(block) for block in blocks]
            else:
                self._print_blocks(blocks)
        finally:
            self._line.end()
        # Neither comes where the reader was cancelled.
        if self.done is None or self.found is None:
            return terminal.INTERRUPTED
        for warning in self._list_warnings(self.done, self.found):
            print(warning, file=sys.stderr)
        if self.as_json:
            with use_english():
                warnings = self._list_warnings(self.done, self.found)
            terminal.print_json(self._head_fields(self.done, self.found) | {"blocks": listed, "warnings": warnings})
        return 0

    # Ended by the generator itself, so a `| head` stops the reading.
    def _print_blocks(self, blocks: Iterator[Block]) -> None:
        # The unit of pages is known only when reading has begun.
        first = next(blocks, None)
        if first is None:
            return
        unit = self.found.opened.unit if self.found else ""

        def all_blocks() -> Iterator[Block]:
            yield first
            yield from blocks

        for text in as_markdown(all_blocks(), unit):
            sys.stdout.write(text)

    def _read_blocks(self, request: Read) -> Iterator[Block]:
        folder = AppPaths.from_environment().documents
        self._show_progress()
        for event in read(request, folder=folder, cancel=self.cancel):
            self._take_event(event)
            if isinstance(event, BlocksRead):
                yield from event.blocks
                if event.blocks and not self.as_json:
                    # A slow document is to be seen page by page, also through a pipe.
                    sys.stdout.flush()

    def _with_pictures(self, request: Read) -> Iterator[Block]:
        """Yield all blocks, with pictures read by a model once it is known which there are."""
        # Readings belong between blocks that come before them, so all of them are needed first.
        blocks = list(self._read_blocks(request))
        wanted = [page for page in self.pages if page.is_picture or page.figures]
        if self.done is None or not wanted:
            return iter(blocks)
        from app.core.errors.request_errors import MediaRefused
        from app.features.document_library import with_readings
        from app.features.models.model_engines import build_engine  # what no document without pictures needs
        from app.features.page_reading.readings import ByModel

        places = AppPaths.from_environment()
        settings = terminal.stored_settings()
        model = terminal.model_path(self.model, settings.engine.model_path)
        with closing(build_engine(places, sees=True)) as engine:
            print(tr("Loading {name}", name=model.name), file=sys.stderr)
            loaded = terminal.load_model(engine, model, settings, self.cancel)
            # Loading tells whether there is a projector; the file alone does not.
            if not loaded.sees:
                raise MediaRefused(str(self.path), "picture", "blind")
            readings = self._read_pages(wanted, ByModel(engine, loaded), request.password, places.documents)
        if self.cancel.cancelled:
            # Half of the readings would look like all of them.
            self.done = None
            return iter(())
        self._note_readings(readings)
        return with_readings(blocks, readings)

    def _read_pages(
        self, pages: Sequence[PageRead], by_model: ByModel, password: str, folder: Path
    ) -> dict[int, StoredPageReading]:
        """Read pages with the model, until cancelled."""
        from app.features.page_reading.corrections import DocumentScanner
        from app.features.page_reading.readings import read_page, reading_outcome

        readings: dict[int, StoredPageReading] = {}
        with closing(DocumentScanner(self.path, password, folder)) as scanner:
            for number, page in enumerate(pages, 1):
                self._line.show(
                    tr("Reading pictures in {name}", name=self.path.name),
                    tr("page {page}, {number} of {count}", page=page.page, number=number, count=len(pages)),
                )
                regions = [()] if page.is_picture else list(page.figures)
                read_region = partial(by_model.read_page, scanner, cancel=self.cancel)
                reading = reading_outcome(read_page(page.page, regions, read_region, by_model.way))
                if reading is None:
                    break
                readings[page.page] = reading
        return readings

    def _note_readings(self, readings: dict[int, StoredPageReading]) -> None:
        """Record what became of the picture pages."""
        assert self.done is not None
        # A page that was read without a word stays one without text.
        read = {page for page, reading in readings.items() if reading.blocks}
        self.pages = [
            replace(page, has_text=page.has_text or page.page in read, recognized=page.is_picture and page.page in read)
            for page in self.pages
        ]
        without = tuple(page for page in self.done.pages_without_text if page not in read)
        remarks = (*self.done.remarks, ReadingRemark("recognized"))
        self.done = replace(self.done, pages_without_text=without, remarks=remarks)

    def _take_event(self, event: Event) -> None:
        match event:
            case Found():
                self.found = event
            case PageRead():
                self.pages.append(event)
                self._show_progress()
            case Done():
                self.done = event

    def _show_progress(self) -> None:
        if not self._shows_progress:
            return
        of = self.found.opened if self.found else None
        rest = ""
        if of and of.pages and self.pages:
            rest = tr("{page:,} of {pages}", page=self.pages[-1].page, pages=count_units(of.unit, of.pages))
        self._line.show(tr("Reading {name}", name=self.path.name), rest)

    def _list_warnings(self, done: Done, found: Found) -> list[str]:
        """Return sentences on pages without text and on the reader's remarks."""
        words = pages_words(found.opened.unit, done.pages, self.pages)
        # Without a page that is a picture there is nothing to say.
        is_told = done.pages_without_text or any(page.recognized for page in self.pages)
        sentences = [f"{words}."] if words and is_told else []
        return sentences + [remark_sentence(remark) for remark in done.remarks]

    def _head_fields(self, done: Done, found: Found) -> dict[str, Any]:
        return {
            "file": self.path.name,
            "format": found.format,
            "title": found.opened.title or None,
            "unit": found.opened.unit or None,
            "encoding": found.opened.encoding or None,
            "pages": done.pages,
            "pages_without_text": list(done.pages_without_text),
            "pages_recognized": [page.page for page in self.pages if page.recognized],
            "language": done.language or None,
            "sha256": done.sha256,
        }


def _block_fields(block: Block) -> dict[str, Any]:
    # Only where a reading has made it: other programs know the blocks without it.
    read_by = {"read_by": block.origin} if block.origin else {}
    return read_by | {
        "id": block.id,
        "kind": block.kind.value,
        "page": block.page,
        "heading_path": list(block.heading_path),
        "text": block.text,
    }
