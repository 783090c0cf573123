"""Read a command's input files: one by one, reported, unlocked; folders expand to their documents."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from app.cli import terminal
from app.core.catalogue import tr, tr_count
from app.core.counted_units import count_units
from app.core.errors.app_error import AppError
from app.core.errors.document_errors import DocumentUnreadable
from app.core.events import CancelToken
from app.core.lazy_dataclasses import dataclass, field
from app.documents.folder import ExpandedPaths, expand
from app.documents.protocol import Done, Found
from app.documents.source import Opened, PageRead
from app.features.document_library import DocumentLibrary, DocumentStored
from app.features.document_messages import remark_sentence
from app.features.error_messages import sentence_for
from app.store.document_store import StoredDocument

NO_DOCUMENTS = "No documents found."


def files_of(asked: Sequence[Path]) -> list[tuple[Path, Path]]:
    """Return each file once, as (given, actual) path. A folder expands to the documents in and below it."""
    found: dict[Path, tuple[Path, Path]] = {}
    for written in asked:
        path = written.expanduser().absolute()
        inside = expand([path]) if path.is_dir() else ExpandedPaths((path,))
        if inside.is_cut or not inside.files:
            what = tr(NO_DOCUMENTS)
            if inside.files:
                what = tr_count(
                    "Only the first file is read.", "Only the first {count} files are read.", len(inside.files)
                )
            print(f"{written}: {what}", file=sys.stderr)
        for file in inside.files:
            # Named as the person wrote it, since the message is read beside that command.
            name = written if file == path else written / file.relative_to(path)
            # By its real place: a file given twice, or by a link and in its folder, is read once.
            found.setdefault(file.resolve(), (name, file))
    return list(found.values())


@dataclass
class InputFiles:
    """Read input files; one that fails doesn't stop the others.

    `kept` is the store; without `password`, each file that needs one asks.
    """

    kept: DocumentLibrary
    password: str
    cancel: CancelToken
    documents: list[StoredDocument] = field(default_factory=list)
    paths: list[Path] = field(default_factory=list)
    errors: list[dict[str, str]] = field(default_factory=list)

    def read_all(self, files: Sequence[tuple[Path, Path]]) -> None:
        """Read each file, as `files_of` yields them; files of equal name are labelled by the path given."""
        # Two files of one name could not be told apart in answers.
        names = Counter(path.name for _, path in files)
        for written, path in files:
            name = path.name if names[path.name] == 1 else str(written)
            try:
                # The password is tried on each file; the child asks again where it fits none.
                document = terminal.read_unlocked(self.password, partial(self._read_document, path, name))
            except AppError as error:
                sentence = sentence_for(error)
                self.errors.append({"file": name, "reason": sentence.english})
                print(sentence.text, file=sys.stderr)
                continue
            if document is None:
                # Cancelled: the files after it are not read either.
                break
            self.documents.append(document)
            self.paths.append(path)

    def _read_document(self, path: Path, name: str, password: str) -> StoredDocument | None:
        opened = Opened()
        with terminal.TerminalProgress() as line:
            line.show(tr("Reading {name}", name=name))
            for event in self.kept.read_file(path, self.cancel, password=password, name=name):
                match event:
                    case Found():
                        opened = event.opened
                    case PageRead() if opened.pages:
                        line.show(
                            tr("Reading {name}", name=name),
                            tr("{page:,} of {pages}", page=event.page, pages=count_units(opened.unit, opened.pages)),
                        )
                    case Done():
                        line.end()
                        for remark in event.remarks:
                            print(f"{name}: {remark_sentence(remark)}", file=sys.stderr)
                    case DocumentStored(document=document):
                        # A scan without recognized text: without this, a model would be asked about nothing.
                        if not any(str(block["text"]).strip() for block in self.kept.store.every_block(document.id)):
                            raise DocumentUnreadable(str(path), "no_text")
                        return document
        return None
