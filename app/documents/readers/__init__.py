"""One module for each family of formats; which one reads which, by the names of `app.documents.formats.detection`."""

from __future__ import annotations

from importlib import import_module

from app.documents.source import Reader

MODULES = {
    "pdf": "app.documents.formats.pdf.pdf",
    "docx": "app.documents.formats.word.reading",
    "html": "app.documents.formats.web.pages",
    "mhtml": "app.documents.formats.web.pages",
    "markdown": "app.documents.formats.markdown.markdown",
    "text": "app.documents.formats.plain.text",
    "epub": "app.documents.formats.web.epub",
    "odt": "app.documents.formats.opendocument.reading",
    "odp": "app.documents.formats.opendocument.reading",
    "pptx": "app.documents.formats.slides.reading",
    "xlsx": "app.documents.formats.sheets.reading",
    "xls": "app.documents.formats.sheets.reading",
    "xlsb": "app.documents.formats.sheets.reading",
    "ods": "app.documents.formats.sheets.reading",
    "csv": "app.documents.formats.catalogs.csv_table",
    "rtf": "app.documents.formats.word.rtf",
    "email": "app.documents.formats.mail.mail",
    "msg": "app.documents.formats.mail.outlook",
    "subtitles": "app.documents.formats.plain.subtitles",
    "notebook": "app.documents.formats.markdown.notebook",
    "code": "app.documents.formats.plain.code",
    "latex": "app.documents.formats.plain.latex",
    "fb2": "app.documents.formats.web.fb2",
    "picture": "app.documents.formats.pictures.recognition",
    "zipped": "app.documents.formats.zipped.zip_file",
}


def reader_for(format_: str) -> Reader:
    """The reader of a format, imported when it is needed: the child starts quickly."""
    reader: Reader = import_module(MODULES[format_]).read
    return reader
