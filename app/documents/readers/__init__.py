"""One module for each family of formats; which one reads which, by the names of `app.documents.formats`."""

from __future__ import annotations

from importlib import import_module

from app.documents.source import Reader

MODULES = {
    "pdf": "pdf",
    "docx": "docx",
    "html": "html",
    "mhtml": "html",
    "markdown": "markdown",
    "text": "text",
    "epub": "epub",
    "odt": "odf",
    "odp": "odf",
    "pptx": "pptx",
    "xlsx": "sheets",
    "xls": "sheets",
    "xlsb": "sheets",
    "ods": "sheets",
    "csv": "csv_table",
    "rtf": "rtf",
    "email": "mail",
    "msg": "outlook",
    "subtitles": "subtitles",
    "notebook": "notebook",
    "code": "code",
    "latex": "latex",
    "fb2": "fb2",
    "picture": "picture",
    "zipped": "zipped",
}


def reader_for(format_: str) -> Reader:
    """The reader of a format, imported when it is needed: the child starts quickly."""
    reader: Reader = import_module(f"app.documents.readers.{MODULES[format_]}").read
    return reader
