"""The formats that come back translated: which module rewrites which."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import cast

from app.documents.visits import Rewrite

MODULES = {
    "docx": "app.documents.formats.word.rewriting",
    "pptx": "app.documents.formats.slides.rewriting",
    "xlsx": "app.documents.formats.sheets.rewriting",
    "odt": "app.documents.formats.opendocument.rewriting",
    "odp": "app.documents.formats.opendocument.rewriting",
    "ods": "app.documents.formats.opendocument.rewriting",
    "epub": "app.documents.formats.web.epub",
    "html": "app.documents.formats.web.pages",
    "markdown": "app.documents.formats.markdown.markdown",
    "text": "app.documents.formats.plain.text",
    "subtitles": "app.documents.formats.plain.subtitles",
    "csv": "app.documents.formats.catalogs.csv_table",
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
