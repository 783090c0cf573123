"""Office files that other programs made, translated by turning every word round: nothing is skipped, nothing breaks."""

from __future__ import annotations

import io
from pathlib import Path

import docx
import pytest

from app.documents.source import TargetLanguage
from tests.helpers import rewriting
from tests.helpers.real_files import convert, fetched
from tests.helpers.rewriting import reversed_words

pytestmark = [pytest.mark.documents, pytest.mark.timeout(600)]

TARGETS = (None, TargetLanguage("ar", is_rtl=True), TargetLanguage("ja"))


def files() -> list[Path]:
    """All that the packages have which `make test-documents` fetches."""
    return [*fetched("python_docx", ".docx"), *fetched("python_pptx", ".pptx", ".docx", ".xlsx")]


def check(path: Path, folder: Path) -> int:
    """Everything about one file; how many segments it has."""
    format_ = path.suffix[1:].lower()
    same = rewriting.run(format_, path, lambda segment: segment.content)
    assert same.data == path.read_bytes(), path.name
    wanted = [reversed_words(segment) for segment in same.segments]
    for target in TARGETS:
        written = folder / f"written.{format_}"
        written.write_bytes(rewriting.run(format_, path, reversed_words, target).data)
        found = rewriting.run(format_, written).segments
        assert [segment.content for segment in found] == wanted, (path.name, target)
    return len(wanted)


def test_every_segment_of_real_files_comes_back_and_nothing_else_changes(tmp_path: Path) -> None:
    counted = {path: check(path, tmp_path) for path in files()}
    assert len(counted) >= 30
    assert sum(counted.values()) > 500


def test_what_libreoffice_saves_comes_back_too(tmp_path: Path) -> None:
    chosen = {"docx": fetched("odfpy", ".odt")[:6], "pptx": fetched("odfpy", ".odp"), "xlsx": fetched("odfpy", ".ods")}
    counted = 0
    for ending, sources in chosen.items():
        for source in sources:
            counted += check(convert(source, ending, tmp_path), tmp_path)
    assert counted > 50


def test_libreoffice_opens_a_document_that_was_turned_to_arabic(tmp_path: Path) -> None:
    document = docx.Document()
    document.add_heading("A heading", 1)
    document.add_paragraph("Some words").add_run(" in bold").bold = True
    document.add_table(1, 2).cell(0, 0).text = "A cell"
    document.save(str(tmp_path / "a.docx"))
    words = {"A heading": "عنوان", "Some words": "كلمات", " in bold": " بخط غامق", "A cell": "خلية"}
    result = rewriting.run(
        "docx",
        tmp_path / "a.docx",
        lambda segment: tuple(words.get(part, part) if isinstance(part, str) else part for part in segment.content),
        TargetLanguage("ar", is_rtl=True),
    )
    (tmp_path / "b.docx").write_bytes(result.data)
    again = docx.Document(io.BytesIO(convert(tmp_path / "b.docx", "docx", tmp_path).read_bytes()))
    assert [each.text for each in again.paragraphs] == ["عنوان", "كلمات بخط غامق"]
    assert again.tables[0].cell(0, 0).text == "خلية"
    assert all(each._p.pPr.find(f"{{{each._p.nsmap['w']}}}bidi") is not None for each in again.paragraphs)
    assert "bidiVisual" in again.tables[0]._tbl.xml
