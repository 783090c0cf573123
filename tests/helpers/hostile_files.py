"""Files made to hurt who reads them: bombs, loops, lies, entities, nesting. All are small on the disk."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.helpers.documents import pdf_of, pdf_pages, pdf_stream, shown
from tests.helpers.office_files import W, write_zip
from tests.helpers.text_files import write_ods, write_xlsx

CONTENT_TYPES = '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>'
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"
SHEET = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
XHTML = "http://www.w3.org/1999/xhtml"
ODF = (
    'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"'
    ' xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"'
)
_NOBODY = 0xFFFFFFFF
EPUB_TYPE = b"application/epub+zip"
ODT_TYPE = b"application/vnd.oasis.opendocument.text"


def deflated(block: bytes, times: int, before: bytes = b"", after: bytes = b"") -> bytes:
    """A raw deflate stream of a block many times over, made without ever having all of it."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    start = packer.compress(before) + packer.flush(zlib.Z_FULL_FLUSH)
    repeated = packer.compress(block) + packer.flush(zlib.Z_FULL_FLUSH)
    return start + repeated * times + packer.compress(after) + packer.flush()


@dataclass(frozen=True)
class Member:
    """A raw deflate stream, and what the archive says of it."""

    stream: bytes
    said_bytes: int
    said_crc: int = 0


def packed(content: bytes) -> Member:
    """An ordinary member."""
    return Member(deflated(b"", 0, content), len(content), zlib.crc32(content))


def write_raw_zip(path: Path, members: Mapping[str, Member]) -> Path:
    """An archive of deflate streams, with whatever sizes and checksums they are said to have."""
    data, directory = bytearray(), bytearray()
    for name, member in members.items():
        raw_name, stream = name.encode(), member.stream
        facts = (member.said_crc, len(stream), member.said_bytes, len(raw_name), 0)
        common = struct.pack("<HHHHHIIIHH", 20, 0, 8, 0, 33, *facts)
        directory += b"PK\x01\x02\x14\0" + common + struct.pack("<HHHII", 0, 0, 0, 0, len(data)) + raw_name
        data += b"PK\x03\x04" + common + raw_name + stream
    end = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, len(members), len(members), len(directory), len(data), 0)
    path.write_bytes(data + directory + end)
    return path


# Bombs

MB = b" " * 1_000_000


def _docx_members(document: Member) -> dict[str, Member]:
    relationships = _relationship("officeDocument", "word/document.xml")
    return {
        "[Content_Types].xml": packed(CONTENT_TYPES.encode()),
        "_rels/.rels": packed(relationships.encode()),
        "word/document.xml": document,
    }


def docx_of_3_gigabytes(path: Path, said_bytes: int = 3_000_000_000) -> Path:
    """One member of 3 GB of spaces inside an element; `said_bytes` is the size that its header tells."""
    before = f'<w:document xmlns:w="{W}"><w:body><w:p><w:r><w:t>'.encode()
    stream = deflated(MB, 3000, before, b"</w:t></w:r></w:p></w:body></w:document>")
    return write_raw_zip(path, _docx_members(Member(stream, said_bytes)))


def docx_of_20_million_paragraphs(path: Path) -> Path:
    """Little text, many elements."""
    block = b"<w:p/>" * 20_000
    before = f'<w:document xmlns:w="{W}"><w:body>'.encode()
    stream = deflated(block, 1000, before, b"</w:body></w:document>")
    return write_raw_zip(path, _docx_members(Member(stream, 120_000_000)))


def odt_of_3_gigabytes(path: Path) -> Path:
    """As the DOCX."""
    before = f"<office:document-content {ODF}><office:body><office:text><text:p>".encode()
    after = b"</text:p></office:text></office:body></office:document-content>"
    members = {"mimetype": packed(ODT_TYPE), "content.xml": Member(deflated(MB, 3000, before, after), 3_000_000_000)}
    return write_raw_zip(path, members)


def epub_of_3_gigabytes(path: Path) -> Path:
    """Its one chapter is the bomb."""
    before = f'<html xmlns="{XHTML}"><body><p>'.encode()
    chapter = Member(deflated(MB, 3000, before, b"</p></body></html>"), 3_000_000_000)
    members = {name: packed(content.encode()) for name, content in epub_members("").items()}
    return write_raw_zip(path, {"mimetype": packed(EPUB_TYPE)} | members | {"chapter.xhtml": chapter})


def xlsx_of_3_gigabytes(path: Path) -> Path:
    """Its one sheet is the bomb."""
    before = f'<worksheet xmlns="{SHEET}"><sheetData><row r="1"><c r="A1" t="inlineStr"><is><t>'.encode()
    sheet = Member(
        deflated(b"x" * 1_000_000, 3000, before, b"</t></is></c></row></sheetData></worksheet>"), 3_000_000_000
    )
    members = {name: packed(content.encode()) for name, content in xlsx_members("").items()}
    return write_raw_zip(path, members | {"xl/worksheets/sheet1.xml": sheet})


def xlsx_of_one_string_in_many_cells(path: Path) -> Path:
    """A string of a megabyte that 10,000 cells name, as in the test files of Apache POI (poc-shared-strings.xlsx)."""
    rows = "".join(f'<row r="{row}"><c r="A{row}" t="s"><v>0</v></c></row>' for row in range(1, 10_001))
    write_xlsx(path, {"S": rows}, strings=f"<si><t>{'word ' * 200_000}</t></si>")
    return path


def xlsx_of_one_string_across_a_row(path: Path) -> Path:
    """The same in every cell of one row, whose text would be 16 GB in one piece."""
    cells = '<c t="s"><v>0</v></c>' * 16_384
    write_xlsx(path, {"S": f'<row r="1">{cells}</row>'}, strings=f"<si><t>{'w' * 1_000_000}</t></si>")
    return path


def ods_of_one_cell_a_million_times(path: Path) -> Path:
    """A cell that is repeated, in a row that is repeated."""
    cell = f'<table:table-cell table:number-columns-repeated="1000"><text:p>{"word " * 200}</text:p></table:table-cell>'
    row = f'<table:table-row table:number-rows-repeated="1000">{cell}</table:table-row>'
    write_ods(path, f'<table:table table:name="S">{row}</table:table>')
    return path


def html_of_long_headings_above_many_words(path: Path) -> Path:
    """Each of 30,000 short paragraphs is below six long headings, which its block has for itself."""
    headings = "".join(f"<h{level}>{'heading ' * 60}</h{level}>" for level in range(1, 7))
    path.write_text(f"<!doctype html><body>{headings}{'<p>x</p>' * 30_000}")
    return path


def zip_with_overlapping_members(path: Path) -> Path:
    """Many names for the same bytes, as in a bomb that does not nest (Fifield 2019, "A better zip bomb")."""
    write_raw_zip(path, _docx_members(packed(MB)))
    data = path.read_bytes()
    start = data.index(b"PK\x01\x02")
    last = data.rindex(b"PK\x01\x02")
    entry, end = data[last : data.index(b"PK\x05\x06")], data[data.index(b"PK\x05\x06") :]
    more = b"".join(entry.replace(b"document.xml", b"footer%02d.xml" % n) for n in range(50))
    directory = data[start : start + len(data[start:]) - len(end)] + more
    counts = struct.pack("<HHII", 53, 53, len(directory), start)
    path.write_bytes(data[:start] + directory + end[:8] + counts + b"\0\0")
    return path


def pdf_bomb(path: Path) -> Path:
    """14 KB that are 8 GB: the content stream is deflated twice."""
    once = b"x\x9c" + deflated(b"q Q " * 250_000, 8000)
    twice = zlib.compress(once, 9)
    page = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R >>"
    content = pdf_stream(twice, b"/Filter [/FlateDecode /FlateDecode]")
    pages = b"<< /Type /Pages /Count 1 /Kids [3 0 R] >>"
    path.write_bytes(pdf_of([b"<< /Type /Catalog /Pages 2 0 R >>", pages, page, content]))
    return path


def pdf_with_a_loop(path: Path) -> Path:
    """Its tree of pages is a child of itself."""
    pages = b"<< /Type /Pages /Count 9 /Kids [2 0 R 2 0 R] /Parent 2 0 R >>"
    path.write_bytes(pdf_of([b"<< /Type /Catalog /Pages 2 0 R >>", pages]))
    return path


def pdf_of_2_billion_pages(path: Path) -> Path:
    """It says so; there is one."""
    good = pdf_pages([shown("only page")])
    path.write_bytes(good.replace(b"/Count 1 ", b"/Count 2000000000 "))
    return path


def pdf_of_a_huge_page(path: Path) -> Path:
    """A page of 700 m by 700 m."""
    path.write_bytes(pdf_pages([shown("small words")], b"[0 0 2000000 2000000]"))
    return path


def sparse_xlsx(path: Path) -> Path:
    """Two cells, in the first and the last place that a sheet has."""
    rows = (
        '<row r="1"><c r="A1" t="inlineStr"><is><t>first cell</t></is></c></row>'
        '<row r="1048576"><c r="XFD1048576" t="inlineStr"><is><t>last cell</t></is></c></row>'
    )
    return write_zip(path, xlsx_members(rows))


def xlsx_members(rows: str, before: str = "") -> dict[str, str]:
    """The members of a workbook with one sheet; `before` stands before the sheet's root."""
    sheet = '<sheet name="S" sheetId="1" r:id="r1"/>'
    book = f'<workbook xmlns="{SHEET}" xmlns:r="{OFFICE}"><sheets>{sheet}</sheets></workbook>'
    types = CONTENT_TYPES.replace("/>", ">") + (
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/></Types>'
    )
    return {
        "[Content_Types].xml": types,
        "_rels/.rels": _relationship("officeDocument", "xl/workbook.xml"),
        "xl/workbook.xml": book,
        "xl/_rels/workbook.xml.rels": _relationship("worksheet", "worksheets/sheet1.xml"),
        "xl/worksheets/sheet1.xml": f'{before}<worksheet xmlns="{SHEET}"><sheetData>{rows}</sheetData></worksheet>',
    }


def _relationship(kind: str, target: str) -> str:
    one = f'<Relationship Id="r1" Type="{OFFICE}/{kind}" Target="{target}"/>'
    return f'<Relationships xmlns="{PACKAGE}">{one}</Relationships>'


def epub_members(body: str, *, in_package: str = "", in_chapter: str = "", title: str = "T") -> dict[str, str]:
    """The members of a book with one chapter, without its mimetype; a document type may stand before a root."""
    container = (
        '<container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
        '<rootfile full-path="book.opf" media-type="application/oebps-package+xml"/></rootfiles></container>'
    )
    package = (
        f'{in_package}<package xmlns="http://www.idpf.org/2007/opf" version="2.0">'
        f'<metadata xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>{title}</dc:title></metadata>'
        '<manifest><item id="c" href="chapter.xhtml" media-type="application/xhtml+xml"/></manifest>'
        '<spine><itemref idref="c"/></spine></package>'
    )
    chapter = f'{in_chapter}<html xmlns="{XHTML}"><head><title>C</title></head><body>{body}</body></html>'
    return {"META-INF/container.xml": container, "book.opf": package, "chapter.xhtml": chapter}


def write_epub(path: Path, members: Mapping[str, str]) -> Path:
    """A book of these members."""
    return write_zip(path, {"mimetype": EPUB_TYPE, **members})


def write_ole(path: Path, streams: Mapping[str, bytes]) -> Path:
    """A compound file (the container of old Office files and of encrypted new ones) with at most seven streams.

    By Microsoft's [MS-CFB]: a header, a table of sectors, a directory, the streams. Every stream is at least 4,096
    bytes long here, so that none goes into the small sectors.
    """
    sector, free, chain_end, is_table = 512, 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD
    table, bodies = [is_table, 2, chain_end], bytearray()
    entries = [_ole_entry("Root Entry", 5, chain_end, 0, child=1 if streams else free)]
    names = sorted(streams, key=lambda name: (len(name), name.upper()))
    for number, name in enumerate(names, 1):
        body = streams[name].ljust(4096, b"\0")
        body += b"\0" * (-len(body) % sector)
        first, count = len(table), len(body) // sector
        table += [*range(first + 1, first + count), chain_end]
        bodies += body
        right = number + 1 if number < len(names) else free
        entries.append(_ole_entry(name, 2, first, len(body), right=right))
    table += [free] * (128 - len(table))
    directory = b"".join(entries).ljust(2 * sector, b"\0")
    header = struct.pack(
        "<8s16sHHHHH6xIIIIIIIII", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"", 0x3E, 3, 0xFFFE, 9, 6, 0, 1, 1, 0, 4096,
        chain_end, 0, chain_end, 0,
    ) + struct.pack("<109I", 0, *[free] * 108)  # fmt: skip
    path.write_bytes(header + struct.pack("<128I", *table) + directory + bodies)
    return path


def _ole_entry(
    name: str, kind: int, first: int, size: int, *, right: int = 0xFFFFFFFF, child: int = 0xFFFFFFFF
) -> bytes:
    raw = name.encode("utf-16-le")
    return struct.pack(
        "<64sHBBIII16sIQQIQ", raw, len(raw) + 2, kind, 1, _NOBODY, right, child, b"", 0, 0, 0, first, size
    )
