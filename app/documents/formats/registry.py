"""The document formats: what each is called, how its files are known, what reads them and what writes them back.

A new format is a module or a folder beside this file that has a `read` and a `rewrite` (`app.documents.source.Reader`,
`app.documents.source.Rewrite`), and a line here. Detection, file dialogs, chips, sentences, terminal and saving all ask
here, so nothing else has to learn of it. Nothing is imported before a file needs it: the child starts quickly.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.core.lazy_dataclasses import dataclass

if TYPE_CHECKING:
    from app.documents.source import Reader, Rewrite

PDFS, TEXTS, TABLES, SLIDES = "PDF documents", "Text documents", "Tables", "Presentations"
MAILS, PICTURES, RECORDINGS, ARCHIVES = "Mail", "Pictures with text", "Recordings", "Archives"
"""File dialogs' filter names; the window translates them."""
ODF = "application/vnd.oasis.opendocument."


@dataclass(frozen=True)
class FileFormat:
    """`words` is its name with an article; `kind` its filter in file dialogs, "" for none.

    `read`, `rewrite` and `draw` are modules with a function of that name, "" if unsupported; a leading dot means this
    package. `scan` is a module that deskews and recognizes pages. `endings` are usual ones. Files are detected by their
    first bytes, by a member (or its folder), stream or "mimetype" in their archive, or by their XML's root; anything
    harder is in `app.documents.formats.format_detection`.
    """

    name: str
    words: str
    endings: str = ""
    kind: str = ""
    read: str = ""
    rewrite: str = ""
    draw: str = ""
    scan: str = ""
    begins: tuple[bytes, ...] = ()
    member: str = ""
    streams: tuple[str, ...] = ()
    # A member's name or the beginning of it, in small letters: "word/" is any file in that folder.
    mimetype: str = ""
    root: str = ""
    is_plain: bool = False
    """A plain text by its content..."""
    by_ending: bool = False
    """True if only the ending distinguishes it. Without `read` it is read as plain text."""
    for_programs: bool = False
    """Programs read its texts: a mark in one would be shown to their users, or change what they do."""

    def has(self, ending: str) -> bool:
        """Return whether it is an ending of such files; a point before it and capitals make no difference."""
        return ending.lower().removeprefix(".") in self.endings.split()


_FORMATS = {
    file_format.name: file_format
    for file_format in (
        # In the order in which file dialogs and chips show them, and in which detection tries them.
        FileFormat("pdf", "a PDF document", "pdf", PDFS, ".pdf.pdf", draw=".pdf.pdf_pages", scan=".pdf.pdf"),
        FileFormat(
            "docx", "a Word document", "docx docm dotx dotm", TEXTS, ".word.read_docx", ".word.rewrite_docx",
            member="word/"
        ),
        FileFormat(
            "odt", "an OpenDocument text document", "odt ott fodt", TEXTS, ".opendocument.read_odf",
            ".opendocument.rewrite_odf",
            mimetype=f"{ODF}text",
        ),
        FileFormat("rtf", "a rich text document (RTF)", "rtf", TEXTS, ".word.rtf"),
        FileFormat(
            "text", "a plain text file", "txt log", TEXTS, ".plain.plain_text", ".plain.plain_text", is_plain=True
        ),
        FileFormat(
            "markdown", "a Markdown file", "md markdown mkd mdown", TEXTS, ".markdown.read_markdown",
            ".markdown.rewrite_markdown",
            is_plain=True, by_ending=True,
        ),
        FileFormat("html", "a web page", "html htm xhtml", TEXTS, ".web.html_pages", ".web.html_pages"),
        FileFormat("mhtml", "a saved web page", "mht mhtml", "", ".web.html_pages"),
        FileFormat(
            "epub", "an e-book (EPUB)", "epub", TEXTS, ".web.epub", ".web.epub",
            member="meta-inf/container.xml", mimetype="application/epub+zip",
        ),
        FileFormat("fb2", "an e-book (FictionBook)", "fb2", TEXTS, ".web.fb2", root="FictionBook"),
        FileFormat("latex", "a LaTeX document", "tex ltx latex", TEXTS, ".plain.latex"),
        # Before xlsx: both have "xl/", and the first that fits is taken.
        FileFormat("xlsb", "a binary Excel workbook", "xlsb", TABLES, ".sheets.read_sheets", member="xl/workbook.bin"),
        FileFormat(
            "xlsx", "an Excel workbook", "xlsx xlsm xltx", TABLES, ".sheets.read_sheets", ".sheets.rewrite_sheets",
            member="xl/"
        ),
        FileFormat("xls", "an old Excel workbook", "xls", TABLES, ".sheets.read_sheets", streams=("workbook", "book")),
        FileFormat(
            "ods", "an OpenDocument spreadsheet", "ods ots fods", TABLES, ".sheets.read_sheets",
            ".opendocument.rewrite_odf",
            mimetype=f"{ODF}spreadsheet",
        ),
        FileFormat(
            "csv", "a CSV or TSV table", "csv tsv tab", TABLES, ".catalogs.csv_table", ".catalogs.csv_table",
            is_plain=True, by_ending=True,
        ),
        FileFormat(
            "pptx", "a PowerPoint presentation", "pptx pptm ppsx potx", SLIDES, ".slides", ".slides",
            member="ppt/",
        ),
        FileFormat(
            "odp", "an OpenDocument presentation", "odp otp fodp", SLIDES, ".opendocument.read_odf",
            ".opendocument.rewrite_odf", mimetype=f"{ODF}presentation",
        ),
        FileFormat("email", "an email", "eml", MAILS, ".mail"),
        FileFormat("msg", "an Outlook message", "msg", MAILS, ".mail", streams=("__properties_version1.0",)),
        FileFormat(
            "picture", "a picture", "png jpg jpeg tif tiff webp bmp gif", PICTURES, ".pictures",
            draw=".pictures", scan=".pictures",
            begins=(b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF87a", b"GIF89a", b"II*\0", b"MM\0*"),
        ),
        FileFormat(
            "sound", "a recording", "wav flac mp3 ogg oga", RECORDINGS, ".sound",
            begins=(b"fLaC", b"OggS", b"ID3\2", b"ID3\3", b"ID3\4"),
        ),
        FileFormat("zipped", "an archive (ZIP)", "zip", ARCHIVES, ".zipped"),
        FileFormat(
            "subtitles", "a subtitle file", "srt vtt", "", ".plain.subtitles", ".plain.subtitles", is_plain=True
        ),
        FileFormat("notebook", "a notebook", "ipynb", "", ".markdown.notebook"),
        FileFormat("code", "source code", "", "", ".plain.source_code", is_plain=True),
        FileFormat(
            "po", "a message catalog (PO)", "po pot", rewrite=".catalogs.po", by_ending=True, for_programs=True
        ),
        FileFormat("json", "a JSON file", "json arb", rewrite=".catalogs.json_file", by_ending=True, for_programs=True),
        FileFormat("yaml", "a YAML file", "yaml yml", rewrite=".catalogs.yaml_file", by_ending=True, for_programs=True),
    )
}  # fmt: skip


def add(file_format: FileFormat) -> None:
    """Register a format, or replace one, for this process."""
    _FORMATS[file_format.name] = file_format


def formats() -> tuple[FileFormat, ...]:
    """Return all formats; those of a kind in display order."""
    return tuple(_FORMATS.values())


def named(name: str) -> FileFormat | None:
    """Return the format of this name; None if unknown."""
    return _FORMATS.get(name)


def words_for(name: str) -> str:
    """Return what a format is called, with its article."""
    return _FORMATS[name].words if name in _FORMATS else name


def promised_by(ending: str) -> set[str]:
    """Return the names of the formats that an ending lets expect; empty for one that promises nothing."""
    # Between plain texts the ending decides nothing for sure: a .txt that is Markdown inside is no surprise to report.
    meant = [file_format for file_format in formats() if file_format.has(ending)]
    if any(file_format.is_plain or file_format.by_ending for file_format in meant):
        return {file_format.name for file_format in formats() if file_format.is_plain or file_format.by_ending} | {
            "notebook"
        }
    return {file_format.name for file_format in meant}


def rewritable(name: str, path: Path) -> str:
    """Return the format that rewrites a file whose content is of this format; "" if none can."""
    found = _FORMATS[name]
    # PO, JSON and YAML are read as plain text or code and only known by their ending.
    if found.is_plain:
        unread = (file_format for file_format in formats() if file_format.by_ending and not file_format.read)
        found = next((file_format for file_format in unread if file_format.has(path.suffix)), found)
    return found.name if found.rewrite else ""


def reader_for(name: str) -> Reader:
    reader: Reader = _load_function(_FORMATS[name].read, "read")
    return reader


def rewriter_for(name: str) -> Rewrite:
    """Return what writes a format back, for one that `rewritable` returned."""
    rewriter: Rewrite = _load_function(_FORMATS[name].rewrite, "rewrite")
    return rewriter


def can_draw(name: str) -> bool:
    """Return whether pages of a format can be shown as pictures."""
    return name in _FORMATS and bool(_FORMATS[name].draw)


def drawer_for(name: str) -> Callable[..., Any] | None:
    """Return what draws a page of a format, as `app.documents.formats.pdf.pdf_pages.draw` does it; None where nothing
    can.
    """
    module = _FORMATS[name].draw
    return _load_function(module, "draw") if module else None


def can_scan(name: str) -> bool:
    """Return whether pages of a format may be pictures that can be read."""
    return name in _FORMATS and bool(_FORMATS[name].scan)


def scanner_for(name: str, task: str) -> Callable[..., Any] | None:
    """Return the function `put_upright`, `recognize` or `lines_of` of a format, as that of PDF has it; None without."""
    module = _FORMATS[name].scan
    return _load_function(module, task) if module else None


def _load_function(module: str, name: str) -> Callable[..., Any]:
    # Imported only now: a child reads one file, and has to start quickly.
    found: Callable[..., Any] = getattr(importlib.import_module(module, __package__), name)
    return found
