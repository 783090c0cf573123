"""Real files in every format that comes back translated, made by different programs and people."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from documents_data import main as fetch_documents
from pinned_wheel import cache_folder
from translation_data import translations_folder

from tests.helpers.real_files import convert, pandoc

MOST_OF_ONE_ORIGIN = 4
"""In one format, spread over all there are."""
TEMPLATES = "{%"
"""What programs fill in; no documents."""
ENDINGS = {
    ".csv", ".docx", ".epub", ".html", ".json", ".md", ".odp", ".ods", ".odt", ".po", ".pot", ".pptx", ".srt",
    ".txt", ".vtt", ".xlsx", ".yaml", ".yml",
}  # fmt: skip
ORIGINS = {
    "agate": "statistical offices, by way of agate's tests",
    "debian-faq": "DocBook's stylesheets",
    "debian-history": "dbtoepub and DocBook's stylesheets",
    "debian-policy": "Sphinx and DocBook's stylesheets",
    "developers-reference": "Sphinx",
    "mkdocs": "MkDocs' authors, Babel and Transifex",
    "odfpy": "OpenOffice, KOffice and odfpy",
    "polib": "gettext, Pootle and polib's tests",
    "python_docx": "Word and python-docx",
    "python_pptx": "PowerPoint and python-pptx",
    "tablib": "Excel, LibreOffice and tablib's authors",
    "webvtt_py": "YouTube, Netflix and webvtt-py's tests",
}
"""Folder names, without versions, and who made what is in them."""
_CONVERTED = {"odt": "LibreOffice Writer", "docx": "LibreOffice Writer", "html": "LibreOffice Writer"}
_WRITTEN = ("docx", "odt", "epub", "html", "pptx", "md", "xhtml")


@dataclass(frozen=True)
class RealFile:
    """A file and the program or the people that made it."""

    path: Path
    origin: str


def real_files(most: int = MOST_OF_ONE_ORIGIN) -> Iterator[RealFile]:
    """Those that are fetched; at most so many in one format of one origin."""
    fetch_documents()
    for folder in (cache_folder("documents"), translations_folder()):
        for beginning in sorted(path for path in folder.iterdir() if path.is_dir()):
            for paths in _by_ending(beginning).values():
                yield from (RealFile(path, _origin(beginning.name)) for path in _spread(paths, most))


def converted_files(source: Path, folder: Path) -> Iterator[RealFile]:
    """A text as LibreOffice and pandoc save it, where they are installed."""
    if shutil.which("pandoc"):
        for ending in _WRITTEN:
            yield RealFile(pandoc(source, folder / f"pandoc-{ending}.{ending}"), "pandoc")
    if shutil.which("soffice") and shutil.which("pandoc"):
        for ending, origin in _CONVERTED.items():
            with tempfile.TemporaryDirectory(dir=folder) as scratch:
                made = convert(folder / "pandoc-docx.docx", ending, Path(scratch))
                yield RealFile(made.rename(folder / f"libreoffice-{ending}.{ending}"), origin)


def _origin(folder: str) -> str:
    """By a folder's name, which ends with a version."""
    return next(ORIGINS[name] for name in sorted(ORIGINS, key=len, reverse=True) if folder.startswith(name))


def _by_ending(folder: Path) -> Mapping[str, Sequence[Path]]:
    found: dict[str, list[Path]] = {}
    for path in sorted(folder.rglob("*")):
        is_document = path.is_file() and path.suffix.lower() in ENDINGS
        if is_document and not (path.suffix == ".html" and TEMPLATES in path.read_text("utf-8", "replace")):
            found.setdefault(path.suffix.lower(), []).append(path)
    return found


def _spread(paths: Sequence[Path], most: int) -> Sequence[Path]:
    """At most so many, from the first to the last in even steps."""
    if len(paths) <= most:
        return paths
    return [paths[number * (len(paths) - 1) // (most - 1)] for number in range(most)]
