"""Detect a file's format by content; endings only decide among plain text formats.

Reads only the first 64 KB, the last few, and an archive's directory.
"""

from __future__ import annotations

import os
import re
import struct
import zipfile
from collections.abc import Callable, Collection
from pathlib import Path

import olefile

from app.core.errors.document_errors import DocumentUnreadable
from app.documents.archive import DAMAGE, OLE
from app.documents.encoding import SAMPLE_BYTES, decode, find_encoding
from app.documents.folder import documents_in
from app.documents.formats import registry
from app.documents.formats.plain.source_code import has_shebang, language_of
from app.documents.formats.registry import ODF, FileFormat
from app.documents.formats.sound import find_sound

TAIL_BYTES = 4096
# ISO 32000-1 Annex H: Acrobat accepts the header anywhere in the first 1,024 bytes.
PDF_WITHIN_BYTES = 1024
# zipfile reads the whole directory at once; a stranger's may claim any size.
MOST_DIRECTORY_BYTES = 16 * 1024 * 1024
"""Limit of a ZIP's directory; 50,000 members have some 5 MB."""
_END_OF_DIRECTORY = b"PK\x05\x06"
_OLD = (b"\xffWPC", b"\xdb\xa5\x2d\x00", b"\x31\xbe\x00\x00", b"\x32\xbe\x00\x00")
"""WordPerfect, Word 2, and two kinds of Windows Write."""
_NOT_TEXT = (
    b"\x7fELF", b"\x1f\x8b",
    b"7z\xbc\xaf\x27\x1c", b"Rar!\x1a\x07", b"\xfd7zXZ\0", b"\x28\xb5\x2f\xfd", b"GGUF", b"SQLite format 3\0",
    b"\0asm", b"\xca\xfe\xba\xbe", b"OggS\0", b"fLaC\0", b"ID3\x02", b"ID3\x03", b"ID3\x04", b"\xff\xfb",
)  # fmt: skip
"""Programs, sound, archives, models: what is hardly ever taken for text, made sure."""
_IWORK = (".pages", ".key", ".numbers")
_REFUSED = ("not_text", "old_format", "protected", "damaged", "iwork", "djvu")
"""Formats detected but not read: the reasons of DocumentUnreadable."""
_OLE_STREAMS = {
    "encryptedpackage": "protected",
    "worddocument": "old_format", "powerpoint document": "old_format", "quill": "old_format",
    "visiodocument": "old_format", "matost": "old_format", "pp40": "old_format",
}  # fmt: skip
_HEADERS = {
    "from", "to", "cc", "bcc", "subject", "date", "received", "mime-version", "message-id", "return-path", "sender",
    "delivered-to", "reply-to", "content-type", "in-reply-to", "references", "dkim-signature", "list-id", "x-mailer",
}  # fmt: skip
# A header field's name is any printable ASCII but a colon (RFC 5322, 3.6.8).
_HEADER = re.compile(r"([!-9;-~]+):(?:[ \t]|$)")
_TIMING = re.compile(
    r"^[ \t]*(?:\d+:)?\d{1,2}:\d{2}[,.]\d{1,3}[ \t]*-->[ \t]*(?:\d+:)?\d{1,2}:\d{2}[,.]\d{1,3}", re.MULTILINE
)
# XML may have a declaration, comments and a document type before its root (XML 1.0, 2.8).
_BEFORE_ROOT = re.compile(r"(?:\s|<\?.*?\?>|<!--.*?-->|<!DOCTYPE[^>\[]*(?:\[.*?\]\s*)?>)*", re.DOTALL | re.IGNORECASE)
_ROOT = re.compile(r"<(?:[\w.-]+:)?([\w.-]+)[\s/>]")
# Atomic and possessive: a page that begins with thousands of comments would make an ordinary pattern go back and forth.
_HTML_START = re.compile(
    r"\s*(?:(?><!--.*?-->)\s*)*+<(?:!doctype\s+html|html|head|body|title|meta|table)\b", re.DOTALL | re.IGNORECASE
)
_LATEX = re.compile(r"\\(?:documentclass|documentstyle|begin|chapter|section|subsection|usepackage)\b")
_HTML_TAG = re.compile(r"<(?:p|div|span|h[1-6]|a|br|table|ul|ol|img|b|i|body|html)\b[^<>]*>", re.IGNORECASE)
MOST_CELL_CHARACTERS = 40
"""On average, where nothing but the delimiters says that the text is a table: sentences have commas, too."""
_DELIMITERS = {";": 1, "\t": 1, "|": 1, ",": 2}
"""Least delimiters per line that make a text a table."""
_OLD_ENDINGS = ("doc", "ppt", "pub")


def find_format(path: Path) -> str:
    """Return the name of a format that can be read; raises OSError or DocumentUnreadable.

    Its reasons here: empty, and those in `_REFUSED`.
    """
    with path.open("rb") as file:
        head = file.read(SAMPLE_BYTES)
        # PDF's end mark and a notebook's "nbformat" stand at the end.
        file.seek(max(0, file.seek(0, os.SEEK_END) - TAIL_BYTES))
        tail = file.read(TAIL_BYTES)
    if not head:
        raise DocumentUnreadable(str(path), "empty")
    found = _detect_binary(path, head, tail) or _detect_text(path, head, tail)
    if found in _REFUSED:
        raise DocumentUnreadable(str(path), found)
    return found


def really(format_: str, ending: str) -> bool:
    """Return whether the ending suggests another format, so that the real one should be reported."""
    ending = ending.lower().removeprefix(".")
    return ending in _OLD_ENDINGS or format_ not in (registry.promised_by(ending) or {format_})


def _detect_binary(path: Path, head: bytes, tail: bytes) -> str:
    """Return the format known by its first bytes; "" for possible text."""
    if head.startswith(OLE):
        return _in_ole(path)
    # A local header, an archive without members, or the mark of one that was split.
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")):
        return _in_zip(path, head)
    if _is_pdf(head, tail):
        return "pdf"
    is_movie, is_tar = head[4:8] == b"ftyp", head[257:262] == b"ustar"
    found = _first_format(lambda file_format: head.startswith(file_format.begins))
    if found:
        return found
    kinds = {
        "old_format": head.startswith(_OLD),
        "djvu": head.startswith(b"AT&TFORM"),
        "picture": _is_picture(head),
        "sound": bool(find_sound(head)),
        "not_text": is_movie or is_tar or head.startswith(_NOT_TEXT),
    }
    return next((kind for kind, is_it in kinds.items() if is_it), "")


def _first_format(is_it: Callable[[FileFormat], bool]) -> str:
    return next((file_format.name for file_format in registry.formats() if is_it(file_format)), "")


def _is_picture(head: bytes) -> bool:
    """Return whether this is an image whose type isn't at the very start."""
    is_webp = head.startswith(b"RIFF") and head[8:12] == b"WEBP"
    # "BM" begins many a text: reserved fields of zeros and a small header size go with it.
    is_bmp = head.startswith(b"BM") and head[6:10] == bytes(4) and head[15:18] == bytes(3)
    return is_webp or is_bmp


def _is_pdf(head: bytes, tail: bytes) -> bool:
    """Return whether this is a PDF. Some programs put bytes before its mark, and a text may mention the mark."""
    at = head[: PDF_WITHIN_BYTES + 5].find(b"%PDF-")
    return at >= 0 and (not head[:at].strip(b"\xef\xbb\xbf \r\n\t\0") or b" obj" in head or b"%%EOF" in tail)


def _in_ole(path: Path) -> str:
    try:
        with olefile.OleFileIO(str(path)) as ole:
            names = [entry[0].lower() for entry in ole.listdir(storages=False)]
    # Of the child's limit, which the parent tells as such; it is no damage.
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001 - olefile raises many kinds for a damaged file
        return "damaged"
    refused = next((kind for name, kind in _OLE_STREAMS.items() if name in names), "not_text")
    found = _first_format(lambda file_format: any(stream in names for stream in file_format.streams))
    # An encrypted workbook may still have the stream of a plain one beside it.
    return refused if refused == "protected" else found or refused


def _in_zip(path: Path, head: bytes) -> str:
    if _directory_bytes(path) > MOST_DIRECTORY_BYTES:
        return "not_text"
    try:
        with zipfile.ZipFile(path) as archive:
            return _in_members(archive, path.suffix.lower())
    # zipfile raises RuntimeError for an encrypted "mimetype".
    except (*DAMAGE, RuntimeError):
        named = path.suffix.lower().removeprefix(".") in _OLD_ENDINGS or registry.promised_by(path.suffix)
        # A local header has 30 bytes, and the first member's name follows: that tells a damaged document from any
        # archive.
        begins = (b"[Content_Types].xml", b"mimetype", b"_rels/.rels", b"word/", b"xl/", b"ppt/")
        return "damaged" if named or head[30:].startswith(begins) else "not_text"


def _in_members(archive: zipfile.ZipFile, ending: str) -> str:
    names = {member.filename.replace("\\", "/").lower(): member for member in archive.infolist()}
    if "mimetype" in names:
        # OpenDocument and EPUB: its bytes are the type, so a document is known without reading XML.
        kind = _member_beginning(archive, names["mimetype"]).strip().decode("latin-1")
        found = _of_mimetype(kind)
        if found or kind.startswith(ODF):
            return found or "not_text"
    found = _first_format(
        lambda file_format: bool(file_format.member) and any(name.startswith(file_format.member) for name in names)
    )
    if found:
        return found
    # Some programs leave the member out, though OpenDocument 1.2, part 3, 3.3 wants it; the manifest names the type,
    # too.
    if "content.xml" in names and "meta-inf/manifest.xml" in names:
        manifest = _member_beginning(archive, names["meta-inf/manifest.xml"]).decode("latin-1")
        return (
            _first_format(lambda file_format: bool(file_format.mimetype) and f'"{file_format.mimetype}' in manifest)
            or "not_text"
        )
    return _without_format(names, ending)


def _of_mimetype(kind: str) -> str:
    """Return the format of a MIME type; OpenDocument's templates and masters are read as what they are for."""
    # "text-template", "text-master" and "text-web" are documents of "text".
    kind = ODF + kind.removeprefix(ODF).split("-")[0] if kind.startswith(ODF) else kind
    return _first_format(lambda file_format: file_format.mimetype == kind != "")


def _without_format(names: Collection[str], ending: str) -> str:
    """Return what an archive is that holds no document's parts."""
    if ending in _IWORK or any(name.endswith(".iwa") or name.startswith(("index.apxl", "index.zip")) for name in names):
        return "iwork"
    # Only Office writes this member, so some part of a document is missing.
    if "[content_types].xml" in names:
        return "damaged"
    return "zipped" if ending == ".zip" and documents_in(names) else "not_text"


def _member_beginning(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    # Other methods may inflate without end, see `app.documents.archive`.
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return b""
    with archive.open(member) as stream:
        return stream.read(TAIL_BYTES)


def _directory_bytes(path: Path) -> int:
    """Return how long a ZIP's list of members says it is, 0 if there is none."""
    with path.open("rb") as file:
        # The end record has 22 bytes and a comment of at most 65,535 (APPNOTE 4.3.16).
        file.seek(max(0, file.seek(0, os.SEEK_END) - 0xFFFF - 22))
        end = file.read()
    at = end.rfind(_END_OF_DIRECTORY)
    return int(struct.unpack_from("<I", end, at + 12)[0]) if 0 <= at <= len(end) - 22 else 0


def _detect_text(path: Path, head: bytes, tail: bytes) -> str:
    if not find_encoding(head, len(head) < SAMPLE_BYTES):
        return "not_text"
    text = decode(head).text
    ending = path.suffix.lower().removeprefix(".")
    if text.lstrip().startswith("{\\rtf"):
        return "rtf"
    if _is_notebook(text, tail, ending):
        return "notebook"
    # From what says most to what says least: a text about code or with a tag in it is no code and no page.
    if "latex" in registry.promised_by(ending) and _LATEX.search(text):
        return "latex"
    if has_shebang(text) or language_of(path.name) not in ("", "xml", "json"):
        return "code"
    marked = "" if _by_ending(ending) == "markdown" else _in_markup(text, ending)
    return marked or _in_mail(text, ending) or _in_lines(text, path.name, ending)


def _in_lines(text: str, name: str, ending: str) -> str:
    # Before endings: subtitles are often saved as .txt.
    if text.startswith("WEBVTT") or _has_timings(text, ending):
        return "subtitles"
    if found := _by_ending(ending):
        return found
    if language_of(name):
        return "code"
    return "csv" if ending != "log" and _is_table(text) else "text"


def _by_ending(ending: str) -> str:
    """Return the format of a plain text whose ending tells it."""
    return _first_format(
        lambda file_format: file_format.by_ending and bool(file_format.read) and file_format.has(ending)
    )


def _is_notebook(text: str, tail: bytes, ending: str) -> bool:
    if not text.lstrip().startswith("{"):
        return False
    has_cells = '"cells"' in text or '"worksheets"' in text
    # Jupyter sorts keys, so "nbformat" comes last, behind all outputs.
    return ending == "ipynb" or (has_cells and ('"nbformat"' in text or b'"nbformat"' in tail))


def _in_markup(text: str, ending: str) -> str:
    """Return HTML, the kind of an XML file, or ""."""
    if _HTML_START.match(text[:8192]) or (ending in ("html", "htm", "xhtml") and _HTML_TAG.search(text)):
        return "html"
    if not text.lstrip().startswith("<"):
        return ""
    root = _ROOT.match(text, _BEFORE_ROOT.match(text).end())  # type: ignore[union-attr]
    name = root[1] if root is not None else ""
    if name.lower() == "html":
        return "html"
    if found := _first_format(lambda file_format: file_format.root == name != ""):
        return found
    # The XML of Word 2003 and PowerPoint 2003, which is not today's.
    if 'progid="Word.Document"' in text or 'progid="PowerPoint.Show"' in text:
        return "old_format"
    # A flat OpenDocument names its type in an attribute of the root.
    kind = re.split(r"[\"'-]", text.partition(ODF)[2])[0] if name == "document" else ""
    found = _of_mimetype(ODF + kind) if kind else ""
    is_xml = text.lstrip().startswith("<?xml") or language_of(f"x.{ending}") == "xml"
    return found or ("code" if is_xml else "")


def _in_mail(text: str, ending: str) -> str:
    """Return a mail, or a web page that was saved in the form of one, or ""."""
    names, block = _header_names(text)
    known = len(names & _HEADERS)
    # Three known names: two lines with colons begin many a text, and one is enough where the ending says mail.
    if known < (1 if ending in ("eml", "mht", "mhtml") else 3):
        return ""
    # Browsers say so: "From: <Saved by Blink>", or which page the snapshot is of.
    saved = re.search(r"^From:.*Saved by|^Snapshot-Content-Location:", block, re.MULTILINE | re.IGNORECASE)
    sent = names & {"to", "received", "message-id", "delivered-to", "return-path"}
    # A mail with pictures is multipart/related as well, but it was sent to somebody.
    is_related = "multipart/related" in block.lower() and not sent
    return "mhtml" if ending in ("mht", "mhtml") or saved or (is_related and ending != "eml") else "email"


def _header_names(text: str) -> tuple[set[str], str]:
    """Return the names of the header lines that a text begins with, and all of these; none if other lines are among
    them.
    """
    lines = re.split(r"\r\n|\r|\n", text.lstrip())
    if lines[0].startswith("From "):  # of a mailbox
        del lines[0]
    names: set[str] = set()
    for number, line in enumerate(lines):
        if not line:
            return names, "\n".join(lines[:number])
        found = _HEADER.match(line)
        if found is not None:
            names.add(found[1].lower())
        elif not (names and line[0] in " \t"):
            return set(), ""
    return names, "\n".join(lines)


def _has_timings(text: str, ending: str) -> bool:
    found = _TIMING.search(text)
    # Near the top: a text about subtitles may quote one further down.
    return found is not None and (ending in ("srt", "vtt") or text.count("\n", 0, found.start()) <= 2)


def _is_table(text: str) -> bool:
    """Return whether the first lines have equally many delimiters outside quotes."""
    # Excel's own line, which names the delimiter.
    if re.match(r"sep=.\s*\n", text):
        return True
    # Delimiters in quoted cells would make lines uneven.
    lines = [line for line in re.sub(r'"[^"]*"', "", text).splitlines()[:50] if line.strip()]
    if len(text) > 2 and text[-1] not in "\r\n" and len(lines) > 3:
        del lines[-1]  # it may go on
    if len(lines) < 3:
        return False
    counts = {delimiter: {line.count(delimiter) for line in lines} for delimiter in _DELIMITERS}
    # Evenly alone is not enough: verses and lists may have a comma in each line, but their lines are longer than cells.
    evenly = [text for text, found in counts.items() if len(found) == 1 and min(found) >= _DELIMITERS[text]]
    length = sum(map(len, lines)) / len(lines)
    return any(length < MOST_CELL_CHARACTERS * (min(counts[text]) + 1) for text in evenly)
