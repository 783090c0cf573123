"""The documents that `serve` lends to other programs: named files, or those that are stored."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from app.cli.input_files import InputFiles, files_of
from app.core.events import CancelToken
from app.core.paths import AppPaths
from app.features.document_library import build_documents
from app.features.tools.lent_documents import LentDocuments
from app.store.database import Database


@contextmanager
def lend_files(files: Sequence[Path], paths: AppPaths, cancel: CancelToken) -> Iterator[LentDocuments]:
    """Read files and lend them and nothing else; nothing of them is stored."""
    with closing(Database.in_memory()) as database:
        library = build_documents(paths, database)
        inputs = InputFiles(library, "", cancel)
        inputs.read_all(files_of(files))
        ids = [document.id for document in inputs.documents]
        yield LentDocuments(database, library, lambda: ids, lambda: bool(ids))


@contextmanager
def lend_stored(paths: AppPaths, is_lent: Callable[[], bool]) -> Iterator[LentDocuments]:
    """Lend the person's stored documents, as long as they are."""
    with closing(Database.open(paths.database)) as database:
        library = build_documents(paths, database)
        yield LentDocuments(database, library, library.store.list_in_use, is_lent)
