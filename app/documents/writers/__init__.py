"""The formats that come back translated: which module rewrites which, and what a rewriter is.

A rewriter walks its file once, hands every segment to `visit` in reading order, and writes the file with what that
returns. The same walk serves finding the segments (`out` is None, and every visit returns None) and writing them, so
that both number alike. It raises an AppError of the document family; what else it raises counts as damage.

What it promises: no text a reader would see is left out of the segments; a segment whose visit returns None, or its own
content, leaves its part of the file as it was, byte for byte where the format allows, and a part of the file (a member
of an archive) in which nothing changes is copied as it is. A content that is returned has exactly the marks of the
segment (`nests` holds for it), perhaps in another order; whatever it holds, the file stays well-formed: characters that
the format cannot have are taken out, what it must escape is escaped.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from app.documents.segments import Content, Segment
from app.documents.source import Source


@dataclass(frozen=True)
class Target:
    """The language that the file is in when it is written, as BCP 47 has it ("pt-BR"), and its direction.

    The file's own marks of language and direction are set to it; None in place of a Target leaves them.
    """

    language: str
    is_rtl: bool = False


Visit = Callable[[Segment], Content | None]
Rewrite = Callable[[Source, BinaryIO | None, Visit, Target | None], None]

MODULES = {
    "docx": "app.documents.writers.docx",
    "pptx": "app.documents.writers.pptx",
    "xlsx": "app.documents.writers.xlsx",
    "odt": "app.documents.writers.odf",
    "odp": "app.documents.writers.odf",
    "ods": "app.documents.writers.odf",
    "epub": "app.documents.formats.web.epub_rewritten",
    "html": "app.documents.formats.web.rewritten_pages",
    "markdown": "app.documents.formats.markdown.rewritten",
    "text": "app.documents.formats.plain.text_rewritten",
    "subtitles": "app.documents.formats.plain.subtitles_rewritten",
    "csv": "app.documents.formats.catalogs.csv_rewritten",
    "po": "app.documents.formats.catalogs.po",
    "json": "app.documents.formats.catalogs.json_file",
    "yaml": "app.documents.formats.catalogs.yaml_file",
}
"""Formats and their modules, each with a `rewrite` of the type `Rewrite`."""

_TEXTUAL = {"po": "po", "pot": "po", "json": "json", "arb": "json", "yaml": "yaml", "yml": "yaml"}
"""Endings that decide among what is plain text by its content."""
_PLAIN = ("text", "code", "markdown", "csv", "subtitles")


def rewritable(format_: str, path: Path) -> str:
    """The format to rewrite a file in, of those in `MODULES`; "" where it cannot be written back.

    `format_` is what `app.documents.formats.detection.find_format` found.
    """
    named = _TEXTUAL.get(path.suffix.lower().removeprefix("."), "") if format_ in _PLAIN else ""
    found = named or format_
    return found if found in MODULES else ""


def rewriter_for(format_: str) -> Rewrite:
    """The rewriter of a format of `MODULES`."""
    module = importlib.import_module(MODULES[format_])
    return cast(Rewrite, module.rewrite)
