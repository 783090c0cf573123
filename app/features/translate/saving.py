"""Write a translation in the file's own format, by the document child, or as a new document.

The file is written next to its target and renamed when complete. Untranslated text stays in the source language, with
a note in front where that does no harm, and is always listed in the result.
"""

from __future__ import annotations

import csv
import io
import secrets
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from html import escape
from pathlib import Path
from typing import IO

from app.core.catalogue import tr
from app.core.errors.document_errors import DocumentGone
from app.core.errors.saving_errors import TargetIsOpen, TargetIsSource
from app.core.events import CancelToken
from app.core.lazy_dataclasses import dataclass, field, replace
from app.core.paths import disk_problem, make_folder
from app.documents import read_document
from app.documents.blocks import Block
from app.documents.child_files import write_translations
from app.documents.formats.registry import named
from app.documents.protocol import Rewrite, Rewritten, SegmentsWritten
from app.documents.segments import GENERATED_DESCRIPTIONS, Content, content_of
from app.features.document_library import DocumentLibrary
from app.features.translate.adding import FileCopies
from app.features.translate.at_work import row_of
from app.features.translate.marking import marked_text, shown_text
from app.features.translate.problems import flag_words
from app.features.translate.recomposed import NOT_TRANSLATED, as_plain, recompose_blocks
from app.features.translate.tmx_file import write_tmx
from app.features.translate.translation_events import (
    BLOCKS,
    TYPED,
    Row,
    Saved,
    Saving,
    StoredTranslation,
    TranslationSource,
    source_language_of,
    wish_of,
)
from app.features.translate.translation_memory import own_entry
from app.features.work.saved_file import SCRATCH, replace_file, scratch_beside, write_file
from app.features.work.web_page import language_attributes, page_style, web_page
from app.language.language_names import find_language
from app.store.document_store import StoredDocument
from app.store.jobs import Job
from app.store.translation_store import LanguagePair, MemoryEntry, TranslationStore

ENDINGS_OF_NEW = (".docx", ".html")


@dataclass(frozen=True)
class OriginalFile:
    """A file whose segments were found: where its bytes are, its format and hash, and the password it needs."""

    path: Path
    format: str
    sha256: str
    password: str = ""


@dataclass
class _SavedWords:
    """Text of the document row by row; counts what isn't translated and what couldn't be."""

    # Streamed, since a file may have a hundred thousand rows.
    rows: Iterable[Row]
    is_marked: bool
    untranslated: list[int] = field(default_factory=list)
    kept: list[int] = field(default_factory=list)
    has_generated: bool = False
    """A description that a library wrote is among the rows: until protocol 8 it was a segment."""

    def __iter__(self) -> Iterator[tuple[int, Content]]:
        for row in self.rows:
            done = row.translated
            # Counting it again keeps the numbers of translations begun before.
            self.has_generated |= row.segment.text in GENERATED_DESCRIPTIONS
            if row.is_open:
                self.untranslated.append(row.segment.id)
            if done is not None and done.origin is TranslationSource.KEPT and not done.accepted:
                self.kept.append(row.segment.id)
            # What was kept is the source, which the rewriter leaves as it stands.
            if done is not None and done.origin is not TranslationSource.KEPT:
                yield row.segment.id, done.content
            elif row.is_open and self.is_marked:
                # Not in formats for programs, where a note would be shown to their users.
                yield row.segment.id, content_of([f"⟦{tr(NOT_TRANSLATED)}⟧ ", *row.segment.content])

    def make_saved(self, path: Path) -> Saved:
        is_marked = self.is_marked and bool(self.untranslated)
        return Saved(path, tuple(self.untranslated), is_marked, kept=tuple(self.kept))


def rewrite_file(
    original: OriginalFile, rows: Iterable[Row], target: str, path: Path, cancel: CancelToken, *, child_folder: Path
) -> Iterator[Saving | Saved]:
    """Write the translated file; the last event is Saved, unless cancelled.

    Raises TargetIsOpen, DiskFull or FolderNotWritable, and the child's errors.
    """
    format_ = named(original.format)
    words = _SavedWords(rows, is_marked=format_ is None or not format_.for_programs)
    # The child reads it; a name of chance, so that two savings never share one.
    lines = child_folder / f"{SCRATCH}{secrets.token_hex(6)}.jsonl"
    code, is_rtl = language_of(target)
    try:
        try:
            make_folder(child_folder)
            write_translations(lines, words)
        except OSError as error:
            raise disk_problem(error, lines.parent) from error
        # Only a whole file gets its name.
        with scratch_beside(path, path.suffix) as scratch:
            request = Rewrite(
                *(str(original.path), str(scratch), str(lines), code, is_rtl, original.sha256, original.password),
                counts_generated=words.has_generated,
            )
            for event in read_document.rewrite(request, folder=child_folder, cancel=cancel):
                if isinstance(event, SegmentsWritten):
                    yield Saving(event.segments)
                elif isinstance(event, Rewritten):
                    # Renamed before it is told, so that who hears Saved finds the file.
                    _replace_file(scratch, path)
                    yield replace(words.make_saved(path), refused=event.refused, remarks=event.remarks)
    finally:
        lines.unlink(missing_ok=True)


def compose_document(
    blocks: Iterable[Block], rows: Iterable[Row], target: str, path: Path, *, title: str, unit: str
) -> Saved:
    """Write a new document, .docx or .html by the suffix of `path`. Raises DiskFull or FolderNotWritable."""
    from app.features.translate.recomposed import as_html
    from app.features.translate.recomposed_docx import write_docx

    words = _SavedWords(rows, is_marked=True)
    new = recompose_blocks(blocks, dict(words))
    code, is_rtl = language_of(target)
    with write_file(path) as file:
        if path.suffix.lower() == ".docx":
            write_docx(new, file, title=title, language=code, is_rtl=is_rtl, unit=unit)
        else:
            for line in as_html(new, title=title, language=code, is_rtl=is_rtl, unit=unit):
                file.write(f"{line}\n".encode("utf-8", "replace"))
    return replace(words.make_saved(path), keeps_layout=False)


def check_target(path: Path, source: Path) -> None:
    """Raise TargetIsSource, or TargetIsOpen if an office program has the file open."""
    # The same file by another path, or by a link, too.
    if path.resolve() == source.resolve() or (path.exists() and source.exists() and path.samefile(source)):
        raise TargetIsSource(str(path))
    # LibreOffice and Word leave these beside a file as long as they have it open.
    locks = (f".~lock.{path.name}#", f"~${path.name}", f"~${path.name[2:]}")
    if path.exists() and any(path.with_name(name).exists() for name in locks):
        raise TargetIsOpen(str(path))


def language_of(target: str) -> tuple[str, bool]:
    """Return a target's code, and whether it is written from right to left."""
    found = find_language(target)
    return (found.code, found.is_rtl) if found is not None else (target, False)


def _replace_file(scratch: Path, path: Path) -> None:
    try:
        replace_file(scratch, path)
    except PermissionError as error:
        if path.exists():  # Windows does not replace what another program has open
            raise TargetIsOpen(str(path)) from error
        raise disk_problem(error, path.parent) from error
    except OSError as error:
        raise disk_problem(error, path.parent) from error


class TranslationSavings:
    """Saves translations.

    `child_folder` is the document child's; `password_of` returns a file's password, "" without one.
    """

    def __init__(
        self,
        store: TranslationStore,
        documents: DocumentLibrary,
        copies: FileCopies,
        child_folder: Path,
        *,
        known: Callable[[int], Job],
        password_of: Callable[[int], str],
    ) -> None:
        self._store, self._documents, self._copies = store, documents, copies
        self._child_folder, self._password_of, self._known = child_folder, password_of, known

    def save(self, translation_id: int, path: Path, cancel: CancelToken) -> Iterator[Saving | Saved]:
        """Write the document; the last event is Saved. Cancelled, nothing changes.

        The file appears only when complete, and never replaces its source. Untranslated segments stay in their
        language, with a note in front in formats that people read. Raises TargetIsSource, TargetIsOpen, DiskFull,
        FolderNotWritable, DocumentGone, and the child's errors.
        """
        # Words are read at the saving, so that an edit of this moment is in it.
        job = self._known(translation_id)
        source, format_ = Path(str(job.spec.get("path", ""))), str(job.spec.get("format", ""))
        if format_ == TYPED:
            with write_file(path) as file:
                file.write(self.as_text(job.id).encode("utf-8", "replace"))
            yield Saved(path)
            return
        check_target(path, source)
        if format_ == BLOCKS:
            yield from self._compose_document(job, path, cancel)
            return
        # The copy, not the original, which may have changed since its segments were found.
        copy = self._copies.copy_path(job.id, source)
        if not copy.is_file():
            raise DocumentGone(source.name or job.title)
        original = OriginalFile(copy, format_, str(job.spec.get("sha256", "")), self._password_of(job.id))
        rows, target = self._read_rows(job), wish_of(job).target
        yield from rewrite_file(original, rows, target, path, cancel, child_folder=self._child_folder)

    def as_text(self, translation_id: int) -> str:
        """Return a started translation as plain text; untranslated segments stay."""
        job = self._known(translation_id)
        rows = list(self._read_rows(job))
        contents = {row.segment.id: row.translated.content for row in rows if row.translated is not None}
        if job.spec.get("format") == TYPED:
            from app.features.translate.live import join_paragraphs  # brings the pipeline along

            return join_paragraphs(str((self._store.read_result(job.id) or {}).get("source", "")), contents)
        if job.spec.get("format") == BLOCKS:
            return "\n\n".join(
                map(as_plain, recompose_blocks(self._documents.read_blocks(self._source_document(job).id), contents))
            )
        return "\n\n".join(shown_text(contents.get(row.segment.id, row.segment.content)) for row in rows)

    def _read_rows(self, job: Job) -> Iterator[Row]:
        return map(row_of, self._store.every_segment(job.id))

    def _source_document(self, job: Job) -> StoredDocument:
        ids = self._store.documents_of([job.id])[job.id]
        document = self._documents.store.get(ids[0]) if ids else None
        if document is None:
            raise DocumentGone(job.title)
        return document

    def _compose_document(self, job: Job, path: Path, cancel: CancelToken) -> Iterator[Saving | Saved]:
        document = self._source_document(job)
        yield Saving(0)
        if not cancel.cancelled:
            blocks = self._documents.read_blocks(document.id)
            yield compose_document(
                blocks, self._read_rows(job), wish_of(job).target, path, title=job.title, unit=document.unit
            )

    def save_bilingual(self, translation_id: int, path: Path) -> None:
        """Source and translation side by side with what was flagged: a .html, .csv or .tmx file by the ending.

        Raises DiskFull or FolderNotWritable.
        """
        job = self._known(translation_id)
        source, target = source_language_of(job), wish_of(job).target
        save_bilingual(self._read_rows(job), path, title=job.title, source=source, target=target)


def remove_scratch(child_folder: Path, before: float) -> None:
    """Delete scratch files of savings killed before a moment (seconds since 1970)."""
    # Names of other running programs' scratch files look alike; only older ones go.
    for lines in child_folder.glob(f"{SCRATCH}*.jsonl"):
        with suppress(OSError):
            if lines.stat().st_mtime < before:
                lines.unlink()


def endings_of(stored: StoredTranslation) -> tuple[str, ...]:
    """Return the suffixes a translation can be saved with, the usual one first; none for typed text."""
    if stored.format == BLOCKS:
        return ENDINGS_OF_NEW
    return () if stored.format == TYPED else (Path(stored.name).suffix,)


def file_name(stored: StoredTranslation, ending: str) -> str:
    """Return a file name such as "lease (Português).docx", which says so if parts are untranslated."""
    target = find_language(stored.wish.target)
    # "Português (Brasil)" would make brackets in brackets.
    said = target.own.replace(" (", ", ").replace(")", "") if target is not None else stored.wish.target
    # A typed text's title may hold anything; a file's name may not.
    stem = Path(stored.name).stem or "".join(
        text if text.isalnum() or text in " -_.()" else " " for text in stored.title
    )
    partial = f", {tr('partial')}" if stored.done < stored.segments else ""
    return f"{stem.strip()} ({said.replace('/', '-')}{partial}){ending}"


ENDINGS = (".html", ".csv", ".tmx")
COLUMNS = ("id", "page", "kind", "source", "target", "origin", "accepted", "flags")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_STYLE = page_style(
    """table { border-collapse: collapse; width: 100%; table-layout: fixed }
td, th { border-bottom: 1px solid #E4DED7; padding: .4em .6em; vertical-align: top; text-align: start;
  white-space: pre-wrap; overflow-wrap: anywhere }
col.id { width: 4em }
.id, .origin { color: #6B645D; font-size: .85em }
.flag { color: #B23F12; font-size: .85em; margin: .3em 0 0 }
""",
    """  td, th { border-color: #3A3530 }
  .id, .origin { color: #A8A098 }
  .flag { color: #F08A5D }
""",
    width=80,
)


def save_bilingual(rows: Iterable[Row], path: Path, *, title: str, source: str, target: str) -> None:
    """Write the file in the format of its suffix, one of `ENDINGS`. Raises DiskFull or FolderNotWritable."""
    with write_file(path) as file:
        match path.suffix.lower():
            case ".tmx":
                write_tmx(_memory_entries(rows, LanguagePair(source, target)), file)
            case ".csv":
                _write_csv(rows, file, target)
            case _:
                for line in web_page(_html_rows(rows, title, source, target), title, _STYLE, language="en"):
                    file.write(f"{line}\n".encode("utf-8", "replace"))


def _memory_entries(rows: Iterable[Row], pair: LanguagePair) -> Iterator[MemoryEntry]:
    """Yield entries for translated segments; failed ones are left out."""
    for row in rows:
        done = row.translated
        # A failed segment would teach the memory its own source.
        if done is not None and done.origin not in (TranslationSource.KEPT, TranslationSource.SKIPPED):
            yield own_entry(pair, row.segment.content, done.content, row.segment.context)


def _write_csv(rows: Iterable[Row], file: IO[bytes], target: str) -> None:
    """Write CSV with the BOM by which spreadsheets recognise UTF-8.

    What they would take for a formula gets an apostrophe in front.
    """
    # A stream over the open file, so that it is still written whole or not at all.
    text = io.TextIOWrapper(file, "utf-8-sig", errors="replace", newline="", write_through=True)
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for row in rows:
        segment, done = row.segment, row.translated
        writer.writerow(
            (
                segment.id,
                segment.page or "",
                segment.kind.value,
                _safe_cell(marked_text(segment.content)),
                _safe_cell(marked_text(done.content)) if done is not None else "",
                done.origin.value if done is not None else "",
                "yes" if done is not None and done.accepted else "",
                " ".join(flag_words(segment, done, target)) if done is not None else "",
            )
        )
    # Closing the wrapper would close the file, which isn't finished here.
    text.detach()


def _safe_cell(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text


def _html_rows(rows: Iterable[Row], title: str, source: str, target: str) -> Iterator[str]:
    heads = [find_language(code) for code in (source, target)]
    names = [word.own if word else code for word, code in zip(heads, (source, target), strict=True)]
    sides = [
        f'lang="{escape(code)}" dir="{"rtl" if word and word.is_rtl else "ltr"}"'
        for word, code in zip(heads, (source, target), strict=True)
    ]
    yield f"<h1>{escape(title)}</h1>"
    yield '<table>\n<colgroup><col class="id"><col><col></colgroup>'
    yield f'<tr><th></th><th lang="{escape(source)}">{escape(names[0])}</th>'
    yield f'<th lang="{escape(target)}">{escape(names[1])}</th></tr>'
    for row in rows:
        yield _html_row(row, sides, target)
    yield "</table>"


def _html_row(row: Row, sides: list[str], target: str) -> str:
    segment, done = row.segment, row.translated
    said = escape(marked_text(done.content)) if done is not None else ""
    # What a person accepted needs no review.
    flags = flag_words(segment, done, target) if done is not None and not done.accepted else []
    told = "".join(f'<p class="flag" {language_attributes()}>{escape(words)}</p>' for words in flags)
    return (
        f'<tr id="segment-{segment.id}"><td class="id">{segment.id}</td>'
        f"<td {sides[0]}>{escape(marked_text(segment.content))}</td><td {sides[1]}>{said}{told}</td></tr>"
    )
