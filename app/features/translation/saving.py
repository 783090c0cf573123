"""Writes translated segments as a document: the file's own format again, by the document child, or a new document.

What is written stands beside its place until it is whole. What is not translated stays in the source's language; where
that can be seen without harm, it says so in front, and the result lists it in any case.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from app.core.errors import TargetIsOpen, TargetIsSource
from app.core.events import CancelToken
from app.core.paths import disk_problem, make_folder
from app.documents import reading
from app.documents.blocks import Block
from app.documents.formats.registry import named
from app.documents.protocol import Rewrite, Rewritten, SegmentsWritten
from app.documents.segments import Content, content_of
from app.documents.translations_file import write_translations
from app.features.translation.page_marks import NOT_TRANSLATED
from app.features.translation.recomposed import recomposed
from app.features.translation.result import Origin
from app.features.translation.stored import Row, Saved, Saving
from app.features.work.whole_file import SCRATCH, put, scratch_beside, written
from app.language.names import language

ENDINGS_OF_NEW = (".docx", ".html")


@dataclass(frozen=True)
class Original:
    """A file whose segments were found: where its bytes are, its format and hash, and the password it needs."""

    path: Path
    format: str
    sha256: str
    password: str = ""


@dataclass
class _Words:
    """What is to stand in the document, row by row; notes what is not translated, and what could not be."""

    rows: Iterable[Row]
    is_marked: bool
    untranslated: list[int] = field(default_factory=list)
    kept: list[int] = field(default_factory=list)

    def __iter__(self) -> Iterator[tuple[int, Content]]:
        for row in self.rows:
            done, is_open = row.translated, is_untranslated(row)
            if is_open:
                self.untranslated.append(row.segment.id)
            if done is not None and done.origin is Origin.KEPT and not done.accepted:
                self.kept.append(row.segment.id)
            if done is not None and done.origin is not Origin.KEPT:
                yield row.segment.id, done.content
            elif is_open and self.is_marked:
                yield row.segment.id, content_of([NOT_TRANSLATED, *row.segment.content])

    def saved(self, path: Path) -> Saved:
        """What there is to tell of it."""
        is_marked = self.is_marked and bool(self.untranslated)
        return Saved(path, tuple(self.untranslated), is_marked, kept=tuple(self.kept))


def is_untranslated(row: Row) -> bool:
    """Whether it has words that nobody has translated yet."""
    return row.translated is None and any(character.isalpha() for character in row.segment.text)


def rewrite(
    original: Original, rows: Iterable[Row], target: str, path: Path, cancel: CancelToken, *, child_folder: Path
) -> Iterator[Saving | Saved]:
    """The file again; the last thing is Saved, none where it was cancelled.

    Raises TargetIsOpen, DiskFull or FolderNotWritable, or what the child met.
    """
    format_ = named(original.format)
    words = _Words(rows, is_marked=format_ is None or not format_.for_programs)
    lines = child_folder / f"{SCRATCH}{secrets.token_hex(6)}.jsonl"
    code, is_rtl = language_of(target)
    try:
        try:
            make_folder(child_folder)
            write_translations(lines, words)
        except OSError as error:
            raise disk_problem(error, lines.parent) from error
        with scratch_beside(path, path.suffix) as scratch:
            request = Rewrite(
                str(original.path), str(scratch), str(lines), code, is_rtl, original.sha256, original.password
            )
            for event in reading.rewrite(request, folder=child_folder, cancel=cancel):
                if isinstance(event, SegmentsWritten):
                    yield Saving(event.segments)
                elif isinstance(event, Rewritten):
                    _put(scratch, path)
                    yield replace(words.saved(path), refused=event.refused, remarks=event.remarks)
    finally:
        lines.unlink(missing_ok=True)


def compose(blocks: Iterable[Block], rows: Iterable[Row], target: str, path: Path, *, title: str, unit: str) -> Saved:
    """A new document, .docx or .html by the ending of `path`; raises DiskFull or FolderNotWritable."""
    from app.features.translation.recomposed_docx import write_docx
    from app.features.translation.recomposed_html import as_html

    words = _Words(rows, is_marked=True)
    new = recomposed(blocks, dict(words))
    code, is_rtl = language_of(target)
    with written(path) as file:
        if path.suffix.lower() == ".docx":
            write_docx(new, file, title=title, language=code, is_rtl=is_rtl, unit=unit)
        else:
            for line in as_html(new, title=title, language=code, is_rtl=is_rtl, unit=unit):
                file.write(f"{line}\n".encode("utf-8", "replace"))
    return replace(words.saved(path), keeps_layout=False)


def check_target(path: Path, source: Path) -> None:
    """Raises TargetIsSource, or TargetIsOpen where an office program has the file open."""
    if path.resolve() == source.resolve() or (path.exists() and source.exists() and path.samefile(source)):
        raise TargetIsSource(str(path))
    # LibreOffice and Word leave these beside a file as long as they have it open.
    locks = (f".~lock.{path.name}#", f"~${path.name}", f"~${path.name[2:]}")
    if path.exists() and any(path.with_name(name).exists() for name in locks):
        raise TargetIsOpen(str(path))


def language_of(target: str) -> tuple[str, bool]:
    """A target's code, and whether it runs from right to left."""
    found = language(target)
    return (found.code, found.is_rtl) if found is not None else (target, False)


def _put(scratch: Path, path: Path) -> None:
    try:
        put(scratch, path)
    except PermissionError as error:
        if path.exists():  # Windows does not replace what another program has open
            raise TargetIsOpen(str(path)) from error
        raise disk_problem(error, path.parent) from error
    except OSError as error:
        raise disk_problem(error, path.parent) from error
