"""Reading a long DOCX and a long ODT, against the plainest loop over the same XML that keeps only the words."""

from __future__ import annotations

import random
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from xml.etree import ElementTree

from comparing import compared, in_turns
from run import Row

from app.documents.blocks import BlockKind, BlockPiece
from app.documents.formats.opendocument import read_odf as odf
from app.documents.formats.word import read_docx as docx
from app.documents.source import FileSource, Reader
from tests.helpers.office_files import W, paragraph, word_part, write_docx, write_odf

CHAPTERS = 150
PARAGRAPHS_A_CHAPTER = 40
ROWS, COLUMNS = 8, 4
LIMIT = 2.0
ROUNDS = 7
_TEXT = "urn:oasis:names:tc:opendocument:xmlns:text:1.0"
_STYLES = (
    '<w:style w:type="paragraph" w:styleId="Heading1"><w:name w:val="heading 1"/></w:style>'
    '<w:style w:type="paragraph" w:styleId="BodyText"><w:name w:val="Body Text"/></w:style>'
)


def rows() -> Iterator[Row]:
    """One ratio for each format: CPU time, since nothing of it waits."""
    with tempfile.TemporaryDirectory(prefix="fireside-bench-") as name:
        folder = Path(name)
        word = write_docx(folder / "long.docx", _docx_body(), {"styles.xml": word_part("styles", _STYLES)})
        yield _row("docx", docx.read, word, _plain("word/document.xml", (f"{{{W}}}p",), f"{{{W}}}t"))
        odt = write_odf(folder / "long.odt", _odt_body())
        yield _row("odt", odf.read, odt, _plain("content.xml", (f"{{{_TEXT}}}p", f"{{{_TEXT}}}h"), ""))


def _row(name: str, read: Reader, path: Path, plain: Callable[[Path], list[str]]) -> Row:
    def ours(_: int) -> float:
        began_s = time.process_time()
        pieces = [item for item in read(FileSource(path)) if isinstance(item, BlockPiece)]
        taken_s = time.process_time() - began_s
        kinds = [piece.kind for piece in pieces]
        if kinds.count(BlockKind.HEADING) != CHAPTERS or kinds.count(BlockKind.TABLE) != CHAPTERS:
            raise AssertionError(f"{name}: {len(kinds)} pieces, {kinds.count(BlockKind.TABLE)} tables")
        return taken_s

    def theirs(_: int) -> float:
        began_s = time.process_time()
        texts = plain(path)
        taken_s = time.process_time() - began_s
        if len(texts) != CHAPTERS * (1 + PARAGRAPHS_A_CHAPTER + ROWS * COLUMNS):
            raise AssertionError(f"{name}: {len(texts)} texts")
        return taken_s

    taken = in_turns((ours, theirs), ROUNDS)
    return compared(f"read_{name}_{CHAPTERS}_chapters", taken[0], taken[1], "s of CPU", at_most=LIMIT)


def _plain(member: str, paragraphs: tuple[str, ...], text: str) -> Callable[[Path], list[str]]:
    """The standard library's own: no styles, no lists, no notes, no places. `text` is "" where any element has text."""

    def read(path: Path) -> list[str]:
        found = []
        with zipfile.ZipFile(path) as archive, archive.open(member) as stream:
            for _, element in ElementTree.iterparse(stream):
                if element.tag in paragraphs:
                    parts = (each.text or "" for each in element.iter(text)) if text else element.itertext()
                    found.append("".join(parts))
                    element.clear()
        return found

    return read


def _docx_body() -> str:
    made = _Texts()
    parts = []
    for chapter in range(CHAPTERS):
        parts.append(paragraph(f"Chapter {chapter} {made.words(4)}", "Heading1"))
        for _ in range(PARAGRAPHS_A_CHAPTER):
            runs = "".join(
                f"<w:r>{'<w:rPr><w:b/><w:bCs/></w:rPr>' if number % 2 else ''}"
                f'<w:t xml:space="preserve">{made.words(20)} </w:t></w:r>'
                for number in range(3)
            )
            parts.append(f'<w:p><w:pPr><w:pStyle w:val="BodyText"/></w:pPr>{runs}</w:p>')
        cells = "".join(f"<w:tc><w:tcPr/>{paragraph(made.words(2))}</w:tc>" for _ in range(COLUMNS))
        parts.append(f"<w:tbl><w:tblPr/>{f'<w:tr>{cells}</w:tr>' * ROWS}</w:tbl>")
    return "".join(parts)


def _odt_body() -> str:
    made = _Texts()
    parts = []
    for chapter in range(CHAPTERS):
        parts.append(f'<text:h text:outline-level="1">Chapter {chapter} {made.words(4)}</text:h>')
        for _ in range(PARAGRAPHS_A_CHAPTER):
            bold = f'<text:span text:style-name="T1">{made.words(20)} </text:span>'
            parts.append(f'<text:p text:style-name="Text_20_body">{made.words(20)} {bold}{made.words(20)}</text:p>')
        cell = f'<table:table-cell office:value-type="string"><text:p>{made.words(2)}</text:p></table:table-cell>'
        parts.append(f"<table:table>{f'<table:table-row>{cell * COLUMNS}</table:table-row>' * ROWS}</table:table>")
    return "".join(parts)


class _Texts:
    """The same texts in every run."""

    def __init__(self) -> None:
        self._random = random.Random(18)
        letters = [chr(code) for code in range(ord("a"), ord("z") + 1)] + ["é", "ü"]
        self._words = ["".join(self._random.choices(letters, k=3 + number % 8)) for number in range(2000)]

    def words(self, count: int) -> str:
        """So many words."""
        return " ".join(self._random.choices(self._words, k=count))
